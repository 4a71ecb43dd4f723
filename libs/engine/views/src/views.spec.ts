import { describe, expect, test } from '@jest/globals';
import { ticketEvents, type TicketEvent } from '#domain/desk';
import {
  everyView,
  foldEvents,
  INTAKE,
  people,
  pendingDues,
  queueItems,
  queues,
  shownToRequester,
  tickets,
  timeline,
  Undigestible,
  type Folding,
  type Noted,
  type PendingDueRow,
  type QueueItemRow,
  type QueueRow,
  type TicketRow,
  type View,
} from '#engine/views';
import {
  AGENT,
  at,
  clock,
  freshId,
  freshTicket,
  GROUP,
  History,
  house,
  OTHER_GROUP,
  personSamples,
  REQUESTER,
  ticketSamples,
  VENDOR,
} from '#engine/views/testing';
import { DESK, toSeconds } from '#kernel';
import fc from 'fast-check';

const TYPES = Object.keys(ticketSamples) as TicketEvent['type'][];
const LABEL = { of: DESK, blob: 'ZGVzaw==' };

/** All rows after a run of events, by key; undigestible streams as they were before. */
function rowsAfter<Row extends Folding>(view: View<Row>, events: readonly Noted[]): Map<string, Row> {
  return new Map(foldEvents(view, events, () => null, new Map()).rows) as Map<string, Row>;
}

const only = <Row extends Folding>(view: View<Row>, events: readonly Noted[]): Row =>
  [...rowsAfter(view, events).values()][0]!;

/** A ticket that was opened, and then the fact. */
function opening(type: TicketEvent['type']): History {
  const history = new History();
  const stream = freshTicket();
  history.ticket(stream, 'desk.ticket-opened.v1');
  if (type !== 'desk.ticket-opened.v1') history.ticket(stream, type, {}, { occurredAt: at('10:00:00') });
  return history;
}

/** What each fact changes of a ticket just opened, beside revision, etag, position and updatedAt. */
const changesOfTicket: { readonly [T in TicketEvent['type']]: Partial<TicketRow> } = {
  'desk.ticket-opened.v1': {},
  'desk.message-received.v1': {},
  'desk.message-sent.v1': {
    clocks: [
      clock('first-response', { state: 'met', change: 'stopped', due: at('13:00:00') }),
      clock('resolution'),
    ],
  },
  'desk.note-added.v1': {},
  'desk.ticket-classified.v1': {
    ...ticketSamples['desk.ticket-classified.v1'],
    labels: {
      externalReference: { ...LABEL, field: 'externalReference' },
      customer: { ...LABEL, field: 'customer' },
      category: { ...LABEL, field: 'category' },
      subcategory: { ...LABEL, field: 'subcategory' },
      service: { ...LABEL, field: 'service' },
    } as TicketRow['labels'],
  },
  'desk.ticket-prioritised.v1': {
    priority: 1,
    clocks: ticketSamples['desk.ticket-prioritised.v1'].clocks,
  },
  'desk.ticket-retargeted.v1': { clocks: ticketSamples['desk.ticket-retargeted.v1'].clocks },
  'desk.ticket-assigned.v1': {
    group: GROUP,
    agent: AGENT,
    queue: GROUP,
    labels: {
      externalReference: { ...LABEL, field: 'externalReference' },
      customer: { ...LABEL, field: 'customer' },
      group: { ...LABEL, field: 'group' },
    } as TicketRow['labels'],
  },
  'desk.handover-offered.v1': {
    handover: {
      id: ticketSamples['desk.handover-offered.v1'].handover,
      group: OTHER_GROUP,
      agent: AGENT,
      offeredAt: at('10:00:00'),
      offeredBy: AGENT,
    },
    labels: {
      externalReference: { ...LABEL, field: 'externalReference' },
      customer: { ...LABEL, field: 'customer' },
      handoverGroup: { ...LABEL, field: 'group' },
    } as TicketRow['labels'],
  },
  'desk.handover-accepted.v1': { group: OTHER_GROUP, agent: AGENT, queue: OTHER_GROUP },
  'desk.handover-declined.v1': {},
  'desk.handover-withdrawn.v1': {},
  'desk.ticket-held.v1': {
    status: 'on-hold',
    holds: ['requester'],
    pausedSince: at('10:00:00'),
    clocks: [clock('first-response'), ...ticketSamples['desk.ticket-held.v1'].clocks],
  },
  'desk.ticket-resumed.v1': {
    clocks: [clock('first-response'), ...ticketSamples['desk.ticket-resumed.v1'].clocks],
  },
  'desk.ticket-handed-to-vendor.v1': {
    vendor: VENDOR,
    labels: {
      externalReference: { ...LABEL, field: 'externalReference' },
      customer: { ...LABEL, field: 'customer' },
      vendor: { ...LABEL, field: 'vendor' },
      vendorReference: { ...LABEL, field: 'vendorReference' },
    } as TicketRow['labels'],
  },
  'desk.ticket-taken-back.v1': {},
  'desk.ticket-escalated.v1': { escalation: 1 },
  'desk.ticket-resolved.v1': {
    status: 'resolved',
    resolvedAt: at('10:00:00'),
    clocks: [clock('first-response'), ...ticketSamples['desk.ticket-resolved.v1'].clocks],
  },
  'desk.ticket-reopened.v1': {
    clocks: [clock('first-response'), ...ticketSamples['desk.ticket-reopened.v1'].clocks],
  },
  'desk.ticket-closed.v1': { status: 'closed', closedAt: at('10:00:00') },
  'desk.merge-begun.v1': { pendingMerge: ticketSamples['desk.merge-begun.v1'].duplicate },
  'desk.ticket-merged.v1': {
    status: 'merged',
    mergedInto: ticketSamples['desk.ticket-merged.v1'].into,
    clocks: [clock('first-response'), ...ticketSamples['desk.ticket-merged.v1'].clocks],
  },
  'desk.merge-completed.v1': { merged: [ticketSamples['desk.merge-completed.v1'].duplicate] },
  'desk.merge-withdrawn.v1': {},
  'desk.tickets-linked.v1': { links: [ticketSamples['desk.tickets-linked.v1']] },
  'desk.ticket-rated.v1': { rating: 5 },
  'desk.case-imported.v1': {},
  'sla.clock-breached.v1': {
    overdueSince: at('13:00:00'),
    clocks: [clock('first-response', { breachedAt: at('13:00:00') }), clock('resolution')],
    breaches: [{ clock: 'first-response', cycle: 1, due: at('13:00:00') }],
  },
  'sla.clock-warned.v1': {},
  'sla.warning-annulled.v1': {},
  'sla.breach-annulled.v1': {},
  'house.command-noted.v1': {},
};

