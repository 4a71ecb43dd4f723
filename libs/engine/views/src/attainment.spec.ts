import { describe, expect, it } from '@jest/globals';
import { clock, freshTicket, History } from '#engine/views/testing';
import { builtInPolicies } from '#domain/sla/testing';
import { instant, type Instant } from '#kernel';
import { attained, compareAttained, type Attained, type AttainmentAsked } from './attaining.js';
import { attainment, attainmentKey, attainmentSubject, type AttainmentRow } from './attainment.js';
import { foldEvents } from './folding.js';

// Monday to Friday 09:00 to 18:00; 24 November 2026 was a Tuesday.
const UTC = builtInPolicies('UTC');
const at = (time: string, date = '2026-11-24'): Instant => instant(`${date}T${time}:00Z`);
const first = (changes: Parameters<typeof clock>[1] = {}) => clock('first-response', changes);
const resolution = (changes: Parameters<typeof clock>[1] = {}) => clock('resolution', changes);

function rowOf(history: History, stream: string): AttainmentRow {
  const events = history.events.filter((event) => event.stream === stream);
  const [row] = foldEvents(attainment, events, () => null, new Map()).rows.values();
  return row as AttainmentRow;
}

const outcomes = ({ cycles }: AttainmentRow): readonly string[] =>
  cycles.map((each) => `${each.clock}/${each.cycle} ${each.outcome} ${each.month}`);

async function* each<T>(all: readonly T[]): AsyncGenerator<T> {
  yield* all;
}

async function report(
  history: History,
  now: Instant,
  asked: AttainmentAsked = {},
): Promise<readonly Attained[]> {
  const { rows, tallies } = foldEvents(attainment, history.events, () => null, new Map());
  const all = [...rows.values()] as AttainmentRow[];
  const source = {
    now: async () => now,
    tallies: async () => tallies.map(({ by, ...tally }) => ({ ...tally, count: by })),
    waited: (months: readonly string[]) =>
      each(all.filter(({ waitedIn }) => waitedIn.some((month) => months.includes(month)))),
    metSince: (since: Instant) => each(all.filter(({ metAt }) => metAt !== null && metAt >= since)),
  };
  return (await attained(source, asked, UTC)).lines;
}

/** A ticket opened under both promises. */
function opened(history = new History()): { readonly history: History; readonly stream: string } {
  const stream = freshTicket();
  history.ticket(stream, 'desk.ticket-opened.v1', { clocks: [first(), resolution()] });
  return { history, stream };
}

