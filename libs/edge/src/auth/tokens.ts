import { hash } from 'node:crypto';
import { jwtVerify, SignJWT, type JWTPayload } from 'jose';
import { isUuid, ROLES, type Actor, type PersonId, type Role } from '#kernel';
import type { Identities } from '#engine/identity';
import { isStorable } from '../input/json.js';
import { Problem } from '../problem/problem.js';

export const ISSUER = 'covenant';
export const AUDIENCE = 'covenant';
/** Ruling 33. */
export const TOKEN_SECONDS = 12 * 3600;
/** A pass opens one live stream from a browser, which can send no header with it (ruling 39). */
export const PASS_AUDIENCE = 'live';
export const PASS_SECONDS = 30;
/** Leeway for `exp` and `nbf`, seconds. */
const LEEWAY = 5;
const MAX_NAME = 200;

/** Roles that a token may carry; `system` is the house's own. */
export const TOKEN_ROLES = ROLES.filter((role): role is TokenRole => role !== 'system');
export type TokenRole = Exclude<Role, 'system'>;

/** Who asks, as a valid token says. */
export interface Caller {
  readonly actor: Actor;
  readonly name: string;
  readonly email?: string;
  readonly role: TokenRole;
  /** The one vendor (customer account) that a caller of that role speaks for, as the token names it. */
  readonly vendor?: string;
  readonly customer?: string;
  /** Seconds since 1970. */
  readonly tokenExpires: number;
}

export interface TokenClaims {
  readonly role: TokenRole;
  readonly name: string;
  readonly email?: string;
  /** Exactly for the role `vendor`. */
  readonly vendor?: string;
  /** Exactly for the role `customer`. */
  readonly customer?: string;
}

/** What a token asks for cannot be; the message says why. */
export class TokenRefused extends Error {
  override readonly name = 'TokenRefused';
}

/**
 * A token signed with AUTH_SECRET. Before there is a directory of staff a name is a person (ruling 33);
 * names of vendors and customers count within their account only.
 *
 * @param ttl seconds
 * @param now seconds since 1970
 * @throws TokenRefused
 */
export async function mintToken(
  secret: Buffer,
  claims: TokenClaims,
  ttl = TOKEN_SECONDS,
  now = Date.now() / 1000,
): Promise<string> {
  const { role, name, email, vendor, customer } = claims;
  const issued = Math.floor(now);
  const problem = problemOf({ sub: 'x', role, name, email, vendor, customer });
  if (problem) throw new TokenRefused(problem);
  const plain = name.trim().toLowerCase();
  const sub =
    vendor !== undefined
      ? `vendor:${vendor}/${plain}`
      : customer !== undefined
        ? `customer:${customer}/${plain}`
        : plain;
  return new SignJWT({ role, name, email, vendor, customer })
    .setProtectedHeader({ alg: 'HS256', typ: 'JWT' })
    .setSubject(sub)
    .setIssuer(ISSUER)
    .setAudience(AUDIENCE)
    .setIssuedAt(issued)
    .setExpirationTime(issued + ttl)
    .sign(secret);
}

/**
 * A pass for live streams alone: refused wherever a token is asked for. What it opens ends when the caller's
 * own token does. It stands in addresses, and so names nobody.
 *
 * @param now seconds since 1970
 */
export async function mintPass(
  secret: Buffer,
  { actor, tokenExpires }: Caller,
  now = Date.now() / 1000,
): Promise<{ readonly pass: string; /** Seconds since 1970. */ readonly expires: number }> {
  const expires = Math.min(Math.floor(now) + PASS_SECONDS, tokenExpires);
  const pass = await new SignJWT({ role: actor.role, until: tokenExpires })
    .setProtectedHeader({ alg: 'HS256', typ: 'JWT' })
    .setSubject(actor.id)
    .setIssuer(ISSUER)
    .setAudience(PASS_AUDIENCE)
    .setExpirationTime(expires)
    .sign(secret);
  return { pass, expires };
}

