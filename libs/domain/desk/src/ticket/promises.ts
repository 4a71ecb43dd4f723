import {
  CLOCKS,
  foldClock,
  fromRecord,
  toRecord,
  type Clock,
  type ClockFact,
  type ClockName,
  type ClockRecord,
  type HoldReason,
  type Policies,
  type Priority,
} from '#domain/sla';
import { later, never, type Instant, type Uuid } from '#kernel';

/**
 * What happened to a ticket that its promises follow from. The clocks are always folded from all of it, in
 * the order of (at, recording), so that a fact behind the fold re-folds them (domain.md C.3, Order).
 */
export type Happening = { readonly at: Instant } & (
  | {
      readonly kind: 'opened';
      readonly policy: string;
      readonly priority: Priority;
      readonly evidenced: boolean;
    }
  /** A public answer by a person of the desk. */
  | { readonly kind: 'answered' }
  | { readonly kind: 'held' | 'resumed'; readonly reason: HoldReason }
  | { readonly kind: 'handed-to-vendor'; readonly vendor: Uuid }
  | { readonly kind: 'taken-back' }
  | { readonly kind: 'prioritised'; readonly policy: string; readonly priority: Priority }
  | { readonly kind: 'resolved' }
  | { readonly kind: 'reopened'; readonly mode: 'resume' | 'restart' }
  /** It ended in another ticket. */
  | { readonly kind: 'joined' }
  /** The other ticket's clock was due earlier and goes on here. */
  | { readonly kind: 'adopted'; readonly clock: ClockName; readonly record: ClockRecord }
);

/** A breach as recorded or recomputed. */
export interface Breach {
  readonly clock: ClockName;
  readonly cycle: number;
  readonly due: Instant;
  readonly target: number;
  readonly policy: string;
}

/** One clock folded, and the breaches of all its cycles up to `until`. */
export interface Promised {
  readonly record: ClockRecord;
  readonly breaches: readonly Breach[];
}

/** Puts a happening where it belongs in time; those of one second stay in the order of recording. */
export function inOrder(history: readonly Happening[], happening: Happening): readonly Happening[] {
  let place = history.length;
  while (place > 0 && history[place - 1]!.at > happening.at) place--;
  if (place === history.length) return [...history, happening];
  return [...history.slice(0, place), happening, ...history.slice(place)];
}

/**
 * Folds one clock of a ticket. `until` brings breaches up to that instant; the record stands as of the
 * clock's own last fact, so that what does not concern it does not change it.
 */
export function promise(
  name: ClockName,
  history: readonly Happening[],
  policies: Policies,
  until: Instant,
  change: ClockRecord['change'],
): Promised {
  const { facts, policy } = clockFacts(name, history, policies);
  const clock = foldClock(facts);
  return {
    record: toRecord(name, clock, change, { ref: policy }),
    breaches: breachesOf(name, facts, policy, until),
  };
}

/** Both promises of a ticket. */
export function promises(
  history: readonly Happening[],
  policies: Policies,
  until: Instant,
  change: ClockRecord['change'],
): readonly Promised[] {
  return CLOCKS.map((name) => promise(name, history, policies, until, change));
}

