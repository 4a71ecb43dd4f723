import { STATUS_CODES } from 'node:http';
import type { Socket } from 'node:net';
import { FastifyAdapter } from '@nestjs/platform-fastify';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { ProcessLog } from '../observe/log.js';
import type { Metrics } from '../observe/metrics.js';
import type { Caller, Doorkeeper } from '../auth/tokens.js';
import { freshId } from '../house/chance.js';
import { checkUrl, readJson } from '../input/json.js';
import { readCorrelation } from '../input/headers.js';
import { problemOf, send } from '../problem/filter.js';
import { Problem } from '../problem/problem.js';
import { bearer } from './bearer.js';
import { isOpen, passOf, routeOf, type EdgeRequest } from './request.js';

/** Bytes of a request body. */
export const BODY_LIMIT = 1024 * 1024;
/** Milliseconds within which a request must have arrived whole. */
const REQUEST_TIMEOUT = 30_000;

export const CORRELATION_HEADER = 'x-correlation-id';
export const POSITION_HEADER = 'covenant-position';

export interface Door {
  readonly keeper: Doorkeeper;
  readonly metrics: Metrics;
  readonly log: Pick<ProcessLog, 'pino'>;
  readonly stopping: () => boolean;
}

/**
 * Fastify with everything that every request passes before a route sees it: correlation, the guard of
 * address and body (ruling 49), the token; and, after the answer, one line and one figure. They are hooks of
 * Fastify, not Nest's interceptors, because they must come before the body is read and cost little.
 */
export function openServer(door: Door): FastifyAdapter {
  const options = {
    logger: false,
    bodyLimit: BODY_LIMIT,
    requestTimeout: REQUEST_TIMEOUT,
    genReqId: () => '',
    return503OnClosing: false,
    forceCloseConnections: 'idle',
    skipMiddie: true,
    routerOptions: { maxParamLength: 512, ignoreTrailingSlash: false, caseSensitive: true },
    frameworkErrors: (error: Error, request: FastifyRequest, reply: FastifyReply) => {
      const edge = request as EdgeRequest;
      begin(edge, reply);
      send(reply, problemOf(error), edge.correlation);
    },
    clientErrorHandler: (error: Error & { code?: string }, socket: Socket) => answerGarbage(error, socket),
  };
  const adapter = new FastifyAdapter(options as ConstructorParameters<typeof FastifyAdapter>[0]);
  const instance = adapter.getInstance<FastifyInstance>();
  instance.decorateRequest('correlation', '');
  instance.decorateRequest('caller', null);
  instance.decorateRequest('startedAt', 0);
  instance.removeAllContentTypeParsers();
  instance.addContentTypeParser('application/json', { parseAs: 'buffer' }, (_, body, done) => {
    try {
      // A command that needs no body may say it has none and yet name its type.
      done(null, body.length === 0 ? undefined : readJson(body as Buffer));
    } catch (error) {
      done(error as Error);
    }
  });
  instance.addHook('onRequest', (request, reply, done) => receive(door, request as EdgeRequest, reply, done));
  instance.addHook('onResponse', (request, reply, done) => {
    note(door, request as EdgeRequest, reply);
    // What was in flight when the desk began to stop leaves a connection that would be kept alive for its next request.
    if (door.stopping()) setImmediate(() => instance.server.closeIdleConnections());
    done();
  });
  return adapter as unknown as FastifyAdapter;
}

function begin(request: EdgeRequest, reply: FastifyReply): void {
  request.startedAt = performance.now();
  request.correlation = readCorrelation(request.headers[CORRELATION_HEADER]) ?? freshId();
  void reply.header(CORRELATION_HEADER, request.correlation).header('cache-control', 'no-store');
}

type Done = (error?: Error) => void;

function receive(door: Door, request: EdgeRequest, reply: FastifyReply, done: Done): void {
  begin(request, reply);
  try {
    if (door.stopping()) {
      void reply.header('connection', 'close');
      throw Problem.of('stopping', 'The desk is stopping; ask again.');
    }
    checkUrl(request.raw.url ?? '/');
    const encoding = request.headers['content-encoding'];
    if (encoding !== undefined && encoding !== 'identity')
      throw Problem.of('unsupported-media-type', 'The body must not be compressed.');
    if (request.is404 || isOpen(request)) return done();
    const admitted = (coming: Promise<Caller>): void => {
      coming.then((caller) => {
        request.caller = caller;
        done();
      }, done);
    };
    const pass = passOf(request);
    if (pass !== undefined) return admitted(door.keeper.admitPass(pass));
    const token = bearer(request.headers.authorization);
    const known = door.keeper.known(token);
    if (!known) return admitted(door.keeper.admit(token));
    request.caller = known;
  } catch (error) {
    done(error as Error);
    return;
  }
  done();
}

function note({ log, metrics }: Door, request: EdgeRequest, reply: FastifyReply): void {
  const milliseconds = performance.now() - request.startedAt;
  const route = routeOf(request);
  metrics.request(route, reply.statusCode, milliseconds);
  const quiet = reply.statusCode < 500 && isOpen(request);
  log.pino[quiet ? 'debug' : 'info'](
    {
      route,
      status: reply.statusCode,
      ms: Math.round(milliseconds * 10) / 10,
      correlation: request.correlation,
    },
    'answered',
  );
}

/** What is no HTTP at all is answered on the bare socket. */
function answerGarbage(error: Error & { code?: string }, socket: Socket): void {
  if (!socket.writable || error.code === 'ECONNRESET') {
    socket.destroy();
    return;
  }
  const status = { HPE_HEADER_OVERFLOW: 431, ERR_HTTP_REQUEST_TIMEOUT: 408 }[error.code ?? ''] ?? 400;
  const body = JSON.stringify({
    type: 'urn:covenant:problem:bad-request',
    title: 'The request cannot be understood',
    status,
    detail: `${STATUS_CODES[status]}.`,
    code: 'bad-request',
    correlation: freshId(),
  });
  socket.end(
    `HTTP/1.1 ${status} ${STATUS_CODES[status]}\r\ncontent-type: application/problem+json; charset=utf-8\r\n` +
      `content-length: ${Buffer.byteLength(body)}\r\nconnection: close\r\n\r\n${body}`,
  );
}
