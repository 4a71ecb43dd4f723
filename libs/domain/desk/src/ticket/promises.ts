import {
  begun,
  ceased,
  CLOCKS,
  foldClock,
  fromRecord,
  isCyclic,
  toRecord,
  turned,
  type AlwaysPromised,
  type Clock,
  type ClockFact,
  type ClockName,
  type ClockRecord,
  type Cyclic,
  type EndedAs,
  type FoldingClock,
  type HoldReason,
  type Policies,
  type Priority,
  type ServiceLevelPolicy,
  type Terms,
  type Turn,
} from '#domain/sla';
import { later, never, toInstant, type Instant, type Uuid } from '#kernel';

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
  /** A message from the requester’s side that is no automatic answer. */
  | { readonly kind: 'received' }
  /** A public answer by a person of the desk. */
  | { readonly kind: 'answered' }
  | { readonly kind: 'held' | 'resumed'; readonly reason: HoldReason }
  | { readonly kind: 'handed-to-vendor'; readonly vendor: Uuid }
  | { readonly kind: 'taken-back' }
  | { readonly kind: 'prioritised'; readonly policy: string; readonly priority: Priority }
  /** Another version of its policy came into force, the priority being what it was. */
  | { readonly kind: 'retargeted'; readonly policy: string }
  | { readonly kind: 'handover-offered' | 'handover-answered' | 'handover-withdrawn' }
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

/** A warning as recorded or recomputed; one that was fired in another ticket goes on as fired here. */
export interface Warned extends Pick<Breach, 'clock' | 'cycle' | 'target' | 'policy'> {
  readonly numerator: number;
  readonly denominator: number;
  readonly at: Instant;
  /** Null while it has no due instant. */
  readonly due: Instant | null;
}

