import {
  grant,
  inScope,
  notItsToGive,
  type Grant,
  type Operation,
  type Owned,
  type Reach,
} from '#domain/access';
import type { Identities } from '#engine/identity';
import { notFound, Problem, type CallerType } from '#edge';

/** The caller's row; the guard has let nobody past who has none. */
export function rowOf(operation: Operation, caller: CallerType): Grant {
  const row = grant(operation, caller.role);
  if (!row) throw Problem.of('not-permitted', 'Your role has no part in this.');
  return row;
}

const reaches = new WeakMap<CallerType, Reach>();

/**
 * How far the caller reaches. The address in a token counts as the caller's own: whoever signs tokens
 * vouches for it (an issuer must give verified addresses only).
 */
export function reachOf(caller: CallerType, identities: Identities): Reach {
  let reach = reaches.get(caller);
  if (!reach) {
    const { actor, email, customer, vendor } = caller;
    reach = {
      persons: email === undefined ? [actor.id] : [actor.id, identities.personByAddress(email)],
      customer: customer === undefined ? null : identities.termId('customer', customer),
      vendor: vendor === undefined ? null : identities.termId('vendor', vendor),
      groups: [],
    };
    reaches.set(caller, reach);
  }
  return reach;
}

/** @throws Problem `not-found` where it is not there or out of scope: the same to the byte (ruling 53) */
export function demandInScope<T extends Owned>(row: Grant, reach: Reach, thing: T | null): T {
  if (thing === null || !inScope(row.scope, reach, thing)) throw notFound();
  return thing;
}

/** @throws Problem `not-permitted` naming the first field that is not this role's to give */
export function demandOwnToGive(caller: CallerType, request: object): void {
  const field = notItsToGive(caller.role, request);
  if (field !== null)
    throw Problem.of('not-permitted', `${field} is not for your role to give.`, {
      errors: [{ field, problem: 'is not for your role to give' }],
    });
}