/** What the happenings mean to one clock (domain.md C.1, C.3; ruling 9). */
export function clockFacts(
  name: ClockName,
  history: readonly Happening[],
  policies: Policies,
): {
  readonly facts: readonly ClockFact[];
  /** For each fact the happening behind it. */
  readonly behind: readonly Happening[];
  /** Reference of the policy that it is under in the end. */
  readonly policy: string;
} {
  const facts: ClockFact[] = [];
  const behind: Happening[] = [];
  let policy = '';
  /** Why work waits now, by who says so: a hold, or the vendor's having it. */
  let waits = new Set<`hold:${HoldReason}` | 'leg:vendor'>();
  const waitsFor = (reason: HoldReason): boolean =>
    waits.has(`hold:${reason}`) || (reason === 'vendor' && waits.has('leg:vendor'));
  const counts = (reason: HoldReason): boolean => policies.version(policy).pausedBy[name].includes(reason);

  /** Adds or takes a reason to wait, and tells the clock where that changed something it counts. */
  const wait = (at: Instant, reason: HoldReason, change: () => void): void => {
    const before = waitsFor(reason);
    change();
    const after = waitsFor(reason);
    if (before !== after && counts(reason)) facts.push({ type: after ? 'pause' : 'resume', at, reason });
  };

  for (const happening of history) {
    const { at } = happening;
    switch (happening.kind) {
      case 'opened': {
        policy = happening.policy;
        const { targets, calendar } = policies.version(policy);
        facts.push({ type: 'start', at, target: targets[happening.priority][name], calendar });
        if (name === 'first-response' && !happening.evidenced)
          facts.push({ type: 'end', at, as: 'not-evidenced' });
        break;
      }
      case 'answered':
        if (name === 'first-response' && live(facts)) facts.push({ type: 'stop', at });
        break;
      case 'held':
        wait(at, happening.reason, () => waits.add(`hold:${happening.reason}`));
        break;
      case 'resumed':
        wait(at, happening.reason, () => waits.delete(`hold:${happening.reason}`));
        break;
      case 'handed-to-vendor':
        wait(at, 'vendor', () => waits.add('leg:vendor'));
        break;
      case 'taken-back':
        wait(at, 'vendor', () => waits.delete('leg:vendor'));
        break;
      case 'prioritised': {
        if (!live(facts)) break;
        const active = [...waits].map((wait) => wait.slice(wait.indexOf(':') + 1) as HoldReason);
        const counted = new Set(active.filter(counts));
        policy = happening.policy;
        const { targets, calendar } = policies.version(policy);
        facts.push({
          type: 'retarget',
          at,
          target: targets[happening.priority][name],
          calendar,
          mode: 'keep',
        });
        // Active reasons are judged by the new policy from here on.
        for (const reason of new Set(active))
          if (counted.has(reason) !== counts(reason))
            facts.push({ type: counts(reason) ? 'pause' : 'resume', at, reason });
        break;
      }
      case 'resolved':
        waits = new Set();
        if (!live(facts)) break;
        // Without an answer no first response is owed any more, unless it was already overdue (ruling 9).
        if (name === 'resolution' || foldClock(facts, at).breachedAt !== null)
          facts.push({ type: 'stop', at });
        else facts.push({ type: 'end', at, as: 'not-applicable' });
        break;
      case 'reopened':
        if (name === 'resolution') facts.push({ type: 'reopen', at, mode: happening.mode });
        else if (foldClock(facts).state === 'not-applicable')
          facts.push({ type: 'reopen', at, mode: 'resume' });
        break;
      case 'joined':
        if (live(facts)) facts.push({ type: 'end', at, as: 'merged' });
        break;
      case 'adopted':
        if (happening.clock === name) {
          policy = happening.record.policy;
          facts.push({
            type: 'adopt',
            at,
            clock: fromRecord(happening.record, policies.version(policy).calendar),
          });
        }
        break;
      default:
        return never(happening);
    }
    while (behind.length < facts.length) behind.push(happening);
  }
  return { facts, behind, policy };
}

/** What has ended is touched by nothing but a reopen: its record stays as it was. */
function live(facts: readonly ClockFact[]): boolean {
  const { state } = foldClock(facts);
  return state === 'running' || state === 'paused';
}

/** The breach of each cycle: a restart clears the clock's, and history keeps it. */
function breachesOf(
  name: ClockName,
  facts: readonly ClockFact[],
  policy: string,
  until: Instant,
): readonly Breach[] {
  const breaches: Breach[] = [];
  const collect = (clock: Clock): void => {
    if (clock.breachedAt !== null)
      breaches.push({ clock: name, cycle: clock.cycle, due: clock.breachedAt, target: clock.target, policy });
  };
  facts.forEach((fact, i) => {
    if (fact.type === 'reopen' && fact.mode === 'restart') collect(foldClock(facts.slice(0, i), fact.at));
  });
  const last = facts.at(-1);
  if (last) collect(foldClock(facts, later(last.at, until)));
  return breaches;
}
