export * from './arbitrary.js';
export * from './every-promise.js';
export * from './histories.js';
export * from './slow.js';
import { activation, builtIn, BUILT_INS, policies, type Policies } from '#domain/sla';
import type { Instant } from '#kernel';

/** The built-in policies of ruling 46 in one zone, each as its first version. */
export function builtInPolicies(zone: string): Policies {
  const effective = '1970-01-01T00:00:00Z' as Instant;
  return policies(
    BUILT_INS.map((name) => activation(builtIn(zone), { name, version: 1, source: 'built-in', effective })),
  );
}
