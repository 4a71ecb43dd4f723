import { describe, expect, it } from '@jest/globals';
import type { Explained, Origin } from '#domain/desk';
import { compileCalendar, ledger, type ClockFact } from '#domain/sla';
import { instant, type PersonId, type Uuid } from '#kernel';
import { explainedAsText } from './table.js';

const ALICE = '00000000-0000-8000-8000-000000000011' as PersonId;
const at = (text: string) => instant(`2026-06-${text}Z`);
const origin = (revision: number, type: Origin['type'], role: Origin['by']['role'] = 'agent'): Origin => ({
  event: `00000000-0000-8000-8000-00000000100${revision}` as Uuid,
  revision,
  type,
  at: at('08T13:00:00'),
  by: { id: ALICE, role },
});
const newYork = compileCalendar('office@1', [
  {
    effective: -Infinity,
    definition: {
      zone: 'America/New_York',
      weekly: [{ days: [1, 2, 3, 4, 5], from: '09:00', to: '17:00' }],
    },
  },
]);

/** Monday 8 June 2026, four hours behind UTC: started at ten, paused at four until ten of the next day. */
function paused(agrees = true): Explained {
  const start: ClockFact = { type: 'start', at: at('08T14:00:00'), target: 8 * 3600, calendar: newYork };
  const facts = [
    { ...start, source: origin(0, 'desk.ticket-opened.v1') },
    {
      type: 'pause',
      at: at('08T20:00:00'),
      reason: 'requester',
      source: origin(1, 'desk.ticket-held.v1'),
    } as const,
    {
      type: 'resume',
      at: at('09T14:00:00'),
      reason: 'requester',
      source: origin(2, 'desk.ticket-resumed.v1', 'system'),
    } as const,
  ];
  const { clock, lines } = ledger(facts, at('09T14:30:00'));
  return {
    standing: {
      clock: 'resolution',
      cycle: 1,
      state: 'running',
      startedAt: clock.startedAt,
      target: clock.target,
      consumed: clock.consumed,
      asOf: clock.asOf,
      due: clock.due,
      reasons: [],
      breachedAt: null,
      policy: 'default@1',
      calendar: 'office@1',
      zone: 'America/New_York',
      tzdb: '2026f',
      breached: false,
      warnings: [],
      remaining: clock.target - clock.consumed,
    },
    lines,
    agrees,
  };
}

const called = (person: PersonId): string | null => (person === ALICE ? 'alice' : null);
const text = (explained: Explained, zone: string): string =>
  [...explainedAsText(explained, zone, called)].join('\n');

describe('An explained clock as text', () => {
  it('has every line in the zone of the reader and in that of the calendar', () => {
    const told = text(paused(), 'Asia/Shanghai').split('\n');
    expect(told.slice(0, 4)).toEqual([
      'resolution, cycle 1: running',
      '  promised 8:00:00 of open hours by policy default@1, calendar office@1 in America/New_York, zone rules 2026f',
      '  consumed 6:30:00, remaining 1:30:00, due 2026-06-10T00:00:00+08:00',
      '',
    ]);
    const cells = told.slice(4, -1).map((line) => line.trim().split(/ {2,}/).join(' | '));
    const [opened, held, resumed] = [
      '#0 desk.ticket-opened.v1',
      '#1 desk.ticket-held.v1',
      '#2 desk.ticket-resumed.v1',
    ];
    expect(cells).toEqual([
      'from (Asia/Shanghai) | to | from (America/New_York) | to | what | counted | sum | event',
      `2026-06-08T22:00:00+08:00 | 2026-06-08T10:00:00-04:00 | started: 8:00:00 promised | 0:00:00 | ${opened}`,
      `2026-06-08T22:00:00+08:00 | 2026-06-09T04:00:00+08:00 | 2026-06-08T10:00:00-04:00 | 2026-06-08T16:00:00-04:00 | open | 6:00:00 | 6:00:00 | ${opened}`,
      `2026-06-09T04:00:00+08:00 | 2026-06-09T22:00:00+08:00 | 2026-06-08T16:00:00-04:00 | 2026-06-09T10:00:00-04:00 | paused for requester by alice (agent); 2:00:00 of it open | 6:00:00 | ${held}`,
      `2026-06-09T22:00:00+08:00 | 2026-06-09T22:30:00+08:00 | 2026-06-09T10:00:00-04:00 | 2026-06-09T10:30:00-04:00 | open | 0:30:00 | 6:30:00 | ${resumed}`,
      `> | 2026-06-09T22:30:00+08:00 | 2026-06-10T00:00:00+08:00 | 2026-06-09T10:30:00-04:00 | 2026-06-09T12:00:00-04:00 | open | 1:30:00 | 8:00:00 | ${resumed}`,
    ]);
    expect(new Set(told.slice(5, -1).map((line) => line.indexOf('#'))).size).toBe(1);
  });

  it('tells warnings, what annulled one, and that a cycle begins', () => {
    const { standing, agrees } = paused();
    const when = at('09T14:00:00');
    const common = { from: when, to: when, cycle: 2, counted: 0, sum: 0, source: null, ahead: false };
    const share = { numerator: 1, denominator: 2 };
    const terms = { target: 3600, calendar: 'office@1', zone: 'America/New_York' };
    const lines = [
      { ...common, kind: 'warned' as const, ...share },
      { ...common, kind: 'warning-annulled' as const, ...share, cause: 'desk.message-sent.v1' },
      { ...common, kind: 'restarted' as const, ...terms },
    ];
    const told = text({ standing, agrees, lines }, 'America/New_York');
    expect(told).toContain('warned: 1/2 of it used up');
    expect(told).toContain('the warning at 1/2 annulled: desk.message-sent.v1 made it untrue');
    expect(told).toContain('cycle 2 begins: 1:00:00 promised');
  });

  it('says its times once where the reader sits where the calendar does', () => {
    const told = text(paused(), 'America/New_York');
    expect(told).toContain('from (America/New_York)    to                         what');
    expect(told).toContain('due 2026-06-09T12:00:00-04:00');
  });

  it('says so where its lines do not come to what was recorded', () => {
    expect(text(paused(), 'UTC')).not.toContain('NOTE');
    expect(text(paused(false), 'UTC')).toContain('NOTE: the lines do not come to what the events recorded');
  });
});