/** One clock folded, and the breaches and warnings of all its cycles up to `until`. */
export interface Promised {
  readonly clock: ClockName;
  /** Each cycle as it stands in the end, the present one last. */
  readonly records: readonly ClockRecord[];
  readonly breaches: readonly Breach[];
  readonly warnings: readonly Warned[];
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
 * clock's own last fact, so that what does not concern it does not change it. Null where it was not promised,
 * or nothing has been owed yet.
 */
export function promise(
  name: ClockName,
  history: readonly Happening[],
  policies: Policies,
  until: Instant,
  change: ClockRecord['change'],
): Promised | null {
  const { facts, under } = clockFacts(name, history, policies);
  if (facts.length === 0) return null;
  const records: ClockRecord[] = [];
  let taken = 0;
  const record = (clock: Clock): void => {
    records.push(toRecord(name, clock, change, { ref: under[taken - 1]! }));
  };
  record(foldClock(facts, undefined, { passes: () => {}, took: () => taken++, closes: record }));
  return { clock: name, records, ...fallen(name, facts, under, until) };
}

/** The promises of a ticket, in the order of CLOCKS. */
export function promises(
  history: readonly Happening[],
  policies: Policies,
  until: Instant,
  change: ClockRecord['change'],
  names: readonly ClockName[] = CLOCKS,
): readonly Promised[] {
  return names.flatMap((name) => promise(name, history, policies, until, change) ?? []);
}

/** What the happenings mean to one clock; nothing where it was not promised, or nothing has been owed yet. */
export interface ClockFacts {
  readonly facts: readonly ClockFact[];
  /** For each fact the happening behind it. */
  readonly behind: readonly Happening[];
  /** For each fact the policy, by reference, that the clock is under after it. */
  readonly under: readonly string[];
}

/** What the happenings mean to one clock (domain.md C.1, C.3; ruling 9). */
export function clockFacts(name: ClockName, history: readonly Happening[], policies: Policies): ClockFacts {
  return isCyclic(name) ? cycleFacts(name, history, policies) : lastingFacts(name, history, policies);
}

type Standing = 'unstarted' | 'live' | 'stopped' | EndedAs;

/** A clock that runs from the opening until what was promised is done. */
function lastingFacts(name: AlwaysPromised, history: readonly Happening[], policies: Policies): ClockFacts {
  const facts: ClockFact[] = [];
  const behind: Happening[] = [];
  const under: string[] = [];
  const waits = new Waits();
  let policy = '';
  let priority: Priority = 3;
  let stands: Standing = 'unstarted';
  const counts = (reason: HoldReason): boolean => policies.version(policy).pausedBy[name].includes(reason);

  for (const happening of history) {
    const { at } = happening;
    switch (happening.kind) {
      case 'opened':
        ({ policy, priority } = happening);
        facts.push({ type: 'start', at, ...termsOf(policies.version(policy), priority, name)! });
        stands = 'live';
        if (name === 'first-response' && !happening.evidenced) {
          facts.push({ type: 'end', at, as: 'not-evidenced' });
          stands = 'not-evidenced';
        }
        break;
      case 'answered':
        if (name !== 'first-response' || stands !== 'live') break;
        facts.push({ type: 'stop', at });
        stands = 'stopped';
        break;
      case 'held':
      case 'resumed':
      case 'handed-to-vendor':
      case 'taken-back':
        facts.push(...waits.change(happening).filter(({ reason }) => counts(reason)));
        break;
      case 'prioritised':
      case 'retargeted': {
        if (happening.kind === 'prioritised') ({ priority } = happening);
        if (stands !== 'live') break;
        const counted = waits.active().filter(counts);
        ({ policy } = happening);
        const terms = termsOf(policies.version(policy), priority, name)!;
        facts.push({ type: 'retarget', at, ...terms, mode: 'keep' });
        facts.push(...waits.judgedAgain(counted, counts, at));
        break;
      }
      case 'resolved': {
        waits.end();
        if (stands !== 'live') break;
        // Without an answer no first response is owed any more, unless it was already overdue (ruling 9).
        const end: ClockFact = name === 'resolution' ? { type: 'stop', at } : ceased(facts, at);
        facts.push(end);
        stands = end.type === 'stop' ? 'stopped' : 'not-applicable';
        break;
      }
      case 'reopened':
        if (name === 'resolution') facts.push({ type: 'reopen', at, mode: happening.mode });
        else if (stands === 'not-applicable') facts.push({ type: 'reopen', at, mode: 'resume' });
        else break;
        stands = 'live';
        break;
      case 'joined':
        if (stands !== 'live') break;
        facts.push({ type: 'end', at, as: 'merged' });
        stands = 'merged';
        break;
      case 'adopted':
        if (happening.clock !== name) break;
        policy = happening.record.policy;
        facts.push(adoption(happening.record, policies, at));
        stands = 'live';
        break;
      case 'received':
      case 'handover-offered':
      case 'handover-answered':
      case 'handover-withdrawn':
        break;
      default:
        return never(happening);
    }
    while (behind.length < facts.length) {
      behind.push(happening);
      under.push(policy);
    }
  }
  return { facts, behind, under };
}

const TURNS: Readonly<Record<Cyclic, Readonly<Partial<Record<Happening['kind'], Turn>>>>> = {
  'next-response': { received: 'asked', answered: 'answered' },
  'periodic-update': { opened: 'asked', answered: 'answered' },
  'hand-over-acceptance': { 'handover-offered': 'asked', 'handover-answered': 'answered' },
};

const NOTHING: ClockFacts = { facts: [], behind: [], under: [] };

/** A clock that begins anew whenever something is owed (domain.md C.1). */
function cycleFacts(name: Cyclic, history: readonly Happening[], policies: Policies): ClockFacts {
  if (!history.some((happening) => everPromises(happening, name, policies))) return NOTHING;
  const answered = firstResponseEnded(history, policies);
  const facts: ClockFact[] = [];
  const behind: Happening[] = [];
  const under: string[] = [];
  const waits = new Waits();
  let stands: Standing = 'unstarted';
  /** The policy that the clock is under, and what the ticket is under, whether the clock runs or not. */
  let policy = '';
  let terms: Terms | null = null;
  let present = '';
  let priority: Priority = 3;
  let atWork = true;
  /** False where the history cannot tell whether what is owed was done. */
  let evidenced = true;
  let owed = false;
  /** What was owed when it ended as not applicable is owed still. */
  let revivable = false;
  const counts = (reason: HoldReason): boolean => policies.version(policy).pausedBy[name].includes(reason);

  const begin = (at: Instant): void => {
    if (terms === null) return;
    facts.push(begun(at, terms, stands === 'unstarted'));
    goOn(at);
  };
  const revive = (at: Instant): void => {
    if (terms === null) return;
    facts.push({ type: 'reopen', at, mode: 'resume' });
    if (policy !== present) facts.push({ type: 'retarget', at, ...terms, mode: 'keep' });
    goOn(at);
  };
  const goOn = (at: Instant): void => {
    policy = present;
    stands = 'live';
    revivable = false;
    facts.push(...waits.judgedAgain([], counts, at));
  };
  const cease = (at: Instant): void => {
    const end = ceased(facts, at);
    facts.push(end);
    stands = end.type === 'stop' ? 'stopped' : 'not-applicable';
    revivable = end.type === 'end';
  };
  const take = (turn: Turn, at: Instant): void => {
    // What was offered when the ticket was resolved already, by what is known now, nobody has to answer.
    if (!atWork && name === 'hand-over-acceptance') return;
    // The next update is owed as soon as one is given.
    owed = turn === 'asked' || name === 'periodic-update';
    if (turn === 'answered') revivable = false;
    if (!atWork) return;
    for (const step of turned(name, turn, stands === 'live')) {
      if (step === 'begin') begin(at);
      else {
        facts.push({ type: 'stop', at });
        stands = 'stopped';
      }
    }
  };

  for (const happening of history) {
    const { at, kind } = happening;
    // Cycles begin only with messages after first response has ended (ruling 9).
    const mayBeOwed = name !== 'next-response' || answered.has(happening);
    switch (kind) {
      case 'opened':
        ({ policy: present, priority } = happening);
        terms = termsOf(policies.version(present), priority, name);
        evidenced = name !== 'periodic-update' || happening.evidenced;
        if (evidenced || terms === null) break;
        begin(at);
        facts.push({ type: 'end', at, as: 'not-evidenced' });
        stands = 'not-evidenced';
        break;
      case 'received':
      case 'answered':
      case 'handover-offered':
      case 'handover-answered':
        break;
      case 'handover-withdrawn':
        if (name !== 'hand-over-acceptance') break;
        if (stands === 'live') cease(at);
        owed = false;
        revivable = false;
        break;
      case 'held':
      case 'resumed':
      case 'handed-to-vendor':
      case 'taken-back': {
        const changes = waits.change(happening);
        if (stands === 'live') facts.push(...changes.filter(({ reason }) => counts(reason)));
        break;
      }
      case 'prioritised':
      case 'retargeted':
        if (happening.kind === 'prioritised') ({ priority } = happening);
        present = happening.policy;
        terms = termsOf(policies.version(present), priority, name);
        if (stands === 'live') {
          if (terms === null) {
            cease(at);
            break;
          }
          const counted = waits.active().filter(counts);
          policy = present;
          facts.push({ type: 'retarget', at, ...terms, mode: 'keep' });
          facts.push(...waits.judgedAgain(counted, counts, at));
        } else if (atWork && owed && mayBeOwed) {
          if (revivable) revive(at);
          else begin(at);
        }
        break;
      case 'resolved':
        waits.end();
        atWork = false;
        if (stands === 'live') cease(at);
        break;
      case 'reopened':
        atWork = true;
        owed &&= mayBeOwed;
        if (owed && stands !== 'live') {
          if (revivable) revive(at);
          else begin(at);
        }
        break;
      case 'joined':
        atWork = false;
        if (stands !== 'live') break;
        facts.push({ type: 'end', at, as: 'merged' });
        stands = 'merged';
        break;
      case 'adopted': {
        if (happening.clock !== name) break;
        const { record } = happening;
        const goesOn = stands === 'live';
        const adopted = adoption(record, policies, at);
        if (!goesOn) {
          const { target, calendar } = adopted.clock;
          facts.push(begun(at, { target, calendar, warn: [] }, stands === 'unstarted'));
        }
        policy = record.policy;
        facts.push(adopted);
        if (!goesOn) facts.push(...waits.judgedAgain([], counts, at));
        stands = 'live';
        owed = true;
        revivable = false;
        break;
      }
      default:
        return never(happening);
    }
    const turn = TURNS[name][kind];
    if (turn !== undefined && evidenced && (turn === 'answered' || mayBeOwed)) take(turn, at);
    while (behind.length < facts.length) {
      behind.push(happening);
      under.push(policy);
    }
  }
  return { facts, behind, under };
}

/** Whether the happening brings terms of this clock with it. */
function everPromises(happening: Happening, name: Cyclic, policies: Policies): boolean {
  if (happening.kind === 'adopted') return happening.clock === name;
  // What a policy promises it promises for every priority.
  if (happening.kind === 'retargeted') return termsOf(policies.version(happening.policy), 3, name) !== null;
  if (happening.kind !== 'opened' && happening.kind !== 'prioritised') return false;
  return termsOf(policies.version(happening.policy), happening.priority, name) !== null;
}

/** The happenings after which no first response is owed. */
function firstResponseEnded(history: readonly Happening[], policies: Policies): ReadonlySet<Happening> {
  const { facts, behind } = lastingFacts('first-response', history, policies);
  const ended = new Set<Happening>();
  let next = 0;
  let over = false;
  for (const happening of history) {
    for (; behind[next] === happening; next++) {
      const { type } = facts[next]!;
      if (type === 'stop' || type === 'end') over = true;
      if (type === 'start' || type === 'reopen' || type === 'adopt') over = false;
    }
    if (over) ended.add(happening);
  }
  return ended;
}

/** What a policy promises of a clock; null where it promises nothing. */
function termsOf(policy: ServiceLevelPolicy, priority: Priority, name: ClockName): Terms | null {
  const target = policy.targets[priority][name];
  return target === undefined ? null : { target, calendar: policy.calendar, warn: policy.warnAt[name] };
}

function adoption(record: ClockRecord, policies: Policies, at: Instant): ClockFact & { type: 'adopt' } {
  return { type: 'adopt', at, clock: fromRecord(record, policies.version(record.policy).calendar) };
}

type WaitFact = Extract<ClockFact, { readonly type: 'pause' | 'resume' }>;

/** Why work waits now, by who says so: a hold, or the vendor’s having it. */
class Waits {
  private readonly by = new Set<`hold:${HoldReason}` | 'leg:vendor'>();

