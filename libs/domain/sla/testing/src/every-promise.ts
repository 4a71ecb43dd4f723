import { activation, builtIn, policies, PRIORITIES, type Policies, type PolicyDefinition } from '#domain/sla';
import type { Instant } from '#kernel';

/** The hours of the built-in policy, and every promise there is. */
export function everyPromise(zone: string): PolicyDefinition {
  const plain = builtIn(zone);
  const targets = (priority: (typeof PRIORITIES)[number]) => {
    const { 'first-response': response, resolution } = plain.targets[priority];
    return {
      'first-response': response,
      'next-response': response / 2,
      resolution,
      'periodic-update': resolution / 3,
      'hand-over-acceptance': response / 2,
    };
  };
  return {
    ...plain,
    targets: { 1: targets(1), 2: targets(2), 3: targets(3), 4: targets(4) },
    pausedBy: {
      ...plain.pausedBy,
      'next-response': ['requester', 'vendor'],
      'periodic-update': ['requester'],
    },
    warnAt: {
      'first-response': [[3, 4]],
      'periodic-update': [[3, 4]],
      'hand-over-acceptance': [[1, 2]],
      'next-response': [
        [1, 2],
        [1, 1],
      ],
      resolution: [
        [1, 2],
        [7, 8],
      ],
    },
  };
}

/** A first version of `default` that makes every promise. */
export function everyPromisePolicies(zone: string): Policies {
  const effective = '1970-01-01T00:00:00Z' as Instant;
  return policies([
    activation(everyPromise(zone), { name: 'default', version: 1, source: 'desk', effective }),
  ]);
}
