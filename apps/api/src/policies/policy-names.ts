import { BUILT_INS, type BuiltInName } from '#domain/sla';
import { notFound } from '#edge';

/**
 * Policies are known by name: what tickets are opened under, and what imports are. A name that anybody may
 * give would be a text in the clear (ruling 31).
 *
 * @throws Problem `not-found`
 */
export function knownPolicy(name: string): BuiltInName {
  const known = BUILT_INS.find((each) => each === name);
  if (known === undefined) throw notFound();
  return known;
}