describe('A cycle of a promise', () => {
  it('is open in the month in which it will be due, and in none while it is paused', () => {
    const { history, stream } = opened();
    expect(outcomes(rowOf(history, stream))).toEqual([
      'first-response/1 open 2026-11',
      'resolution/1 open 2026-11',
    ]);
    history.ticket(stream, 'desk.ticket-held.v1');
    expect(outcomes(rowOf(history, stream))[1]).toBe('resolution/1 open null');
  });

  it('counts in the month in which its due passed, however late it was answered', () => {
    const { history, stream } = opened();
    const due = at('13:00');
    history.ticket(stream, 'sla.clock-breached.v1', { due });
    expect(outcomes(rowOf(history, stream))[0]).toBe('first-response/1 open-breached 2026-11');
    const answered = at('10:00', '2026-12-01');
    history.ticket(
      stream,
      'desk.message-sent.v1',
      { clocks: [first({ state: 'missed', change: 'stopped', breachedAt: due, due, asOf: answered })] },
      { occurredAt: answered },
    );
    expect(outcomes(rowOf(history, stream))[0]).toBe('first-response/1 missed 2026-11');
  });

  it('counts in the civil month of its calendar’s zone', () => {
    const history = new History();
    const stream = freshTicket();
    // 30 November, 20:00 in New York.
    const due = at('01:00', '2026-12-01');
    history.ticket(stream, 'desk.ticket-opened.v1', { clocks: [first({ due, zone: 'America/New_York' })] });
    expect(outcomes(rowOf(history, stream))).toEqual(['first-response/1 open 2026-11']);
  });

  it('is taken back from among the missed where its breach is annulled, in either order with a new one', () => {
    const { history, stream } = opened();
    const due = at('13:00');
    history.ticket(stream, 'sla.clock-breached.v1', { due });
    history.ticket(stream, 'desk.message-sent.v1', {
      clocks: [first({ state: 'met', change: 'corrected', asOf: at('12:00') })],
    });
    history.ticket(stream, 'sla.breach-annulled.v1', { due });
    expect(outcomes(rowOf(history, stream))[0]).toBe('first-response/1 met 2026-11');

    const other = opened();
    const moved = at('14:00');
    other.history.ticket(other.stream, 'sla.clock-breached.v1', { due });
    other.history.ticket(other.stream, 'sla.clock-breached.v1', { due: moved });
    other.history.ticket(other.stream, 'sla.breach-annulled.v1', { due });
    expect(rowOf(other.history, other.stream).cycles[0]).toMatchObject({
      outcome: 'open-breached',
      breaches: [moved],
    });
  });

  it('opens again with a reopen that goes on, and stands beside the next one where it begins anew', () => {
    const { history, stream } = opened();
    history.ticket(stream, 'desk.ticket-resolved.v1');
    expect(outcomes(rowOf(history, stream))[1]).toBe('resolution/1 met 2026-11');
    history.ticket(stream, 'desk.ticket-reopened.v1', {
      clocks: [resolution({ change: 'reopened', due: at('09:00', '2026-12-01') })],
    });
    expect(outcomes(rowOf(history, stream))[1]).toBe('resolution/1 open 2026-12');
    history.ticket(stream, 'desk.ticket-resolved.v1', {}, { occurredAt: at('12:00') });
    history.ticket(stream, 'desk.ticket-reopened.v1', {
      mode: 'restart',
      clocks: [resolution({ change: 'restarted', cycle: 2, due: at('09:00', '2027-01-04') })],
    });
    expect(outcomes(rowOf(history, stream)).slice(1)).toEqual([
      'resolution/1 met 2026-11',
      'resolution/2 open 2027-01',
    ]);
  });

  it('is counted once where two tickets became one, its breach where it was recorded', () => {
    const due = at('13:00');
    const history = new History();
    const [survivor, duplicate] = [opened(history).stream, opened(history).stream];
    history.ticket(duplicate, 'sla.clock-breached.v1', { clock: 'resolution', due });
    history.ticket(duplicate, 'desk.ticket-merged.v1', {
      clocks: [first({ state: 'merged' }), resolution({ state: 'merged', breachedAt: due })],
    });
    history.ticket(survivor, 'desk.merge-completed.v1', {
      clocks: [resolution({ change: 'adopted', breachedAt: due, due })],
    });
    // Of the duplicate: its first response ended unbreached, its resolution was breached.
    expect(outcomes(rowOf(history, duplicate))).toEqual([
      'first-response/1 merged 2026-11',
      'resolution/1 missed 2026-11',
    ]);
    expect(outcomes(rowOf(history, survivor))[1]).toBe('resolution/1 merged 2026-11');
    history.ticket(survivor, 'desk.ticket-resolved.v1', {
      clocks: [resolution({ state: 'missed', change: 'stopped', breachedAt: due, due })],
    });
    expect(outcomes(rowOf(history, survivor))[1]).toBe('resolution/1 merged 2026-11');
    // Its own breach, recorded before the merge, is not lost by what the merge brought along.
    const late = opened(history).stream;
    history.ticket(late, 'sla.clock-breached.v1', { clock: 'resolution', due: at('15:00') });
    history.ticket(late, 'desk.merge-completed.v1', {
      clocks: [resolution({ change: 'adopted', breachedAt: due, due })],
    });
    expect(outcomes(rowOf(history, late))[1]).toBe('resolution/1 open-breached 2026-11');
  });

  it('stands under the priority of the ticket when it ended', () => {
    const { history, stream } = opened();
    history.ticket(stream, 'desk.message-sent.v1', {
      clocks: [first({ state: 'met', change: 'stopped', asOf: at('10:00') })],
    });
    const { cycles: before } = rowOf(history, stream);
    expect(before.map(({ priority }) => priority)).toEqual([3, 3]);
    history.ticket(stream, 'desk.ticket-prioritised.v1', { clocks: [] }, { occurredAt: at('11:00') });
    expect(rowOf(history, stream).cycles.map(({ priority }) => priority)).toEqual([3, 1]);
  });

  it('of a promise that this view has never heard of is counted as the others are', () => {
    const { history, stream } = opened();
    const unheard = 'a-promise-to-come' as 'resolution';
    history.ticket(stream, 'desk.message-received.v1', { clocks: [clock(unheard)] });
    history.ticket(stream, 'desk.message-sent.v1', {
      clocks: [clock(unheard, { state: 'met', change: 'stopped' })],
    });
    history.ticket(stream, 'desk.message-received.v1', { clocks: [clock(unheard, { cycle: 2 })] });
    expect(outcomes(rowOf(history, stream)).slice(0, 2)).toEqual([
      'a-promise-to-come/1 met 2026-11',
      'a-promise-to-come/2 open 2026-11',
    ]);
  });

  it('has ended where the next one is all that is recorded of it, and never was where a correction took it back', () => {
    const { history, stream } = opened();
    history.ticket(stream, 'desk.message-sent.v1', { clocks: [first({ cycle: 2, change: 'corrected' })] });
    expect(outcomes(rowOf(history, stream)).slice(0, 2)).toEqual([
      'first-response/1 met 2026-11',
      'first-response/2 open 2026-11',
    ]);
    history.ticket(stream, 'desk.message-sent.v1', { clocks: [first({ cycle: 1, change: 'corrected' })] });
    expect(outcomes(rowOf(history, stream))[0]).toBe('first-response/1 open 2026-11');
    expect(rowOf(history, stream).cycles).toHaveLength(2);
  });
});

