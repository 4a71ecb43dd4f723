import { event, f, houseEvents, type Clear, type EventOf, type FactOf } from '#kernel';
import { CLOCKS, HOLD_REASONS } from '../clock/clock-events.js';

const from = f.name('local time `HH:MM`, 00:00 to 23:59');
const to = f.name('local time `HH:MM`, to 24:00; at or before `from`: on the next civil day');

/** What becomes of tickets that are open when a version comes into force. */
export const OPEN_TICKETS = ['keep', 'retarget'] as const;
export type OpenTickets = (typeof OPEN_TICKETS)[number];

/** What a version of a policy says: the calendar and the promises. */
const definitionFields = {
  zone: f.name('IANA zone of the hours'),
  always: f.flag('open around the clock; then there are no hours'),
  weekly: f.list(
    'hours of the week, each anchored on the local date on which it starts',
    f.record('hours', {
      days: f.list('weekdays', f.integer('1 Monday to 7 Sunday', 'weekday')),
      from,
      to,
    }),
  ),
  closed: f.list('closed local dates', f.name('`YYYY-MM-DD`')),
  open: f.list(
    'hours that replace those of a date and win over `closed`',
    f.record('exception', { date: f.name('`YYYY-MM-DD`'), from, to }),
  ),
  targets: f.list(
    'what is promised, for every priority and every clock that is promised',
    f.record('target', {
      priority: f.integer('1 critical to 4 low', 'priority'),
      clock: f.code('which promise', CLOCKS),
      target: f.integer('business-seconds', 'how much open time it may take'),
    }),
  ),
  pausedBy: f.list(
    'which reasons pause which clock',
    f.record('pause', {
      clock: f.code('which promise', CLOCKS),
      reasons: f.list('reasons', f.code('a reason', HOLD_REASONS)),
    }),
  ),
  warnings: f.optional(
    f.list(
      'at which shares of its target which clock warns; absent: none does',
      f.record('warning', {
        clock: f.code('which promise', CLOCKS),
        numerator: f.integer('share', 'parts that are used up'),
        denominator: f.integer('share', 'of so many parts'),
      }),
    ),
  ),
  reopenWithinDays: f.integer(
    'business-days',
    'a reopen within so many of the resolve goes on; after them it starts anew',
  ),
} as const;

/** Stream `policy-<name>`: the versions of a service-level policy, each with its calendar. */
export const policyEvents = {
  'sla.policy-proposed.v1': event(
    ['policy'],
    'propose-policy',
    'Somebody would have the policy say this from some version on. Nothing is promised by it until it is activated.',
    {
      proposal: f.id('the proposal'),
      ...definitionFields,
      comment: f.optional(f.text('why, by who proposes it')),
    },
  ),
  'sla.policy-proposal-withdrawn.v1': event(
    ['policy'],
    'withdraw-proposal',
    'A proposal is not to be activated any more.',
    { proposal: f.id('the proposal') },
  ),
  'sla.policy-activated.v1': event(
    ['policy'],
    'activate-policy; the house at its start and imports (built-in policies, ruling 46)',
    'A version of a service-level policy was activated. occurredAt is its activation; `effective`, from when on tickets are promised by it, is another date (ruling 19).',
    {
      name: f.name('policy, `default`'),
      version: f.integer('count', '1 for the first of this name'),
      source: f.code('who made it', ['built-in', 'desk']),
      effective: f.instant('in force from here on, until a later version is'),
      ...definitionFields,
      proposal: f.optional(f.id('what was activated; absent for a built-in policy')),
      approval: f.optional(
        f.code('by how many people, who proposed it and who activated it (ruling 30)', ['two', 'one']),
      ),
      openTickets: f.optional(
        f.code(
          'tickets open when it comes into force keep what they were promised, or are re-targeted; absent: keep',
          OPEN_TICKETS,
        ),
      ),
    },
  ),
  ...houseEvents,
} as const;

export type PolicyFact = FactOf<typeof policyEvents>;
export type PolicyEvent = EventOf<typeof policyEvents>;
export type PolicyActivated = Extract<PolicyEvent, { type: 'sla.policy-activated.v1' }>['data'];
export type PolicyProposed = Extract<PolicyEvent, { type: 'sla.policy-proposed.v1' }>['data'];
/** A definition in the form in which facts hold it. */
export type PolicyTerms = Clear<typeof definitionFields>;