describe('Every view', () => {
  const history = new History();
  for (const type of TYPES) {
    const stream = freshTicket();
    history.ticket(stream, 'desk.ticket-opened.v1');
    if (type !== 'desk.ticket-opened.v1') history.ticket(stream, type);
  }
  const queue = `queue-${freshId()}`;
  const person = `person-${freshId()}`;
  history.tell(queue, 'desk.queue-defined.v1', { group: GROUP });
  history.tell(queue, 'house.command-noted.v1', {});
  history.tell(person, 'people.person-named.v1', personSamples['people.person-named.v1']);
  history.tell(person, 'house.command-noted.v1', {});

  describe.each(everyView.map((view) => [view.name, view] as const))('%s', (_, view) => {
    test('digests every fact of its streams', () => {
      expect(foldEvents(view, history.events, () => null, new Map()).parked).toEqual([]);
    });

    test.each(['twice', 'late, behind all others'])('is not changed by a fact delivered %s', (how) => {
      const after = rowsAfter(view, history.events);
      const repeated =
        how === 'twice'
          ? history.events.flatMap((event) => [event, event])
          : [...history.events, ...history.events];
      expect(rowsAfter(view, repeated)).toEqual(after);
    });

    test('says nothing new where a fact is delivered again', () => {
      const rows = rowsAfter(view, history.events);
      const again = foldEvents(view, history.events, (key) => rows.get(key) ?? null, new Map());
      if (!view.appendOnly) expect(again.rows.size).toBe(0);
      expect(again.tallies).toEqual([]);
    });

    test('comes to the same rows whatever the order of streams among each other', () => {
      fc.assert(
        fc.property(fc.infiniteStream(fc.nat()), (choices) => {
          const streams = [...new Set(history.events.map((event) => event.stream))].map((stream) =>
            history.events.filter((event) => event.stream === stream),
          );
          const shuffled: Noted[] = [];
          for (let left = streams; left.length > 0; left = left.filter((events) => events.length > 0))
            shuffled.push(left[choices.next().value! % left.length]!.shift()!);
          expect(rowsAfter(view, shuffled)).toEqual(rowsAfter(view, history.events));
        }),
        { numRuns: 20 },
      );
    });

    test('parks a stream with a hole and goes on with the others', () => {
      const holed = history.events.filter((event) => event.revision !== 0 || event.stream !== queue);
      const { parked, rows } = foldEvents(view, holed, () => null, new Map());
      if (view === queues) expect(parked).toMatchObject([{ stream: queue, from: 1, upTo: 1 }]);
      else expect(parked).toEqual([]);
      if (view !== queues) expect(rows.size).toBeGreaterThan(0);
    });

    test('refuses a fact of another kind of stream', () => {
      const stray = new History();
      const type = view === people ? 'desk.queue-defined.v1' : 'people.person-named.v1';
      const event = stray.tell(`${view.categories[0]}-${freshId()}`, type, {});
      expect(() => view.fold(null, event)).toThrow(Undigestible);
    });

    test('folds one category of streams and moves over all others', () => {
      expect(view.categories).toHaveLength(1);
      const others = history.events.filter((event) => !view.categories.includes(event.stream.split('-')[0]!));
      expect(others.length).toBeGreaterThan(0);
      expect(foldEvents(view, others, () => null, new Map())).toEqual({
        rows: new Map(),
        made: new Set(),
        tallies: [],
        parked: [],
      });
    });

    test('knows which rows the events made, and which were there before', () => {
      const own = history.events.filter((event) => view.categories.includes(event.stream.split('-')[0]!));
      const all = foldEvents(view, own, () => null, new Map());
      expect([...all.made].sort()).toEqual([...all.rows.keys()].sort());
      if (view.appendOnly) return;
      const more = own.filter((event) => event.revision > 0);
      const before = foldEvents(
        view,
        own.filter((event) => event.revision === 0),
        () => null,
        new Map(),
      ).rows;
      expect(foldEvents(view, more, (key) => before.get(key) ?? null, new Map()).made).toEqual(new Set());
    });
  });
});

