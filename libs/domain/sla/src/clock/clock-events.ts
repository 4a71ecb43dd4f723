import { event, f, type Clear, type EventOf } from '#kernel';

/** The promises about a ticket, in the order of domain.md C.1, in which facts of one second stand. */
export const CLOCKS = [
  'first-response',
  'next-response',
  'resolution',
  'periodic-update',
  'hand-over-acceptance',
] as const;
export type ClockName = (typeof CLOCKS)[number];

/** What every policy promises; the others are promised where a policy states a target for them. */
export const ALWAYS_PROMISED = ['first-response', 'resolution'] as const satisfies readonly ClockName[];
export type AlwaysPromised = (typeof ALWAYS_PROMISED)[number];

/** Of each clock that every policy promises, and of the others where it promises them. */
export type OfPromised<V> = Readonly<Record<AlwaysPromised, V> & Partial<Record<ClockName, V>>>;

export const CLOCK_STATES = [
  'running',
  'paused',
  /** Stopped at or before the due instant. */
  'met',
  /** Stopped after it; the breach is a fact of its own. */
  'missed',
  /** Ended without an answer being owed (ruling 9); outside the denominator. */
  'not-applicable',
  /** The source carries no evidence of it (ruling 9); outside the denominator. */
  'not-evidenced',
  /** Another ticket's clock goes on in its place. */
  'merged',
] as const;
export type ClockStateName = (typeof CLOCK_STATES)[number];

/** What work waits for; which of them pause which clock is the policy's to say. */
export const HOLD_REASONS = ['requester', 'vendor', 'other-team', 'problem', 'evidence'] as const;
export type HoldReason = (typeof HOLD_REASONS)[number];

const fractionFields = {
  numerator: f.integer('share', 'parts of the target that are used up'),
  denominator: f.integer('share', 'of so many parts'),
} as const;

const clockFields = {
  clock: f.code('which promise', CLOCKS),
  cycle: f.integer('count', '1 at first; a restart, and whatever is owed anew, opens the next'),
  change: f.code('what the fact did to it', [
    'started',
    'paused',
    'resumed',
    'stopped',
    'ended',
    'reopened',
    'restarted',
    'retargeted',
    'adopted',
    'corrected',
  ]),
  state: f.code('state after it', CLOCK_STATES),
  startedAt: f.instant('when this cycle started'),
  target: f.integer('business-seconds', 'what was promised'),
  consumed: f.integer('business-seconds', 'used up to `asOf`'),
  asOf: f.instant('up to when `consumed` is counted'),
  due: f.nullable(
    f.instant('earliest instant at which consumed reaches target; null while it has none (domain.md C.3)'),
  ),
  reasons: f.list('active pause reasons', f.code('a reason', HOLD_REASONS)),
  breachedAt: f.nullable(f.instant('the due instant that passed unanswered, sticky; else null')),
  warnings: f.optional(
    f.list(
      'its warnings, those that have fired among them; absent where it has none',
      f.record('a warning', {
        ...fractionFields,
        at: f.nullable(f.instant('when it fires or fired; null while the clock stands still and it has not')),
      }),
    ),
  ),
  policy: f.name('policy and version, `default@1`'),
  calendar: f.name('calendar and version, `default@1`'),
  zone: f.name('IANA zone of the calendar'),
  tzdb: f.name('version of the zone rules (ruling 7)'),
} as const;

/** A clock after a fact: all of it, so that a fold needs no judgement and an auditor no second look. */
export const clockRecord = f.record('a clock after this fact', clockFields);
export type ClockRecord = Clear<typeof clockFields>;

/**
 * What a fact did to the promises; empty where it did nothing. Where it moved several cycles of one clock, each
 * of them stands here, the present one last.
 */
export const clocks = f.list(
  'what this did to the promises; of one clock the present cycle stands last',
  clockRecord,
);

/** Facts that time itself causes; they stand in the stream of the ticket or complaint (ruling 4). */
export const clockEvents = {
  'sla.clock-breached.v1': event(
    ['ticket', 'complaint'],
    'time: the timekeeper, or a later command (ruling 5)',
    'A due instant passed unanswered; occurredAt is the due instant. Sticky.',
    {
      clock: f.code('which promise', CLOCKS),
      cycle: f.integer('count', 'of the clock'),
      due: f.instant('the instant that passed'),
      target: f.integer('business-seconds', 'what was promised'),
      policy: f.name('policy and version'),
    },
  ),
  'sla.clock-warned.v1': event(
    ['ticket', 'complaint'],
    'time: the timekeeper, or a later command (ruling 5)',
    'A share of the target is used up at which the policy warns; occurredAt is that instant. Sticky.',
    {
      clock: f.code('which promise', CLOCKS),
      cycle: f.integer('count', 'of the clock'),
      ...fractionFields,
      at: f.instant('when the share was used up'),
      due: f.nullable(f.instant('when the clock was due, as it stood; null while it had no due instant')),
      target: f.integer('business-seconds', 'what was promised'),
      policy: f.name('policy and version'),
    },
  ),
  'sla.warning-annulled.v1': event(
    ['ticket', 'complaint'],
    'a back-dated command (ruling 3)',
    'A recorded warning became untrue by a fact that occurred earlier; the warning stays recorded.',
    {
      clock: f.code('which promise', CLOCKS),
      cycle: f.integer('count', 'of the clock'),
      ...fractionFields,
      at: f.instant('of the warning'),
      cause: f.name('stored name of the fact that annulled it'),
    },
  ),
  'sla.breach-annulled.v1': event(
    ['ticket', 'complaint'],
    'a back-dated command (ruling 3)',
    'A recorded breach became untrue by a fact that occurred earlier; the breach stays recorded.',
    {
      clock: f.code('which promise', CLOCKS),
      cycle: f.integer('count', 'of the clock'),
      due: f.instant('the due instant of the breach'),
      cause: f.name('stored name of the fact that annulled it'),
    },
  ),
} as const;

export type ClockEvent = EventOf<typeof clockEvents>;