describe('The report of attainment', () => {
  it('tells the share met of what is decided, and counts the rest beside it', async () => {
    const history = new History();
    const [met, late, none] = [opened(history).stream, opened(history).stream, opened(history).stream];
    history.ticket(met, 'desk.message-sent.v1', {
      clocks: [first({ state: 'met', change: 'stopped', asOf: at('10:00'), consumed: 3_600 })],
    });
    history.ticket(late, 'sla.clock-breached.v1', { due: at('13:00') });
    history.ticket(none, 'desk.ticket-resolved.v1', {
      clocks: [first({ state: 'not-applicable', change: 'ended' }), resolution({ state: 'met' })],
    });
    const [line, ...rest] = await report(history, at('15:00'), { clock: 'first-response' });
    expect(rest).toEqual([]);
    expect(line).toEqual({
      month: '2026-11',
      policy: 'default@1',
      tier: 'base',
      priority: 3,
      clock: 'first-response',
      cycles: 3,
      met: 1,
      provisional: 0,
      missed: 0,
      open: 0,
      openBreached: 1,
      notApplicable: 1,
      notEvidenced: 0,
      merged: 0,
      attainment: 0.5,
      consumed: 3_600,
      paused: 0,
      pausedShare: 0,
    });
  });

  it('calls a resolve provisional until its reopen window has passed, to the second', async () => {
    const { history, stream } = opened();
    history.ticket(
      stream,
      'desk.ticket-resolved.v1',
      { clocks: [resolution({ state: 'met', change: 'stopped', asOf: at('16:00') })] },
      { occurredAt: at('16:00') },
    );
    const provisional = async (now: Instant): Promise<number> =>
      (await report(history, now, { clock: 'resolution' }))[0]!.provisional;
    // Five business days after Tuesday the 24th: until Tuesday the 1st at closing time.
    expect(await provisional(at('18:00', '2026-12-01'))).toBe(1);
    expect(await provisional(instant('2026-12-01T18:00:01Z'))).toBe(0);
  });

  it('tells the open time that promises were paused for, without the rest after a resolve', async () => {
    const { history, stream } = opened();
    const open = (from: string) => resolution({ change: 'resumed', asOf: at(from) });
    history.ticket(
      stream,
      'desk.ticket-held.v1',
      { clocks: [resolution({ state: 'paused', change: 'paused', asOf: at('10:00'), due: null })] },
      { occurredAt: at('10:00') },
    );
    history.ticket(
      stream,
      'desk.ticket-resumed.v1',
      { clocks: [open('12:00')] },
      { occurredAt: at('12:00') },
    );
    const resolve = (time: string, consumed: number): void =>
      void history.ticket(
        stream,
        'desk.ticket-resolved.v1',
        { clocks: [resolution({ state: 'met', change: 'stopped', asOf: at(time), consumed })] },
        { occurredAt: at(time) },
      );
    resolve('13:00', 2 * 3_600);
    history.ticket(
      stream,
      'desk.ticket-reopened.v1',
      { clocks: [open('15:00')] },
      { occurredAt: at('15:00') },
    );
    resolve('16:00', 3 * 3_600);
    const [line] = await report(history, at('17:00'), { clock: 'resolution' });
    // Opened at nine, resolved at four: three hours used, two of rest, two paused.
    expect(line).toMatchObject({ met: 1, consumed: 3 * 3_600, paused: 2 * 3_600, pausedShare: 0.4 });
  });

  it('takes a policy by its version or by its name, and every other part of a line by what it is', async () => {
    const { history } = opened();
    const lines = async (asked: AttainmentAsked): Promise<number> =>
      (await report(history, at('10:00'), asked)).length;
    expect(await lines({ policy: 'default' })).toBe(2);
    expect(await lines({ policy: 'default@1' })).toBe(2);
    expect(await lines({ policy: 'def' })).toBe(0);
    expect(await lines({ policy: 'default@2' })).toBe(0);
    expect(await lines({ month: '2026-11', tier: 'base', priority: 3 })).toBe(2);
    expect(await lines({ month: '2026-12' })).toBe(0);
    expect(await lines({ tier: 'vip' })).toBe(0);
    expect(await lines({ priority: 1 })).toBe(0);
  });

  it('keeps its lines in one order, what is due at no instant last', () => {
    const key = {
      month: '2026-11',
      clock: 'resolution',
      tier: 'base',
      priority: 3,
      policy: 'a/b@1',
    } as const;
    expect(attainmentKey(attainmentSubject(key, key.tier))).toEqual(key);
    expect(attainmentKey(attainmentSubject({ ...key, month: null }, key.tier)).month).toBeNull();
    const sorted = [{ ...key, month: null }, key, { ...key, month: '2026-09' }, { ...key, priority: 1 }].sort(
      compareAttained,
    );
    expect(sorted.map(({ month, priority }) => `${month} ${priority}`)).toEqual([
      '2026-09 3',
      '2026-11 1',
      '2026-11 3',
      'null 3',
    ]);
  });
});