describe('Tickets', () => {
  const opened = only(tickets, opening('desk.ticket-opened.v1').events);

  test('begin with what the opening said', () => {
    expect(opened).toMatchObject({
      number: 'T-100001',
      status: 'open',
      queue: INTAKE,
      requester: REQUESTER,
      customer: ticketSamples['desk.ticket-opened.v1'].customer,
      openedAt: at('09:00:00'),
      clocks: [clock('first-response'), clock('resolution')],
      labels: {
        externalReference: { ...LABEL, field: 'externalReference' },
        customer: { ...LABEL, field: 'customer' },
      },
    });
  });

  test.each(TYPES)('take %s, and nothing else changes', (type) => {
    const history = opening(type);
    const row = only(tickets, history.events);
    const last = history.events.at(-1)!;
    expect(row).toEqual({
      ...opened,
      ...changesOfTicket[type],
      id: row.id,
      opened: history.events[0]!.position,
      position: last.position,
      revision: last.revision,
      etag: last.revision,
      updatedAt: last.occurredAt,
    });
  });

  test('give an etag that timers do not move, unless a request stands behind them', () => {
    const history = opening('desk.note-added.v1');
    const { stream } = history.events[0]!;
    history.ticket(stream, 'sla.clock-breached.v1', {}, { actor: house });
    expect(only(tickets, history.events)).toMatchObject({ revision: 2, etag: 1 });
    history.ticket(stream, 'desk.note-added.v1', {}, { actor: house, key: { id: 'k', body: 'b' } });
    expect(only(tickets, history.events)).toMatchObject({ revision: 3, etag: 3 });
  });

  test('are not made younger by a back-dated fact', () => {
    const history = opening('desk.ticket-prioritised.v1');
    history.ticket(history.events[0]!.stream, 'desk.note-added.v1', {}, { occurredAt: at('09:30:00') });
    expect(only(tickets, history.events).updatedAt).toBe(at('10:00:00'));
  });

  test('forget the label of what they no longer have', () => {
    const history = opening('desk.ticket-assigned.v1');
    const { stream } = history.events[0]!;
    history.ticket(stream, 'desk.ticket-assigned.v1', { group: undefined, agent: undefined });
    history.ticket(stream, 'desk.ticket-handed-to-vendor.v1');
    history.ticket(stream, 'desk.ticket-taken-back.v1');
    expect(Object.keys(only(tickets, history.events).labels)).toEqual(['externalReference', 'customer']);
  });

  test('take over the group they were offered to, with its label, when that accepts', () => {
    const history = opening('desk.ticket-assigned.v1');
    const { stream } = history.events[0]!;
    const offered = { [DESK]: 'b2ZmZXJlZA==' };
    history.ticket(stream, 'desk.handover-offered.v1', {}, { sealed: offered });
    history.ticket(stream, 'desk.handover-accepted.v1', {}, { sealed: {} });
    expect(only(tickets, history.events)).toMatchObject({
      handover: null,
      queue: OTHER_GROUP,
      labels: { group: { blob: offered[DESK], field: 'group' } },
    });
  });

  test('stay on hold until the last reason is gone', () => {
    const history = opening('desk.ticket-held.v1');
    const { stream } = history.events[0]!;
    history.ticket(stream, 'desk.ticket-held.v1', { reason: 'vendor' });
    history.ticket(stream, 'desk.ticket-resumed.v1', { reason: 'requester' });
    expect(only(tickets, history.events)).toMatchObject({ status: 'on-hold', holds: ['vendor'] });
    history.ticket(stream, 'desk.ticket-resumed.v1', { reason: 'vendor' });
    expect(only(tickets, history.events)).toMatchObject({ status: 'open', holds: [] });
  });

  test('lose a breach that was annulled, and no other', () => {
    const history = opening('sla.clock-breached.v1');
    const { stream } = history.events[0]!;
    history.ticket(stream, 'sla.clock-breached.v1', { clock: 'resolution', due: at('17:00:00') });
    history.ticket(stream, 'sla.breach-annulled.v1');
    expect(only(tickets, history.events)).toMatchObject({
      breaches: [{ clock: 'resolution' }],
      clocks: [{ breachedAt: null }, { breachedAt: at('17:00:00') }],
    });
  });

  test('take the moved breach, whichever of annulment and breach came first', () => {
    const moved = at('14:00:00');
    for (const order of [
      ['sla.breach-annulled.v1', 'sla.clock-breached.v1'],
      ['sla.clock-breached.v1', 'sla.breach-annulled.v1'],
    ] as const) {
      const history = opening('sla.clock-breached.v1');
      for (const type of order)
        history.ticket(
          history.events[0]!.stream,
          type,
          type === 'sla.clock-breached.v1' ? { due: moved } : {},
        );
      expect(only(tickets, history.events)).toMatchObject({
        breaches: [{ clock: 'first-response', due: moved }],
        clocks: [{ breachedAt: moved }, { breachedAt: null }],
      });
    }
  });

  test.each([
    'desk.ticket-classified.v1',
    'desk.ticket-prioritised.v1',
    'desk.ticket-assigned.v1',
    'desk.ticket-held.v1',
    'desk.ticket-resumed.v1',
    'desk.ticket-handed-to-vendor.v1',
    'desk.ticket-taken-back.v1',
  ] as const)('take of a superseded %s only what it did to the promises', (type) => {
    const history = opening('desk.note-added.v1');
    const before = only(tickets, history.events);
    const event = history.ticket(history.events[0]!.stream, type, { superseded: true });
    const { clocks, pausedSince: _, revision, etag, position, ...rest } = tickets.fold(before, event);
    expect(rest).toEqual(Object.fromEntries(Object.entries(before).filter(([name]) => name in rest)));
    expect([revision, etag, position]).toEqual([2, 2, event.position]);
    if ('clocks' in event.data && event.data.clocks?.length) expect(clocks).not.toEqual(before.clocks);
    const item = only(queueItems, history.events);
    expect(item).toMatchObject({ queue: INTAKE, standing: 'waiting', holds: [] });
  });

  test('keep the present cycle of a clock as it is when a breach of an earlier one comes late', () => {
    const history = opening('desk.ticket-resolved.v1');
    const { stream } = history.events[0]!;
    const restarted = clock('resolution', { cycle: 2, change: 'restarted' });
    history.ticket(stream, 'desk.ticket-reopened.v1', { mode: 'restart', clocks: [restarted] });
    history.ticket(stream, 'sla.clock-breached.v1', { clock: 'resolution', cycle: 1 });
    const row = only(tickets, history.events);
    expect(row.clocks[1]).toEqual(restarted);
    expect(row.breaches).toEqual([{ clock: 'resolution', cycle: 1, due: at('13:00:00') }]);
  });
});