  /** What a happening changes: nothing where the reason was there, or still is, on another’s word. */
  change(
    happening: Extract<Happening, { kind: 'held' | 'resumed' | 'handed-to-vendor' | 'taken-back' }>,
  ): readonly WaitFact[] {
    const { at, kind } = happening;
    const reason = kind === 'held' || kind === 'resumed' ? happening.reason : 'vendor';
    const word = kind === 'held' || kind === 'resumed' ? (`hold:${reason}` as const) : 'leg:vendor';
    const before = this.isFor(reason);
    if (kind === 'held' || kind === 'handed-to-vendor') this.by.add(word);
    else this.by.delete(word);
    const after = this.isFor(reason);
    return before === after ? [] : [{ type: after ? 'pause' : 'resume', at, reason }];
  }

  active(): readonly HoldReason[] {
    const reasons = [...this.by].map((word) => word.slice(word.indexOf(':') + 1) as HoldReason);
    return [...new Set(reasons)];
  }

  /** Active reasons that counted are judged by what counts from here on. */
  judgedAgain(
    counted: readonly HoldReason[],
    counts: (reason: HoldReason) => boolean,
    at: Instant,
  ): readonly WaitFact[] {
    return this.active()
      .filter((reason) => counted.includes(reason) !== counts(reason))
      .map((reason) => ({ type: counts(reason) ? 'pause' : 'resume', at, reason }));
  }

