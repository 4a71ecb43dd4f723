import {
  decideInTurn,
  type Actor,
  type Catalogue,
  type Decider,
  type Event,
  type Fact,
  type Instant,
  type Refusal,
} from '#kernel';

/** What came of the last command, after all before it were accepted. */
export type Came<S, F extends Event, R extends Refusal> =
  { readonly facts: readonly Fact<F>[]; readonly state: S } | { readonly refused: R };

/**
 * Runs commands through a decider as the store would, one after the other: `given` builds the past (each must
 * be accepted), `when` tells what the next one brings, what has fallen due before it included.
 */
export function scenario<
  S,
  C extends { readonly occurredAt: Instant; readonly by: Actor },
  F extends Event,
  E extends Event,
  R extends Refusal,
>(decider: Decider<S, C, F, E, R>, catalogue: Catalogue) {
  const decided = (state: S, command: C) =>
    decideInTurn<S, C, F, E, R>(decider, catalogue, state, [command], command.occurredAt, command.by);

  const given = (...commands: readonly C[]) => {
    let state = decider.initial;
    const past: Fact<F>[] = [];
    for (const command of commands) {
      const came = decided(state, command);
      if ('refused' in came)
        throw new Error(`a command of the past was refused: ${JSON.stringify([came.refused, command])}`);
      state = came.state;
      past.push(...came.facts);
    }
    return {
      state,
      past,
      when: (command: C): Came<S, F, R> => {
        const came = decided(state, command);
        return 'refused' in came ? { refused: came.refused } : { facts: came.facts, state: came.state };
      },
      /** What time alone brings by then. */
      by: (now: Instant): readonly Fact<F>[] => decider.due(state, now),
    };
  };
  return { given };
}

/** The only fact of that type, or an error that shows what there was. */
export function factOf<F extends Event, T extends F['type']>(
  came: Came<unknown, F, Refusal>,
  type: T,
): Fact<Extract<F, { readonly type: T }>> {
  if ('refused' in came) throw new Error(`refused: ${came.refused.code}: ${came.refused.detail}`);
  const found = came.facts.filter((fact) => fact.type === type);
  if (found.length !== 1) throw new Error(`${found.length} facts ${type} in ${JSON.stringify(came.facts)}`);
  return found[0] as Fact<Extract<F, { readonly type: T }>>;
}
export { eventually, type Patience } from './eventually.js';