describe('The timeline', () => {
  test('has a line an event, with everything the event said', () => {
    const history = opening('desk.message-sent.v1');
    const lines = [...rowsAfter(timeline, history.events).values()];
    expect(lines).toHaveLength(2);
    const event = history.events[1]!;
    expect(lines[1]).toEqual({
      ticket: event.stream.slice('ticket-'.length),
      revision: 1,
      position: event.position,
      type: event.type,
      audience: 'public',
      occurredAt: event.occurredAt,
      recordedAt: event.recordedAt,
      actor: event.actor,
      data: event.data,
      sealed: event.sealed,
    });
  });

  test.each(TYPES)(
    'shows of %s no field to the requester that the event has not, and none of an internal one',
    (type) => {
      const shown = shownToRequester(type);
      const { audience } = [...rowsAfter(timeline, opening(type).events).values()].at(-1)!;
      expect(audience).toBe(shown === null ? 'internal' : 'public');
      for (const field of shown ?? []) expect(Object.keys(ticketEvents[type].fields)).toContain(field);
    },
  );

  test('never shows the requester what staff wrote for staff', () => {
    expect(shownToRequester('desk.note-added.v1')).toBeNull();
    expect(shownToRequester('desk.ticket-resolved.v1')).not.toContain('comment');
    expect(shownToRequester('desk.ticket-held.v1')).not.toContain('comment');
    expect(shownToRequester('desk.ticket-opened.v1')).not.toContain('tier');
  });
});

