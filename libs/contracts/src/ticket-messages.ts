import { objectOf, s, type Data, type Fields, type JsonSchema } from './schema.js';

/** What the outside learns of one kind of happening. */
export interface MessageDefinition<F extends Fields = Fields> {
  readonly about: string;
  readonly fields: F;
}

const message = <F extends Fields>(about: string, fields: F): MessageDefinition<F> => ({ about, fields });

const priority = s.integer('1 critical to 4 low', 'priority');
const tier = s.code('tier of the customer', ['base', 'standard', 'vip']);
const channel = s.code('how it came or went', ['phone', 'e-mail', 'web', 'chat', 'note', 'integration']);
const hold = s.code('what work waits for', ['requester', 'vendor', 'other-team', 'problem', 'evidence']);
const clock = s.code('which promise', [
  'first-response',
  'next-response',
  'resolution',
  'periodic-update',
  'hand-over-acceptance',
]);

/** A promise as it stands after the happening. */
const promise = s.record('a promise as it stands after this', {
  clock,
  cycle: s.integer('count', '1 at first; a restart opens the next'),
  state: s.code('state', ['running', 'paused', 'met', 'missed', 'not-applicable', 'not-evidenced', 'merged']),
  due: s.nullable(s.instant('when it is due; null while it has no due instant')),
  target: s.integer('business-seconds', 'what was promised'),
  policy: s.name('policy and version, `default@1`'),
});

/** The promises that the happening changed; empty where it changed none. */
const promises = s.list('promises that this changed', promise);

/** True where the fact was recorded more than a day after it happened (imports, late mail; ruling 18). */
const late = s.flag('recorded more than 24 hours after it happened');

/** A late row of an import can tell of something that a later fact has replaced already. */
const superseded = s.optional(
  s.flag('true where a fact that happened later already stands in its place; absent otherwise'),
);

/**
 * Topic `covenant.tickets.v1`. No message carries a name, an address or a text (ruling 31): groups,
 * categories, customers and vendors are opaque ids, persons do not appear at all.
 */
export const ticketMessages = {
  'covenant.ticket-opened.v1': message('A ticket was opened, and what was promised with it.', {
    number: s.name('number said on the phone, `T-104233`'),
    channel,
    tier,
    priority,
    customer: s.nullable(s.id('customer account')),
    late,
    promises,
  }),
  'covenant.ticket-message-received.v1': message('The requester wrote or called.', {
    channel,
    automatic: s.flag('an automatic answer, which moves nothing'),
    late,
    promises,
  }),
  'covenant.ticket-message-sent.v1': message('The desk answered publicly.', {
    channel,
    automatic: s.flag('an automatic acknowledgement, which is no first response'),
    late,
    promises,
  }),
  'covenant.ticket-classified.v1': message('What it is about.', {
    category: s.id('category'),
    subcategory: s.nullable(s.id('subcategory')),
    service: s.nullable(s.id('service')),
    superseded,
    late,
  }),
  'covenant.ticket-prioritised.v1': message('Its priority changed.', {
    priority,
    from: priority,
    superseded,
    late,
    promises,
  }),
  'covenant.ticket-retargeted.v1': message(
    'Its policy has a new version in force; what was promised follows it.',
    { late, promises },
  ),
  'covenant.ticket-assigned.v1': message('A group, an agent or both became responsible, or nobody.', {
    group: s.nullable(s.id('group')),
    agent: s.flag('an agent has it'),
    superseded,
    late,
  }),
  'covenant.ticket-held.v1': message('Work waits for something.', {
    reason: hold,
    superseded,
    late,
    promises,
  }),
  'covenant.ticket-resumed.v1': message('Work waits for it no longer.', {
    reason: hold,
    superseded,
    late,
    promises,
  }),
  'covenant.ticket-handed-to-vendor.v1': message('A vendor works on it.', {
    vendor: s.id('vendor'),
    superseded,
    late,
    promises,
  }),
  'covenant.ticket-taken-back.v1': message('Back from the vendor.', {
    vendor: s.id('vendor'),
    superseded,
    late,
    promises,
  }),
  'covenant.ticket-escalated.v1': message('Somebody above should look.', {
    level: s.integer('count', '1 for the first escalation'),
    late,
  }),
  'covenant.ticket-resolved.v1': message('The desk holds it done.', {
    resolution: s.code('how', [
      'solved',
      'workaround',
      'not-reproducible',
      'withdrawn',
      'duplicate',
      'unspecified',
    ]),
    late,
    promises,
  }),
  'covenant.ticket-reopened.v1': message('It was not done.', {
    mode: s.code('clocks go on, or start anew', ['resume', 'restart']),
    late,
    promises,
  }),
  'covenant.ticket-closed.v1': message('Filed; nothing more is owed.', { late }),
  'covenant.ticket-merged.v1': message('It goes on in another ticket.', {
    into: s.id('surviving ticket'),
    late,
    promises,
  }),
  'covenant.ticket-absorbed.v1': message('Another ticket goes on in this one.', {
    duplicate: s.id('ticket that ended in this one'),
    late,
    promises,
  }),
  'covenant.ticket-rated.v1': message('What the requester thought of it.', {
    score: s.integer('1 worst to 5 best', 'score'),
    late,
  }),
  'covenant.promise-breached.v1': message('A due instant passed unanswered; `time` is the due instant.', {
    clock,
    cycle: s.integer('count', 'of the clock'),
    due: s.instant('the instant that passed'),
    target: s.integer('business-seconds', 'what was promised'),
    policy: s.name('policy and version'),
  }),
  'covenant.breach-annulled.v1': message('A breach became untrue by a fact that had happened earlier.', {
    clock,
    cycle: s.integer('count', 'of the clock'),
    due: s.instant('the due instant of the breach'),
  }),
} as const satisfies Readonly<Record<string, MessageDefinition>>;

export type TicketMessageType = keyof typeof ticketMessages;

/** The union of what topic `covenant.tickets.v1` carries: type and data of the CloudEvent. */
export type TicketMessage = {
  readonly [T in TicketMessageType]: {
    readonly type: T;
    readonly data: Data<(typeof ticketMessages)[T]['fields']>;
  };
}[TicketMessageType];

export const dataSchema = ({ fields }: MessageDefinition): JsonSchema => objectOf(fields);
