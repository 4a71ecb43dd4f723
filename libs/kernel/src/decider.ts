import type { Actor, Event, Fact, Occurred } from './fact.js';
import type { Instant } from './time.js';

/** Why a command was refused; the codes of an aggregate are a closed union, HTTP is the edge's business. */
export interface Refusal<Code extends string = string> {
  readonly code: Code;
  readonly detail: string;
}

export type Decision<F extends Event, R extends Refusal> =
  { readonly accepted: readonly Fact<F>[] } | { readonly refused: R };

export const accept = <F extends Event>(
  ...facts: readonly Fact<F>[]
): { readonly accepted: readonly Fact<F>[] } => ({
  accepted: facts,
});

export const refuse = <Code extends string>(
  code: Code,
  detail: string,
): { readonly refused: Refusal<Code> } => ({
  refused: { code, detail },
});

/** What every command carries: when, and by whom (absent: by whoever asks for the append). */
export interface Command {
  readonly occurredAt: Instant;
  readonly by?: Actor;
}

/**
 * An aggregate as three pure functions. F is what it decides (texts in full), E what it folds (texts sealed).
 *
 * - `evolve` gathers and never judges; its switch ends in `never`.
 * - `due` answers time: the facts that have fallen due by `now` (a stop within the due second is met, so a
 *   breach is a fact from due + 1 s on; ruling 2). They come first in the append of any command (ruling 5).
 * - `decide` is a function of its arguments: time, ids and identity arrive in the command.
 */
export interface Decider<S, C extends Command, F extends Event, E extends Event, R extends Refusal> {
  readonly initial: S;
  readonly evolve: (state: S, event: Occurred<E>) => S;
  readonly due: (state: S, now: Instant) => readonly Fact<F>[];
  readonly decide: (command: C, state: S) => Decision<F, R>;
}