describe('The rank κ of a ticket that waits (ruling 23)', () => {
  const item = (history: History): QueueItemRow => only(queueItems, history.events);
  const begun = (...clocks: readonly ReturnType<typeof clock>[]): [History, string] => {
    const history = new History();
    const stream = freshTicket();
    history.ticket(stream, 'desk.ticket-opened.v1', { clocks });
    return [history, stream];
  };

  test('is the due instant of its first response', () => {
    const [history] = begun(clock('first-response'), clock('resolution'));
    expect(item(history)).toMatchObject({ standing: 'waiting', rank: toSeconds(at('13:00:00')) });
  });

  test('is the due instant of its resolution where no response is owed', () => {
    const [history] = begun(
      clock('first-response', { state: 'not-evidenced', due: null }),
      clock('resolution'),
    );
    expect(item(history).rank).toBe(toSeconds(at('17:00:00')));
  });

  test('is the earliest of the answers that are owed, else the next update, else the resolution', () => {
    const rank = (...clocks: readonly ReturnType<typeof clock>[]) => item(begun(...clocks)[0]).rank;
    const next = clock('next-response', { due: at('15:00:00') });
    const offered = clock('hand-over-acceptance', { due: at('14:00:00') });
    const update = clock('periodic-update', { due: at('12:00:00') });
    const resolution = clock('resolution', { due: at('10:00:00') });
    expect(rank(resolution, update, next, offered)).toBe(toSeconds(at('14:00:00')));
    expect(rank(resolution, update, next)).toBe(toSeconds(at('15:00:00')));
    expect(rank(resolution, update, { ...next, state: 'paused', due: null })).toBe(toSeconds(at('12:00:00')));
    expect(rank(resolution)).toBe(toSeconds(at('10:00:00')));
  });

  test('follows the hand-over that is offered, and of a clock’s cycles the present one', () => {
    const [history, stream] = begun(clock('resolution'));
    history.ticket(stream, 'desk.handover-offered.v1', {
      clocks: [clock('hand-over-acceptance', { due: at('10:30:00') })],
    });
    expect(item(history).rank).toBe(toSeconds(at('10:30:00')));
    history.ticket(stream, 'desk.message-sent.v1', {
      clocks: [
        clock('periodic-update', { state: 'met', change: 'stopped', due: at('09:30:00') }),
        clock('periodic-update', { cycle: 2, change: 'restarted', due: at('11:00:00') }),
      ],
    });
    expect(only(tickets, history.events).clocks.filter((of) => of.clock === 'periodic-update')).toEqual([
      expect.objectContaining({ cycle: 2, state: 'running' }),
    ]);
  });

  test('is the instant of entry where nothing is promised', () => {
    const [history] = begun();
    expect(item(history).rank).toBe(toSeconds(at('09:00:00')));
  });

  test('is never older than the entry, first or again', () => {
    const overdue = clock('resolution', { due: at('08:00:00'), breachedAt: at('08:00:00') });
    const [history, stream] = begun(overdue);
    expect(item(history).rank).toBe(toSeconds(at('09:00:00')));
    history.ticket(stream, 'desk.ticket-assigned.v1', { group: undefined });
    expect(item(history)).toMatchObject({ standing: 'assigned', rank: null });
    history.ticket(
      stream,
      'desk.ticket-assigned.v1',
      { group: undefined, agent: undefined },
      { occurredAt: at('11:00:00') },
    );
    expect(item(history)).toMatchObject({ rank: toSeconds(at('11:00:00')), enteredAt: at('11:00:00') });
  });

  test('may only shrink while it waits, and never below the entry', () => {
    const [history, stream] = begun(clock('first-response'), clock('resolution'));
    history.ticket(stream, 'desk.message-sent.v1');
    expect(item(history).rank).toBe(toSeconds(at('13:00:00')));
    history.ticket(stream, 'desk.ticket-prioritised.v1', {
      clocks: [clock('resolution', { due: at('12:00:00') })],
    });
    expect(item(history).rank).toBe(toSeconds(at('12:00:00')));
    history.ticket(stream, 'desk.ticket-prioritised.v1', {
      clocks: [clock('resolution', { due: at('08:30:00') })],
    });
    expect(item(history).rank).toBe(toSeconds(at('09:00:00')));
    history.ticket(stream, 'desk.ticket-prioritised.v1', {
      clocks: [clock('resolution', { due: at('16:00:00') })],
    });
    expect(item(history).rank).toBe(toSeconds(at('09:00:00')));
  });

  test('is taken anew in another queue', () => {
    const [history, stream] = begun(clock('first-response'), clock('resolution'));
    history.ticket(stream, 'desk.message-sent.v1');
    history.ticket(stream, 'desk.ticket-assigned.v1', { agent: undefined }, { occurredAt: at('10:00:00') });
    expect(item(history)).toMatchObject({
      queue: GROUP,
      rank: toSeconds(at('17:00:00')),
      enteredAt: at('10:00:00'),
    });
  });

  test('belongs to nobody who is held, assigned or gone', () => {
    for (const [type, standing] of [
      ['desk.ticket-held.v1', 'held'],
      ['desk.ticket-assigned.v1', 'assigned'],
      ['desk.ticket-resolved.v1', 'gone'],
      ['desk.ticket-closed.v1', 'gone'],
      ['desk.ticket-merged.v1', 'gone'],
    ] as const)
      expect(item(opening(type))).toMatchObject({ standing, rank: null });
  });

  test('comes back at the re-entry when a held ticket is resumed', () => {
    const history = opening('desk.ticket-held.v1');
    history.ticket(history.events[0]!.stream, 'desk.ticket-resumed.v1', {}, { occurredAt: at('14:00:00') });
    expect(item(history)).toMatchObject({ standing: 'waiting', rank: toSeconds(at('14:00:00')) });
  });

  test('keeps its bounds through any history', () => {
    fc.assert(
      fc.property(
        fc.array(fc.constantFrom(...TYPES.filter((t) => t !== 'desk.ticket-opened.v1'))),
        (types) => {
          const history = new History();
          const stream = freshTicket();
          history.ticket(stream, 'desk.ticket-opened.v1');
          let before = item(history);
          types.forEach((type, i) => {
            const event = history.ticket(
              stream,
              type,
              {},
              { occurredAt: at(`10:00:${String(i % 60).padStart(2, '0')}`) },
            );
            const after = queueItems.fold(before, event) as QueueItemRow;
            expect(after.rank === null).toBe(after.standing !== 'waiting');
            if (after.rank !== null) {
              expect(after.rank).toBeGreaterThanOrEqual(toSeconds(after.enteredAt));
              if (before.rank !== null && before.queue === after.queue)
                expect(after.rank).toBeLessThanOrEqual(before.rank);
            }
            before = after;
          });
        },
      ),
    );
  });
});