/** Why claims make no caller; null where they do. Never repeats a claim. */
function problemOf(claims: Readonly<Record<string, unknown>>): string | null {
  const { sub, role, name, email, vendor, customer } = claims;
  const text = (value: unknown, limit: number): boolean =>
    typeof value === 'string' && value.trim() !== '' && value.length <= limit && isStorable(value);
  if (!text(sub, 512)) return 'sub must be a text';
  if (!TOKEN_ROLES.some((known) => known === role)) return `role must be one of ${TOKEN_ROLES.join(', ')}`;
  if (name !== undefined && !text(name, MAX_NAME))
    return `name must be a text of 1 to ${MAX_NAME} characters`;
  if (email !== undefined && !(text(email, 254) && /^[^\s@]+@[^\s@]+$/.test(email as string)))
    return 'email must be an address';
  for (const [scope, id] of Object.entries({ vendor, customer })) {
    if (role === scope && !text(id, MAX_NAME)) return `the role ${scope} needs exactly one ${scope}`;
    if (role !== scope && id !== undefined) return `only the role ${scope} may name a ${scope}`;
  }
  return null;
}

/** What checks tokens; one per process. */
export interface Doorkeeper {
  /** The caller behind a token seen valid before and not expired since, without waiting. */
  known(token: string): Caller | undefined;
  /** @throws Problem `not-authenticated`, always the same detail for a token that is not valid */
  admit(token: string): Promise<Caller>;
  /** The caller behind a pass, known by no name. @throws Problem `not-authenticated` */
  admitPass(pass: string): Promise<Caller>;
}

export interface DoorkeeperOptions {
  readonly secret: Buffer;
  readonly identities: Pick<Identities, 'person'>;
  /** Milliseconds since 1970. */
  readonly now: () => number;
  /** Verified tokens remembered, by their hash. */
  readonly remembered?: number;
}

export const notAuthenticated = (detail: string, error?: 'invalid_token'): Problem =>
  Problem.of('not-authenticated', detail, {
    headers: { 'www-authenticate': `Bearer realm="covenant"${error ? `, error="${error}"` : ''}` },
  });

/** Algorithm, issuer and audience are fixed; `exp` is required (ruling 33). */
export function doorkeeper(options: DoorkeeperOptions): Doorkeeper {
  const { secret, identities, now } = options;
  const limit = options.remembered ?? 10_000;
  const callers = new Map<string, Caller>();
  const keyOf = (token: string): string => hash('sha256', token, 'base64');
  const invalid = () => notAuthenticated('The token is not valid.', 'invalid_token');

  const callerOf = (payload: JWTPayload): Caller => {
    if (problemOf(payload) !== null) throw invalid();
    const claims = payload as JWTPayload & TokenClaims & { sub: string; exp: number };
    const { sub, role, name, email, vendor, customer, exp } = claims;
    return Object.freeze({
      actor: Object.freeze({ id: identities.person(ISSUER, sub), role }),
      name: name ?? sub,
      ...(email !== undefined && { email }),
      role,
      ...(vendor !== undefined && { vendor }),
      ...(customer !== undefined && { customer }),
      tokenExpires: exp,
    });
  };

  const verified = async (token: string, audience: string, requiredClaims: string[]): Promise<JWTPayload> => {
    try {
      const { payload } = await jwtVerify(token, secret, {
        algorithms: ['HS256'],
        issuer: ISSUER,
        audience,
        requiredClaims,
        clockTolerance: LEEWAY,
        currentDate: new Date(now()),
      });
      return payload;
    } catch {
      // Which check failed is nobody's business but the issuer's; the message may quote the token.
      throw invalid();
    }
  };

  return {
    known: (token) => {
      const key = keyOf(token);
      const caller = callers.get(key);
      if (!caller) return undefined;
      if (caller.tokenExpires + LEEWAY > now() / 1000) return caller;
      callers.delete(key);
      return undefined;
    },
    admit: async (token) => {
      const payload = await verified(token, AUDIENCE, ['exp', 'sub', 'role']);
      const caller = callerOf(payload);
      callers.set(keyOf(token), caller);
      if (callers.size > limit) callers.delete(callers.keys().next().value!);
      return caller;
    },
    admitPass: async (pass) => {
      const { sub, role, until } = await verified(pass, PASS_AUDIENCE, ['exp', 'sub', 'role', 'until']);
      const known = TOKEN_ROLES.find((each) => each === role);
      if (!isUuid(sub) || known === undefined || typeof until !== 'number') throw invalid();
      return { actor: { id: sub as PersonId, role: known }, name: '', role: known, tokenExpires: until };
    },
  };
}
