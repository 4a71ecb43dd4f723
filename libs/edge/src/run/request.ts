import { createParamDecorator, type ExecutionContext } from '@nestjs/common';
import { RouteConfig } from '@nestjs/platform-fastify';
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { Identities } from '#engine/identity';
import type { Request } from '#engine/store';
import type { Position } from '#kernel';
import { notAuthenticated, type Caller as CallerType } from '../auth/tokens.js';
import { systemChance } from '../house/chance.js';
import { canonical } from '../input/json.js';
import { readAfter, readIdempotencyKey, readIfMatch } from '../input/headers.js';

/** A request as the edge's hooks leave it to the routes. */
export interface EdgeRequest extends FastifyRequest {
  correlation: string;
  /** Absent on open routes. */
  caller: CallerType | null;
  /** From `performance.now()`. */
  startedAt: number;
}
export type EdgeReply = FastifyReply;

const requestOf = (context: ExecutionContext): EdgeRequest =>
  context.switchToHttp().getRequest<EdgeRequest>();

/** `POST /v1/tickets/:id/assign`: the route, never the address (ruling 39). */
export function routeOf(request: Pick<FastifyRequest, 'method' | 'routeOptions'>): string {
  return `${request.method} ${request.routeOptions.url ?? '(none)'}`;
}

/** @throws Problem `not-authenticated` on an open route */
export function callerOf(request: EdgeRequest): CallerType {
  if (!request.caller) throw notAuthenticated('This needs a token.');
  return request.caller;
}

/** Marks a route that needs no token; every other one is reached only with a valid one. */
export const Open = (): MethodDecorator => RouteConfig({ open: true });

export function isOpen({ routeOptions: { config } }: FastifyRequest): boolean {
  return (config as { open?: boolean } | undefined)?.open === true;
}

/** Marks a route that a pass opens, too: `?pass=` in place of a token (ruling 39). */
export const TakesPass = (): MethodDecorator => RouteConfig({ pass: true });

/** The pass of a request to a route that takes one; undefined where a token stands in the header. */
export function passOf({ routeOptions: { config }, headers, query }: FastifyRequest): string | undefined {
  if ((config as { pass?: boolean } | undefined)?.pass !== true || headers.authorization !== undefined)
    return undefined;
  const { pass } = query as { pass?: unknown };
  return typeof pass === 'string' ? pass : undefined;
}

const LOOPBACK = /^(::1|(::ffff:)?127(\.\d{1,3}){3})$/;

/** From this machine itself, and not passed on by a proxy on it. */
export function isLocal({ raw, headers }: FastifyRequest): boolean {
  return (
    LOOPBACK.test(raw.socket.remoteAddress ?? '') &&
    headers['x-forwarded-for'] === undefined &&
    headers['forwarded'] === undefined
  );
}

/** Parameter: who asks (ruling 33). */
export const Caller = createParamDecorator((_: unknown, context: ExecutionContext) =>
  callerOf(requestOf(context)),
);

/** Parameter: the position of `?after=`, if any (read your own writes). */
export const After = createParamDecorator((_: unknown, context: ExecutionContext): Position | undefined =>
  readAfter((requestOf(context).query as { after?: unknown }).after),
);

/** What surrounds the command of a request. */
export interface Asking {
  readonly caller: CallerType;
  readonly correlation: string;
  /** `POST /v1/tickets`. */
  readonly route: string;
  /** The caller's own `Idempotency-Key`. */
  readonly key?: string;
  /** From `If-Match`. */
  readonly ifMatch?: number;
}

export function askingOf(request: EdgeRequest): Asking {
  const key = readIdempotencyKey(request.headers['idempotency-key']);
  const ifMatch = readIfMatch(request.headers['if-match']);
  return {
    caller: callerOf(request),
    correlation: request.correlation,
    route: routeOf(request),
    ...(key !== undefined && { key }),
    ...(ifMatch !== undefined && { ifMatch }),
  };
}

/** Parameter: see Asking. Answers 400 for a malformed `Idempotency-Key` or `If-Match`. */
export const Asked = createParamDecorator((_: unknown, context: ExecutionContext) =>
  askingOf(requestOf(context)),
);

const chance = systemChance();

/**
 * The request as transact takes it, on one stream. Without a key of the caller's the edge makes a random one
 * (ruling 10). `body` is the validated body (and whatever of the path belongs to what was asked).
 */
export function requestOn(
  stream: string,
  { caller, correlation, route, key, ifMatch }: Asking,
  identities: Pick<Identities, 'requestKey' | 'requestBody'>,
  body: unknown,
): Request {
  return {
    stream,
    actor: caller.actor,
    correlation,
    key: {
      id:
        key !== undefined
          ? identities.requestKey(caller.actor.id, route, key)
          : chance.bytes(32).toString('base64url'),
      body: identities.requestBody(canonical(body)),
      own: key !== undefined,
    },
    ...(ifMatch !== undefined && { ifMatch }),
  };
}