describe('Tallies', () => {
  test('kept by the events equal a recount, however the events are cut into batches', () => {
    const arbitrary = fc.array(
      fc.record({ ticket: fc.nat(4), type: fc.constantFrom(...TYPES), cut: fc.boolean() }),
      { maxLength: 60 },
    );
    fc.assert(
      fc.property(arbitrary, (told) => {
        const history = new History();
        const streams = Array.from({ length: 5 }, freshTicket);
        const rows = new Map<string, Folding>();
        const waiting = new Map();
        const tallies = new Map<string, number>();
        let batch: Noted[] = [];
        const flush = (): void => {
          const folded = foldEvents(
            queueItems,
            batch,
            (key) => (rows.get(key) as QueueItemRow) ?? null,
            waiting,
          );
          for (const [key, row] of folded.rows) rows.set(key, row);
          for (const stream of folded.parked) waiting.set(stream.stream, stream);
          for (const { subject, kind, by } of folded.tallies)
            tallies.set(`${subject} ${kind}`, (tallies.get(`${subject} ${kind}`) ?? 0) + by);
          batch = [];
        };
        for (const { ticket, type, cut } of told) {
          batch.push(history.ticket(streams[ticket]!, type));
          if (cut) flush();
        }
        flush();
        const recount = new Map<string, number>();
        for (const row of rows.values())
          for (const { subject, kind } of queueItems.tallies!(row as QueueItemRow))
            recount.set(`${subject} ${kind}`, (recount.get(`${subject} ${kind}`) ?? 0) + 1);
        expect(new Map([...tallies].filter(([, count]) => count !== 0))).toEqual(recount);
      }),
    );
  });
});

