import { describe, expect, test } from '@jest/globals';
import { foldEvents, tickets, type TicketRow } from '#engine/views';
import { at, clock, freshTicket, History, VENDOR } from '#engine/views/testing';
import type { TicketEvent } from '#domain/desk';
import type { HoldReason } from '#domain/sla';
import type { Instant } from '#kernel';

/** Paused by the reasons since then, as a fact of that time says it. */
const paused = (time: string, ...reasons: readonly HoldReason[]) =>
  clock('resolution', { state: 'paused', change: 'paused', due: null, reasons, asOf: at(time) });
const RUNNING = clock('resolution', { change: 'resumed', due: at('17:30:00') });

type Step = readonly [type: TicketEvent['type'], data: object, occurredAt: Instant];

/** Since when the promises of a ticket stand still after these. */
function pausedSince(...steps: readonly Step[]): Instant | null {
  const history = new History();
  const stream = freshTicket();
  history.ticket(stream, 'desk.ticket-opened.v1');
  for (const [type, data, occurredAt] of steps) history.ticket(stream, type, data, { occurredAt });
  const rows = [...foldEvents(tickets, history.events, () => null, new Map()).rows.values()];
  return (rows[0] as TicketRow).pausedSince;
}

const held = (time: string, more: object = {}): Step => [
  'desk.ticket-held.v1',
  { reason: 'requester', clocks: [paused(time, 'requester')], ...more },
  at(time),
];

describe('Since when a ticket’s promises stand still', () => {
  test('is not said of promises that run, nor of a hold that pauses none', () => {
    expect(pausedSince()).toBeNull();
    expect(pausedSince(held('10:00:00', { reason: 'other-team', clocks: [] }))).toBeNull();
  });

  test('is when the first reason to wait came, whatever came to it later', () => {
    expect(pausedSince(held('10:00:00'))).toBe(at('10:00:00'));
    expect(
      pausedSince(
        held('10:00:00'),
        ['desk.note-added.v1', {}, at('11:00:00')],
        held('12:00:00', { reason: 'vendor', clocks: [paused('12:00:00', 'requester', 'vendor')] }),
        ['desk.ticket-prioritised.v1', { clocks: [paused('13:00:00', 'requester')] }, at('13:00:00')],
      ),
    ).toBe(at('10:00:00'));
  });

  test('is counted anew after they went on', () => {
    const resumed: Step = ['desk.ticket-resumed.v1', { clocks: [RUNNING] }, at('11:00:00')];
    expect(pausedSince(held('10:00:00'), resumed)).toBeNull();
    expect(pausedSince(held('10:00:00'), resumed, held('12:00:00'))).toBe(at('12:00:00'));
  });

  test('is over with the ticket', () => {
    expect(pausedSince(held('10:00:00'), ['desk.ticket-resolved.v1', {}, at('11:00:00')])).toBeNull();
  });

  test('is moved back by a reason that was recorded late, where it pauses something and no later fact of its kind stands', () => {
    const both = { clocks: [paused('12:00:00', 'requester', 'vendor')] };
    expect(pausedSince(held('12:00:00'), held('10:00:00', { reason: 'vendor', ...both }))).toBe(
      at('10:00:00'),
    );
    const handed = (more: object): Step => [
      'desk.ticket-handed-to-vendor.v1',
      { vendor: VENDOR, ...both, ...more },
      at('09:30:00'),
    ];
    expect(pausedSince(held('12:00:00'), handed({}))).toBe(at('09:30:00'));
    expect(pausedSince(held('12:00:00'), handed({ clocks: [] }))).toBe(at('12:00:00'));
    expect(pausedSince(held('12:00:00'), held('10:00:00', { superseded: true }))).toBe(at('12:00:00'));
  });

  test('is not when something else happened that was recorded late and began a promise that stands still', () => {
    const begun = clock('next-response', {
      state: 'paused',
      due: null,
      reasons: ['vendor'],
      asOf: at('12:00:00'),
    });
    expect(
      pausedSince(held('12:00:00', { reason: 'vendor', clocks: [] }), [
        'desk.message-received.v1',
        { clocks: [begun] },
        at('10:00:00'),
      ]),
    ).toBe(at('12:00:00'));
  });
});
