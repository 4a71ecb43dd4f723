/**
 * What processes share at their outer edge.
 *
 * A route: `@Controller('v1/tickets') class Tickets { constructor(private readonly house: House) {} … }`. It is reached
 * only with a valid token unless marked `@Open()`; `@Caller()` is who asks, `@Asked()` all that surrounds a
 * command (caller, correlation, route, Idempotency-Key, If-Match), `@After()` the position of `?after=`. A
 * parameter typed as a DTO class is valid when the route runs (class-validator; unknown fields are 400).
 * `house.tickets.transact(requestOn(stream, asked, house.identities, body), …)` and `accepted(outcome)` answer
 * or throw the right Problem; whatever else is thrown becomes problem+json by one table (problem/filter.ts).
 */
export {
  readSettings,
  SettingsRefused,
  LOG_LEVELS,
  type LogLevel,
  type Reader,
  type Settings,
} from './settings/settings.js';
export { Premises } from './house/premises.js';
export { House, type Numbers } from './house/house.js';
export { openTickets, ticketState, type OpenTicketShown } from './house/open-tickets.js';
export { openHouse, type OpenHouseOptions } from './house/open-house.js';
export { kafkaAddress, unreadyOf } from './house/kafka.js';
export { openPremises } from './house/open-premises.js';
export {
  beginDemonstration,
  completeDemonstration,
  isDemonstration,
  type Demonstration,
} from './house/demonstration.js';
export { LEAST_FREE, type Admission } from './house/admission.js';
export { HouseModule } from './house/house-module.js';
export { openClock, ClockUntrusted, TOLERANCE, type TrustedClock } from './house/clock.js';
export { freshId, systemChance } from './house/chance.js';
export {
  AUDIENCE,
  doorkeeper,
  ISSUER,
  mintPass,
  mintToken,
  TOKEN_ROLES,
  TOKEN_SECONDS,
  TokenRefused,
  type Caller as CallerType,
  type Doorkeeper,
  type TokenClaims,
  type TokenRole,
} from './auth/tokens.js';
export { canonical, isStorable, MAX_DEPTH, readJson } from './input/json.js';
export { NO_SUCH_ETAG, readAfter, readId, readIdempotencyKey, readIfMatch } from './input/headers.js';
export { IdOf } from './input/id-of.js';
export { cursorOf, Params } from './input/params.js';
export { valid, ValidInput } from './input/validate.js';
export {
  badInput,
  notFound,
  Problem,
  PROBLEMS,
  type FieldProblem,
  type ProblemCode,
} from './problem/problem.js';
export { accepted, etagOf, refused, REFUSAL_STATUS, type RefusalCode } from './problem/refusals.js';
export { problemOf, ProblemFilter } from './problem/filter.js';
export { AccessModule } from './access/access-guard.js';
export { Command, Query, Stream } from './access/operation.js';
export { ApiDocument, describeApi } from './openapi/document.js';
export { DocumentationModule } from './openapi/documentation.controller.js';
export { failureOf, type Failure } from './observe/failure.js';
export { openLog, type ProcessLog } from './observe/log.js';
export { openMetrics, type Figure, type Metrics } from './observe/metrics.js';
export { Readiness, type Check, type Parts, type Unready } from './observe/readiness.js';
export {
  After,
  Asked,
  askingOf,
  Caller,
  callerOf,
  Open,
  requestOn,
  routeOf,
  TakesPass,
  type Asking,
  type EdgeReply,
  type EdgeRequest,
} from './run/request.js';
export { BODY_LIMIT, CORRELATION_HEADER, POSITION_HEADER } from './run/server.js';
export { bootstrap, StartRefused, type BootstrapOptions, type Running } from './run/bootstrap.js';
export { pause } from '#adapters/timers';
export { onThread, openThread, type Thread } from './run/thread.js';
export { run, runOnMessages, type Program } from './run/run.js';
export { schemaCheck } from './consuming/schema-check.js';
export { ConsumerLoop } from './consuming/consumer-loop.js';
export { ConsumerReading } from './consuming/consumer-reading.js';
export { civilDay, NEWEST_ZONE_RULES } from './consuming/civil-day.js';