describe('Pending dues', () => {
  const pending = (history: History): PendingDueRow => only(pendingDues, history.events);

  test('wait for the earliest promise that runs', () => {
    expect(pending(opening('desk.ticket-opened.v1')).due).toBe(at('13:00:00'));
    expect(pending(opening('desk.message-sent.v1')).due).toBe(at('17:00:00'));
  });

  test('wait for no promise that is paused, ended, or recorded as breached', () => {
    const history = opening('sla.clock-breached.v1');
    const { stream } = history.events[0]!;
    expect(pending(history).due).toBe(at('17:00:00'));
    history.ticket(stream, 'desk.ticket-held.v1');
    expect(pending(history).due).toBeNull();
  });

  test('wait again for a breach that was annulled', () => {
    const history = opening('sla.clock-breached.v1');
    history.ticket(history.events[0]!.stream, 'sla.breach-annulled.v1');
    expect(pending(history).due).toBe(at('13:00:00'));
  });

  test('leave a case alone until its import is complete', () => {
    const history = new History();
    const stream = freshTicket();
    history.ticket(stream, 'desk.ticket-opened.v1', { importing: true });
    expect(pending(history)).toMatchObject({ due: null, importing: true });
    history.ticket(stream, 'desk.ticket-prioritised.v1');
    expect(pending(history).due).toBeNull();
    history.ticket(stream, 'desk.case-imported.v1');
    expect(pending(history)).toMatchObject({ due: at('10:00:00'), importing: false });
  });
});

describe('Queues and people', () => {
  test('a queue keeps when it was first defined, and takes its latest name', () => {
    const history = new History();
    const stream = `queue-${freshId()}`;
    history.tell(stream, 'desk.queue-defined.v1', { group: GROUP });
    history.tell(
      stream,
      'desk.queue-defined.v1',
      { group: GROUP },
      { occurredAt: at('12:00:00'), sealed: { [DESK]: 'bmV3' } },
    );
    expect(only<QueueRow>(queues, history.events)).toMatchObject({
      revision: 1,
      etag: 1,
      definedAt: at('09:00:00'),
      label: { of: DESK, blob: 'bmV3' },
    });
  });

  test('a person is called as last heard', () => {
    const history = new History();
    const stream = `person-${freshId()}`;
    history.tell(stream, 'people.person-named.v1', personSamples['people.person-named.v1']);
    history.tell(stream, 'people.person-named.v1', personSamples['people.person-named.v1'], {
      sealed: { [REQUESTER]: 'bmV3' },
    });
    expect(only(people, history.events)).toMatchObject({
      revision: 1,
      called: { of: REQUESTER, blob: 'bmV3' },
    });
  });
});
