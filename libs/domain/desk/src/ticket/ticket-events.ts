import { event, f, houseEvents, type EventOf, type FactOf } from '#kernel';
import { clocks, HOLD_REASONS, clockEvents } from '#domain/sla';

export const CHANNELS = ['phone', 'e-mail', 'web', 'chat', 'note', 'integration'] as const;
export type Channel = (typeof CHANNELS)[number];

/** Ruling 22: the ladder at first; its lowest rung is the base lane, its highest the top lane. */
export const TIERS = ['base', 'standard', 'vip'] as const;
export type Tier = (typeof TIERS)[number];

export const RESOLUTIONS = [
  'solved',
  'workaround',
  'not-reproducible',
  'withdrawn',
  'duplicate',
  'unspecified',
] as const;
export type Resolution = (typeof RESOLUTIONS)[number];

export const LINK_KINDS = ['relates-to', 'caused-by', 'causes', 'parent-of', 'child-of'] as const;
export type LinkKind = (typeof LINK_KINDS)[number];

/** Times that a source states beside those of its updates. */
export const STATED_TIMES = ['opened', 'created', 'resolved', 'closed'] as const;
export type StatedTime = (typeof STATED_TIMES)[number];

const priority = f.integer('1 critical to 4 low', 'priority');

/** On facts that can arrive after a later one of their kind (a late row of an import, ruling 17). */
const superseded = f.optional(
  f.flag('true where a fact that occurred later already stands in its place: only the promises take it in'),
);

/** On facts that were written before they moved a promise. */
const clocksIfAny = f.optional(clocks);

