import { separate, sealedFields, type Catalogue } from './catalogue.js';
import type { Command, Decider, Refusal } from './decider.js';
import type { Actor, Event, Fact, Occurred } from './fact.js';
import { HOUSE } from './ids.js';
import { earlier, type Instant } from './time.js';

/**
 * What evolve sees of a fact that was decided but is not recorded yet: the same clear data that `decode`
 * will give. For folding within one decision (due facts first, an imported case of many commands).
 */
export function occur<F extends Event, E extends Event>(
  catalogue: Catalogue,
  fact: Fact<F>,
  around: { readonly occurredAt: Instant; readonly actor: Actor },
): Occurred<E> {
  const definition = catalogue[fact.type];
  if (!definition) throw new Error(`${fact.type} is in no catalogue`);
  return {
    type: fact.type,
    data: separate(fact.data, sealedFields(definition)).clear,
    occurredAt: fact.at ?? around.occurredAt,
    actor: fact.actor ?? around.actor,
  } as unknown as Occurred<E>;
}

export type DecidedInTurn<S, F extends Event, R extends Refusal> =
  /** `by`: for each fact the index of the command before or by which it came to be. */
  | { readonly facts: readonly Fact<F>[]; readonly by: readonly number[]; readonly state: S }
  /** `at`: index of the command that was refused. */
  | { readonly refused: R; readonly at: number };

/**
 * Several commands on one stream decided one after the other, each meeting the state that the ones before
 * it made: for one atomic append of all of them. What has fallen due before a command comes before it, and
 * the command meets the state after that (ruling 5). Without any command: what has fallen due by `now`.
 */
export function decideInTurn<S, C extends Command, F extends Event, E extends Event, R extends Refusal>(
  decider: Decider<S, C, F, E, R>,
  catalogue: Catalogue,
  from: S,
  commands: readonly C[],
  now: Instant,
  actor: Actor,
): DecidedInTurn<S, F, R> {
  const house: Actor = { id: HOUSE, role: 'system' };
  const facts: Fact<F>[] = [];
  const by: number[] = [];
  let state = from;
  const add = (fact: Fact<F>, command: number, occurredAt: Instant): void => {
    facts.push(fact);
    by.push(command);
    state = decider.evolve(state, occur<F, E>(catalogue, fact, { occurredAt, actor }));
  };
  const addDue = (command: number, until: Instant): void => {
    for (const fact of decider.due(state, until)) add({ ...fact, actor: house }, command, until);
  };
  if (commands.length === 0) addDue(0, now);
  for (const [at, command] of commands.entries()) {
    addDue(at, earlier(command.occurredAt, now));
    const decision = decider.decide(command, state);
    if ('refused' in decision) return { refused: decision.refused, at };
    // Facts of one command may carry their own instants, and the commands of one append their own instants
    // and persons (an import).
    for (const fact of decision.accepted)
      add(
        { ...fact, at: fact.at ?? command.occurredAt, actor: fact.actor ?? command.by ?? actor },
        at,
        command.occurredAt,
      );
  }
  return { facts, by, state };
}
