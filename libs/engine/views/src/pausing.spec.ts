import { describe, expect, test } from '@jest/globals';
import { foldEvents, tickets, type TicketRow } from '#engine/views';
import { at, clock, freshTicket, History, VENDOR } from '#engine/views/testing';
import type { TicketEvent } from '#domain/desk';
import type { Instant } from '#kernel';

const PAUSED = clock('resolution', { state: 'paused', change: 'paused', due: null, reasons: ['requester'] });
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
  { reason: 'requester', clocks: [PAUSED], ...more },
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
        held('12:00:00', { reason: 'vendor' }),
        ['desk.ticket-prioritised.v1', { clocks: [PAUSED] }, at('13:00:00')],
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

  test('is moved back by a reason that was recorded late, unless a later fact of its kind stands', () => {
    expect(pausedSince(held('12:00:00'), held('10:00:00', { reason: 'vendor' }))).toBe(at('10:00:00'));
    expect(
      pausedSince(held('12:00:00'), [
        'desk.ticket-handed-to-vendor.v1',
        { vendor: VENDOR, clocks: [PAUSED] },
        at('09:30:00'),
      ]),
    ).toBe(at('09:30:00'));
    expect(pausedSince(held('12:00:00'), held('10:00:00', { superseded: true }))).toBe(at('12:00:00'));
  });
});