/** Stream `ticket-<id>`. Texts are sealed under the requester's key: the file is the requester's. */
export const ticketEvents = {
  'desk.ticket-opened.v1': event(
    ['ticket'],
    'open-ticket',
    'A ticket was opened, and what was promised with it.',
    {
      number: f.name('number said on the phone, `T-104233`'),
      channel: f.code('how it came', CHANNELS),
      requester: f.id('person who asked'),
      customer: f.optional(f.term('customer account the requester belongs to')),
      tier: f.code('tier at opening (ruling 22)', TIERS),
      priority,
      subject: f.text('one line'),
      text: f.text('first message'),
      externalReference: f.optional(f.term('number in the source system (ruling 15)')),
      policy: f.name('service-level policy it is under: a name, or `name@version` where pinned (ruling 19)'),
      importing: f.flag(
        'a history is being taken in: timers and flows wait for its case-imported (ruling 17)',
      ),
      carriesMessages: f.flag('false where the source’s history has no messages (ruling 9)'),
      clocks,
    },
  ),
  'desk.message-received.v1': event(['ticket'], 'add-message', 'A message from the requester’s side.', {
    author: f.id('person'),
    channel: f.code('how it came', CHANNELS),
    autoReply: f.flag('an automatic answer (out of office), which moves nothing'),
    text: f.text('the message'),
    clocks,
  }),
  'desk.message-sent.v1': event(['ticket'], 'add-message', 'A public answer from the desk.', {
    author: f.id('person'),
    channel: f.code('how it went', CHANNELS),
    autoReply: f.flag('an automatic acknowledgement, which is no first response'),
    text: f.text('the message'),
    clocks,
  }),
  'desk.note-added.v1': event(['ticket'], 'add-message', 'An internal note; the requester never sees it.', {
    author: f.id('person'),
    text: f.text('the note'),
  }),
  'desk.ticket-classified.v1': event(['ticket'], 'classify-ticket', 'What it is about.', {
    category: f.term('category'),
    subcategory: f.optional(f.term('subcategory')),
    service: f.optional(f.term('service or configuration item')),
    superseded,
  }),
  'desk.ticket-prioritised.v1': event(
    ['ticket'],
    'prioritise-ticket',
    'Priority changed; promises re-targeted.',
    {
      priority,
      from: f.integer('1 critical to 4 low', 'priority before'),
      policy: f.name('policy and version that the new targets came from'),
      superseded,
      clocks,
    },
  ),
  'desk.ticket-retargeted.v1': event(
    ['ticket'],
    'the timekeeper, where a version was activated for open tickets too',
    'The policy has a new version in force: what the ticket was promised is re-targeted by it, what is used up stays. occurredAt is the instant from which on the version is in force, or the opening where that is later.',
    { policy: f.name('policy and version that the new targets came from'), clocks },
  ),
  'desk.ticket-assigned.v1': event(
    ['ticket'],
    'assign-ticket',
    'A group, an agent or both became responsible.',
    {
      group: f.optional(f.term('group; absent: none')),
      agent: f.optional(f.id('person; absent: nobody yet')),
      superseded,
    },
  ),
  'desk.handover-offered.v1': event(
    ['ticket'],
    'offer-handover',
    'Hand-over offered; the sender stays accountable.',
    {
      handover: f.id('this hand-over'),
      group: f.optional(f.term('to this group')),
      agent: f.optional(f.id('to this agent')),
      reason: f.text('why'),
      clocks: clocksIfAny,
    },
  ),
  'desk.handover-accepted.v1': event(['ticket'], 'accept-handover', 'The receiver is accountable now.', {
    handover: f.id('the hand-over'),
    group: f.optional(f.id('group now; absent: as before')),
    agent: f.id('agent now'),
    clocks: clocksIfAny,
  }),
  'desk.handover-declined.v1': event(
    ['ticket'],
    'decline-handover',
    'The receiver declined; the sender goes on.',
    {
      handover: f.id('the hand-over'),
      reason: f.text('why'),
      clocks: clocksIfAny,
    },
  ),
  'desk.handover-withdrawn.v1': event(
    ['ticket'],
    'any command that ends it',
    'A pending hand-over fell away.',
    {
      handover: f.id('the hand-over'),
      because: f.code('why', ['reassigned', 'resolved', 'merged', 'closed']),
      clocks: clocksIfAny,
    },
  ),
  'desk.ticket-held.v1': event(['ticket'], 'hold-ticket', 'Work waits for something.', {
    reason: f.code('for what', HOLD_REASONS),
    comment: f.optional(f.text('more about it')),
    superseded,
    clocks,
  }),
  'desk.ticket-resumed.v1': event(['ticket'], 'resume-ticket, add-message', 'Work waits for it no longer.', {
    reason: f.code('for what it had waited', HOLD_REASONS),
    because: f.code('why', ['asked', 'requester-answered']),
    superseded,
    clocks,
  }),
  'desk.ticket-handed-to-vendor.v1': event(['ticket'], 'hand-to-vendor', 'A vendor works on it.', {
    vendor: f.term('vendor'),
    vendorReference: f.optional(f.term('the vendor’s number')),
    superseded,
    clocks,
  }),
  'desk.ticket-taken-back.v1': event(['ticket'], 'take-back', 'Back from the vendor.', {
    vendor: f.id('vendor'),
    superseded,
    clocks,
  }),
  'desk.ticket-escalated.v1': event(['ticket'], 'escalate-ticket', 'Somebody above should look.', {
    level: f.integer('count', '1 for the first escalation'),
    reason: f.text('why'),
  }),
  'desk.ticket-resolved.v1': event(['ticket'], 'resolve-ticket', 'The desk holds it done.', {
    resolution: f.code('how', RESOLUTIONS),
    comment: f.optional(f.text('what was done')),
    clocks,
  }),
  'desk.ticket-reopened.v1': event(['ticket'], 'reopen-ticket', 'It was not done.', {
    reason: f.optional(f.text('why')),
    mode: f.code('resumed inside the window, restarted after it (domain.md C.3)', ['resume', 'restart']),
    clocks,
  }),
  'desk.ticket-closed.v1': event(['ticket'], 'close-ticket', 'Filed; nothing more is owed.', {}),
  'desk.merge-begun.v1': event(
    ['ticket'],
    'merge-ticket',
    'On the survivor: a duplicate shall be merged into it (ruling 14).',
    {
      merge: f.id('this merge'),
      duplicate: f.id('ticket that shall end in this one'),
    },
  ),
  'desk.ticket-merged.v1': event(
    ['ticket'],
    'flow: merging',
    'On the duplicate: it goes on in another ticket.',
    {
      merge: f.id('the merge'),
      into: f.id('surviving ticket'),
      clocks,
    },
  ),
  'desk.merge-completed.v1': event(
    ['ticket'],
    'flow: merging',
    'On the survivor: the duplicate is in; the clock with the earliest due survives.',
    {
      merge: f.id('the merge'),
      duplicate: f.id('ticket that ended in this one'),
      clocks,
    },
  ),
  'desk.merge-withdrawn.v1': event(
    ['ticket'],
    'flow: merging',
    'On the survivor: the duplicate refused, nothing was merged.',
    {
      merge: f.id('the merge'),
      because: f.code('why', ['closed', 'already-merged', 'merge-pending', 'unknown-ticket', 'mutual']),
    },
  ),
  'desk.tickets-linked.v1': event(
    ['ticket'],
    'link-ticket, flow: linking',
    'Two tickets belong together; stands in both.',
    {
      other: f.id('the other ticket'),
      kind: f.code('how, seen from this ticket', LINK_KINDS),
    },
  ),
  'desk.ticket-rated.v1': event(['ticket'], 'rate-ticket', 'What the requester thought of it.', {
    score: f.integer('1 worst to 5 best', 'score'),
    comment: f.optional(f.text('in words')),
  }),
  'desk.case-imported.v1': event(
    ['ticket'],
    'import',
    'The case is complete up to here; timers and flows may act on it (ruling 17).',
    {
      mapping: f.name('mapping and version, `servicenow@1`'),
      rows: f.list('identities of the rows taken in, as keyed ids', f.id('a row')),
      stated: f.optional(
        f.list(
          'what the source itself says of its times, kept as data (ruling 17)',
          f.record('a time', {
            what: f.code('of what', STATED_TIMES),
            at: f.instant('when, by the source'),
          }),
        ),
      ),
    },
  ),
  ...clockEvents,
  ...houseEvents,
} as const;

export type TicketFact = FactOf<typeof ticketEvents>;
export type TicketEvent = EventOf<typeof ticketEvents>;
