import { Catch, HttpException, type ArgumentsHost, type ExceptionFilter } from '@nestjs/common';
import { TablesUnavailable } from '#engine/feed';
import type { Logger } from '#kernel';
import {
  Contention,
  DuplicateEventId,
  InvalidAppend,
  KeyReused,
  KeyWithdrawn,
  LogReplaced,
  LogUnavailable,
  NotAppended,
  OlderThanLog,
  UnknownOutcome,
} from '#engine/store';
import { ViewParked } from '#adapters/views-postgres';
import { ClockUntrusted } from '../house/clock.js';
import { failureOf } from '../observe/failure.js';
import type { EdgeReply, EdgeRequest } from '../run/request.js';
import { routeOf } from '../run/request.js';
import { Problem, PROBLEMS, type ProblemCode } from './problem.js';

type Constructor = abstract new (...args: never[]) => Error;

/** What a throw of the rooms below means to a client: the only place where they meet HTTP. First match counts. */
const MEANINGS: readonly (readonly [Constructor, ProblemCode, string])[] = [
  [OlderThanLog, 'older-than-log', 'The log holds events of a later release; this process must be updated.'],
  [ClockUntrusted, 'clock-untrusted', 'The clock of this process is wrong; nothing is recorded by it.'],
  [KeyReused, 'key-reused', 'This Idempotency-Key was used for a request with another body.'],
  [Contention, 'contention', 'Too many commands met on one object; nothing was recorded.'],
  [
    UnknownOutcome,
    'outcome-unknown',
    'The answer of the log was lost. Repeat the request under its Idempotency-Key: it is done once.',
  ],
  [ViewParked, 'view-parked', 'A read model could not digest this object’s history; somebody must look.'],
  [KeyWithdrawn, 'not-recorded', 'A person in this is being forgotten; nothing was recorded.'],
  [LogUnavailable, 'log-unavailable', 'The event log cannot be reached; nothing was recorded.'],
  [LogReplaced, 'log-unavailable', 'The event log is another one than before; somebody must look.'],
  [TablesUnavailable, 'views-unavailable', 'The tables of this consumer cannot be reached.'],
  [NotAppended, 'not-recorded', 'Nothing was recorded; the request may be repeated.'],
  // At the edge only size is left to be wrong: ids and counts are the house's own.
  [InvalidAppend, 'too-large', 'What would be recorded is larger than an event may be.'],
];

/** Classes of SQLSTATE and system codes that say the database is not there, as opposed to wrong. */
const AWAY = /^(08|53|57P|ECONNREFUSED$|ECONNRESET$|EPIPE$|ETIMEDOUT$|ENOTFOUND$|EAI_AGAIN$|ENOENT$)/;

const BY_STATUS: Readonly<Record<number, ProblemCode>> = {
  401: 'not-authenticated',
  403: 'not-permitted',
  404: 'not-found',
  413: 'too-large',
  // An over-long id in the path names nothing.
  414: 'not-found',
  415: 'unsupported-media-type',
  503: 'not-ready',
};

const FRAMEWORK_DETAIL: Readonly<Partial<Record<ProblemCode, string>>> = {
  'not-found': 'There is no such route.',
  'too-large': 'The body may have at most 1 MiB.',
  'unsupported-media-type': 'The body must be application/json.',
};

export function problemOf(error: unknown): Problem {
  if (error instanceof Problem) return error;
  for (const [kind, code, detail] of MEANINGS) if (error instanceof kind) return Problem.of(code, detail);
  if (error instanceof HttpException) return ofStatus(error.getStatus());
  if (error instanceof Error) {
    const { code, statusCode } = error as Error & { code?: unknown; statusCode?: unknown };
    if (typeof statusCode === 'number' && statusCode >= 400 && statusCode < 500) return ofStatus(statusCode);
    if (!(error instanceof DuplicateEventId) && typeof code === 'string' && AWAY.test(code))
      return Problem.of('views-unavailable', 'The database cannot be reached.');
  }
  return Problem.of('internal', 'The error is in the log under this correlation id.');
}

function ofStatus(status: number): Problem {
  const code = BY_STATUS[status] ?? (status < 500 ? 'bad-request' : 'internal');
  return Problem.of(code, FRAMEWORK_DETAIL[code] ?? `${PROBLEMS[code][1]}.`);
}

export function send(reply: EdgeReply, problem: Problem, correlation: string): void {
  void reply.code(problem.httpStatus).headers(problem.headers()).send(problem.body(correlation));
}

/** Answers whatever a route, a hook or the framework threw as problem+json (RFC 9457). */
@Catch()
export class ProblemFilter implements ExceptionFilter {
  constructor(private readonly logger: Logger) {}

  catch(error: unknown, host: ArgumentsHost): void {
    const http = host.switchToHttp();
    const request = http.getRequest<EdgeRequest>();
    const reply = http.getResponse<EdgeReply>();
    const problem = problemOf(error);
    if (problem.code === 'internal')
      this.logger.error(
        { correlation: request.correlation, route: routeOf(request), failure: failureOf(error) },
        'a request failed',
      );
    if (reply.sent) return;
    send(reply, problem, request.correlation);
  }
}