  end(): void {
    this.by.clear();
  }

  private isFor(reason: HoldReason): boolean {
    return this.by.has(`hold:${reason}`) || (reason === 'vendor' && this.by.has('leg:vendor'));
  }
}

/**
 * What has fallen due by `until`, in all cycles: a restart clears the clock’s breach, and history keeps it. A
 * breach falls after its instant, a warning at it (ruling 2). The breach that an adopted clock brings along is
 * recorded in the ticket that it comes from, and never here.
 */
function fallen(
  name: ClockName,
  facts: readonly ClockFact[],
  under: readonly string[],
  until: Instant,
): Pick<Promised, 'breaches' | 'warnings'> {
  const breaches = new Map<number, Breach>();
  const warnings: Warned[] = [];
  const inherited = new Map<number, number | null>();
  let taken = 0;
  const warned = (clock: FoldingClock, of: FoldingClock['warnings'][number]): void => {
    const [numerator, denominator] = of.fraction;
    warnings.push({
      clock: name,
      cycle: clock.cycle,
      numerator,
      denominator,
      at: toInstant(of.at!),
      due: clock.due === null ? null : toInstant(clock.due),
      target: clock.target,
      policy: under[taken - 1]!,
    });
  };
  foldClock(facts, later(facts.at(-1)!.at, until), {
    passes: (clock, to) => {
      const { state, cycle, target, due, breachedAt } = clock;
      const passed = breachedAt ?? (state === 'running' && due !== null && due < to ? due : null);
      const policy = under[taken - 1]!;
      if (passed === null || passed === inherited.get(cycle)) breaches.delete(cycle);
      else breaches.set(cycle, { clock: name, cycle, due: toInstant(passed), target, policy });
      if (state === 'running')
        for (const warning of clock.warnings)
          if (!warning.fired && warning.at !== null && warning.at <= to) warned(clock, warning);
    },
    took: (fact, _, clock) => {
      taken++;
      if (fact.type !== 'adopt' || clock === null) return;
      inherited.set(clock.cycle, fact.clock.breachedAt === null ? null : clock.breachedAt);
      for (const warning of clock.warnings) if (warning.fired) warned(clock, warning);
    },
  });
  return { breaches: [...breaches.values()], warnings };
}
