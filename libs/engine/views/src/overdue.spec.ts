import { describe, expect, test } from '@jest/globals';
import { foldEvents, tickets, type TicketRow } from '#engine/views';
import { at, clock, freshTicket, History } from '#engine/views/testing';
import type { TicketEvent } from '#domain/desk';
import type { Instant } from '#kernel';

type Step = readonly [type: TicketEvent['type'], data: object];

/** Since when a ticket is overdue after these. */
function overdueSince(...steps: readonly Step[]): Instant | null {
  const history = new History();
  const stream = freshTicket();
  history.ticket(stream, 'desk.ticket-opened.v1', {
    clocks: [clock('first-response', { due: at('10:00:00') }), clock('resolution', { due: at('12:00:00') })],
  });
  for (const [type, data] of steps) history.ticket(stream, type, data);
  const rows = [...foldEvents(tickets, history.events, () => null, new Map()).rows.values()];
  return (rows[0] as TicketRow).overdueSince;
}

const breached = (name: 'first-response' | 'resolution', due: string): Step => [
  'sla.clock-breached.v1',
  { clock: name, cycle: 1, due: at(due), target: 3600, policy: 'default@1' },
];
const RESPONSE = breached('first-response', '10:00:00');
const RESOLUTION = breached('resolution', '12:00:00');

describe('A ticket is marked overdue', () => {
  test('since the first due instant that passed, and not before one did', () => {
    expect(overdueSince()).toBeNull();
    expect(overdueSince(RESPONSE)).toBe(at('10:00:00'));
    expect(overdueSince(RESPONSE, RESOLUTION)).toBe(at('10:00:00'));
  });

  test('for as long as what was promised is still owed', () => {
    const missed = clock('first-response', {
      ...{ change: 'stopped', state: 'missed' },
      ...{ due: at('10:00:00'), breachedAt: at('10:00:00') },
    });
    const answered: Step = ['desk.message-sent.v1', { clocks: [missed] }];
    expect(overdueSince(RESPONSE, answered)).toBeNull();
    expect(overdueSince(RESPONSE, RESOLUTION, answered)).toBe(at('12:00:00'));
  });

  test('while it waits, too, and no longer once a late fact has annulled the breach', () => {
    const paused = clock('resolution', {
      ...{ change: 'paused', state: 'paused', reasons: ['requester'] },
      ...{ due: at('12:00:00'), breachedAt: at('12:00:00') },
    });
    expect(overdueSince(RESOLUTION, ['desk.ticket-held.v1', { clocks: [paused] }])).toBe(at('12:00:00'));
    const annulled = { clock: 'resolution', cycle: 1, due: at('12:00:00'), cause: 'desk.ticket-held.v1' };
    expect(overdueSince(RESOLUTION, ['sla.breach-annulled.v1', annulled])).toBeNull();
  });
});
