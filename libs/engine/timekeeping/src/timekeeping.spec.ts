import { beforeEach, describe, expect, it } from '@jest/globals';
import { createHash } from 'node:crypto';
import {
  ticket,
  ticketStream,
  type TicketCommand,
  type TicketEvent,
  type TicketRefusal,
  type TicketState,
} from '#domain/desk';
import { builtInPolicies, everyPromisePolicies } from '#domain/sla/testing';
import { everyEvent } from '#engine/catalogue';
import {
  codec,
  LogUnavailable,
  memoryLog,
  memoryVault,
  OlderThanLog,
  transactor,
  type EventStore,
  type Means,
  type MemoryLog,
  type Transactor,
} from '#engine/store';
import { pendingDues, type Noted, type PendingDueRow } from '#engine/views';
import {
  HOUSE,
  instant,
  START,
  silent,
  toSeconds,
  type Actor,
  type Instant,
  type Micros,
  type Uuid,
} from '#kernel';
import { keepTime, recording, type DueRow, type Recorder, type Timekeeping } from './index.js';

const id = (n: number): Uuid => `00000000-0000-8000-8000-${String(n).padStart(12, '0')}` as Uuid;
const AGENT: Actor = { id: id(1), role: 'agent' };
const policies = builtInPolicies('UTC');
/** A Monday in opening hours: of priority 1, first response is due 30 min later, resolution 4 h later. */
const MORNING = instant('2026-11-02T10:00:00Z');
const FIRST_DUE = instant('2026-11-02T10:30:00Z');
const RESOLUTION_DUE = instant('2026-11-02T14:00:00Z');

const micros = (at: Instant, seconds = 0): Micros => (toSeconds(at) + seconds) * 1_000_000;

let serverTime: Micros;
let log: MemoryLog;
let means: Means;
let tickets: Transactor<TicketState, TicketCommand, TicketEvent, TicketRefusal>;

beforeEach(() => {
  let count = 0;
  const chance: Means['chance'] = {
    bytes: (length) => createHash('sha512').update(`${count++}`).digest().subarray(0, length),
  };
  serverTime = micros(MORNING);
  log = memoryLog({ clock: () => serverTime });
  means = {
    store: log,
    codec: codec({ catalogue: everyEvent, vault: memoryVault(chance), chance }),
    chance,
    clock: { now: () => serverTime / 1000 },
    engine: '1',
  };
  tickets = transactor({ ...means, decider: ticket });
});

const asking = (n: number) => ({ stream: ticketStream(id(n)), actor: AGENT, correlation: 'test' });

async function opens(
  n: number,
  more: { importing?: boolean; priority?: 1 | 2; policies?: typeof policies } = {},
): Promise<void> {
  await tickets.transact(asking(n), (occurredAt) => ({
    type: 'open-ticket',
    occurredAt,
    by: AGENT,
    policies: more.policies ?? policies,
    number: `T-${n}`,
    channel: 'phone',
    requester: id(2),
    tier: 'base',
    priority: more.priority ?? 1,
    subject: 'printer',
    text: 'it burns',
    policy: 'default',
    importing: more.importing ?? false,
    carriesMessages: true,
  }));
}

async function resolves(n: number): Promise<void> {
  await tickets.transact(asking(n), (occurredAt) => ({
    type: 'resolve-ticket',
    occurredAt,
    by: AGENT,
    policies,
    resolution: 'solved',
  }));
}

const events = async (): Promise<Noted[]> =>
  (await log.readAll(START, 100_000)).map((event) => means.codec.decode(event) as Noted);
const breaches = async () =>
  (await events()).flatMap(({ stream, type, occurredAt, actor }) =>
    type === 'sla.clock-breached.v1' ? [{ stream, occurredAt, by: actor.id }] : [],
  );

/** The read model as folded up to some event; all of them unless told. */
async function folded(upTo = Infinity): Promise<PendingDueRow[]> {
  const rows = new Map<string, PendingDueRow>();
  for (const event of (await events()).slice(0, upTo))
    if (event.stream.startsWith('ticket-'))
      rows.set(event.stream, pendingDues.fold(rows.get(event.stream) ?? null, event as never));
  return [...rows.values()];
}

function duesOf(read: () => Promise<readonly PendingDueRow[]>): Timekeeping['dues'] {
  const due = async (): Promise<DueRow[]> =>
    (await read())
      .flatMap((row) => (row.due === null ? [] : [{ ...row, ticket: row.ticket as Uuid, due: row.due }]))
      .sort((a, b) => (a.due + a.ticket < b.due + b.ticket ? -1 : 1));
  return {
    pending: async (until, limit, after) =>
      (await due())
        .filter((row) => row.due <= until && (!after || row.due + row.ticket > after.due + after.ticket))
        .slice(0, limit),
    next: async () => (await due())[0]?.due ?? null,
  };
}

/** Runs the loop for so many turns, telling each pause to `between`. */
async function turns(
  count: number,
  changes: Partial<Timekeeping> = {},
  between: (turn: number) => void | Promise<void> = () => {},
): Promise<number[]> {
  const stop = new AbortController();
  const pauses: number[] = [];
  await keepTime(
    {
      dues: duesOf(folded),
      now: () => log.now(),
      record: recording(means),
      admitted: () => {},
      logger: silent,
      pause: async (milliseconds) => {
        pauses.push(milliseconds);
        await between(pauses.length);
        if (pauses.length >= count) stop.abort();
      },
      ...changes,
    },
    stop.signal,
  );
  return pauses;
}

describe('A due instant that passes', () => {
  it('is recorded from one second after it on, with the instant as when it occurred', async () => {
    await opens(1);
    serverTime = micros(FIRST_DUE, 0.999);
    await turns(1);
    expect(await breaches()).toEqual([]);
    serverTime = micros(FIRST_DUE, 1);
    await turns(1);
    expect(await breaches()).toEqual([{ stream: ticketStream(id(1)), occurredAt: FIRST_DUE, by: HOUSE }]);
  });

  it('is recorded once, however often and by however many it is looked at', async () => {
    await opens(1);
    serverTime = micros(RESOLUTION_DUE, 60);
    await Promise.all([turns(3), turns(3), turns(3)]);
    expect((await breaches()).map(({ occurredAt }) => occurredAt)).toEqual([FIRST_DUE, RESOLUTION_DUE]);
  });

  it('tells how late it was recorded', async () => {
    await opens(1);
    serverTime = micros(FIRST_DUE, 3.5);
    const lateness: number[] = [];
    await turns(1, { watch: { recorded: (seconds) => lateness.push(seconds) } });
    expect(lateness).toEqual([2.5]);
  });

  it('is met in due order, those of the longest wait first', async () => {
    await opens(1, { priority: 2 });
    await opens(2);
    await opens(3, { priority: 2 });
    serverTime = micros(RESOLUTION_DUE);
    await turns(1, { together: 1 });
    const order = (await breaches()).map(({ occurredAt }) => occurredAt);
    expect(order).toHaveLength(3);
    expect(order).toEqual([...order].sort());
  });

  it('is met however many pages of others stand before it', async () => {
    for (let n = 1; n <= 603; n++) await opens(n);
    serverTime = micros(FIRST_DUE, 1);
    await turns(1);
    expect(await breaches()).toHaveLength(603);
  });

  it('is left to the log: a promise that was kept meanwhile is not broken, though the read model is behind', async () => {
    await opens(1);
    const before = (await events()).length;
    await resolves(1);
    serverTime = micros(RESOLUTION_DUE, 60);
    await turns(2, { dues: duesOf(() => folded(before)) });
    expect(await breaches()).toEqual([]);
  });

  it('is nobody’s business while the case is being taken in', async () => {
    await opens(1, { importing: true });
    serverTime = micros(RESOLUTION_DUE, 60);
    await turns(1);
    const record = recording(means);
    expect((await record(id(1), serverTime)).lateness).toEqual([]);
    expect(await breaches()).toEqual([]);
  });
});

describe('A warning', () => {
  const WARNED = instant('2026-11-02T10:22:30Z');
  const warnings = async () =>
    (await events()).flatMap((event) =>
      event.type === 'sla.clock-warned.v1' && event.data.clock === 'first-response'
        ? [{ occurredAt: event.occurredAt, by: event.actor.id }]
        : [],
    );

  beforeEach(() => opens(1, { policies: everyPromisePolicies('UTC') }));

  it('is recorded once from its own instant on, and tells how late it was', async () => {
    const late: number[] = [];
    const watch = { recorded: (seconds: number) => late.push(seconds) };
    serverTime = micros(WARNED, -0.001);
    await turns(1, { watch });
    expect(await warnings()).toEqual([]);
    serverTime = micros(WARNED, 0.25);
    await turns(2, { watch });
    expect(await warnings()).toEqual([{ occurredAt: WARNED, by: HOUSE }]);
    expect(late).toEqual([0.25]);
  });

  it('is waited for like a due instant', async () => {
    serverTime = micros(WARNED, -0.2);
    expect(await turns(1)).toEqual([200]);
  });
});

describe('Dues that passed by the thousand in an outage', () => {
  /** After the last first response is due, before the first resolution. */
  const AFTER = instant('2026-11-02T13:30:00Z');
  let rows: readonly PendingDueRow[];

  async function outage(tickets: number): Promise<void> {
    for (let n = 1; n <= tickets; n++) {
      await opens(n);
      serverTime += 1_000_000;
    }
    rows = await folded();
    serverTime = micros(AFTER);
  }

  /** Each due once, and nothing else. */
  async function allRecorded(): Promise<void> {
    const recorded = await breaches();
    expect(recorded).toHaveLength(rows.length);
    expect(new Set(recorded.map(({ stream }) => stream)).size).toBe(rows.length);
    const dues = new Map(rows.map(({ ticket, due }) => [ticketStream(ticket as Uuid), due]));
    for (const { stream, occurredAt } of recorded) expect(occurredAt).toBe(dues.get(stream));
  }

  it('are recorded in due order, a page and some histories in memory at once', async () => {
    await outage(10_000);
    let together = 0;
    let page = 0;
    const store: EventStore = {
      ...log,
      readStreams: (streams) => {
        together = Math.max(together, streams.length);
        return log.readStreams(streams);
      },
    };
    const dues = duesOf(async () => rows);
    await turns(2, {
      record: recording({ ...means, store }),
      together: 100,
      dues: {
        ...dues,
        pending: (until, limit, after) => {
          page = Math.max(page, limit);
          return dues.pending(until, limit, after);
        },
      },
    });
    await allRecorded();
    const order = (await breaches()).map(({ occurredAt }) => occurredAt);
    expect(order).toEqual([...order].sort());
    expect(together).toBe(100);
    expect(page).toBeLessThanOrEqual(500);
  }, 60_000);

  it('are recorded once by two timekeepers at once, of which one forgets most of what it has looked at', async () => {
    await outage(2_000);
    const dues = duesOf(async () => rows);
    await Promise.all([turns(1, { dues }), turns(2, { dues, remembered: 10 })]);
    await allRecorded();
  });
});

describe('The loop', () => {
  it('looks at a ticket once until the read model has passed what it saw', async () => {
    await opens(1);
    const before = (await events()).length;
    serverTime = micros(FIRST_DUE, 1);
    let behind = true;
    let looks = 0;
    const record: Recorder = (...asked) => {
      looks++;
      return recording(means)(...asked);
    };
    await turns(4, { record, dues: duesOf(() => folded(behind ? before : Infinity)) }, (turn) => {
      behind = turn < 3;
      if (turn === 3) serverTime = micros(RESOLUTION_DUE, 1);
    });
    expect(looks).toBe(2);
    expect((await breaches()).map(({ occurredAt }) => occurredAt)).toEqual([FIRST_DUE, RESOLUTION_DUE]);
  });

  it('wakes for the next due instant, and looks in between for tickets that came later', async () => {
    await opens(1);
    serverTime = micros(FIRST_DUE, 0.8);
    expect(await turns(1)).toEqual([200]);
    serverTime = micros(MORNING);
    expect(await turns(1)).toEqual([500]);
  });

  it('waits out an outage with growing pauses and then records what fell due in it', async () => {
    await opens(1);
    serverTime = micros(RESOLUTION_DUE, 3600);
    let down = true;
    const store: EventStore = {
      ...log,
      readStreams: (streams) =>
        down ? Promise.reject(new LogUnavailable('away')) : log.readStreams(streams),
    };
    const pauses = await turns(5, { record: recording({ ...means, store }) }, (turn) => {
      down = turn < 4;
    });
    expect(pauses.slice(0, 4)).toEqual([100, 200, 400, 800]);
    expect(await breaches()).toHaveLength(2);
  });

  it('appends nothing and fires nothing in a process whose clock is a year ahead', async () => {
    await opens(1);
    const before = await log.head();
    let looks = 0;
    await turns(3, {
      admitted: () => {
        throw new Error('the clock of this process differs from the database server’s');
      },
      record: async () => {
        looks++;
        return { revision: 0, lateness: [] };
      },
    });
    expect(looks).toBe(0);
    // And were it admitted by mistake: a timer's time is the server's alone.
    const year = { now: () => (micros(MORNING) + 31_536_000_000_000) / 1000 };
    await turns(2, { record: recording({ ...means, clock: year } as Means) });
    expect(await log.head()).toEqual(before);
  });

  it('does not let one ticket’s broken history keep the others waiting', async () => {
    await opens(1);
    await opens(2);
    serverTime = micros(FIRST_DUE, 1);
    let failures = 0;
    const record: Recorder = (ticketId, now) =>
      ticketId === id(1) ? Promise.reject(new TypeError('a hole')) : recording(means)(ticketId, now);
    await turns(3, { record, together: 1, watch: { failed: () => failures++ } });
    expect((await breaches()).map(({ stream }) => stream)).toEqual([ticketStream(id(2))]);
    expect(failures).toBe(1);
  });

  it('stops where the log speaks of events that this program does not know', async () => {
    await opens(1);
    serverTime = micros(FIRST_DUE, 1);
    const record: Recorder = () => Promise.reject(new OlderThanLog('desk.ticket-opened.v99'));
    await expect(turns(3, { record })).rejects.toThrow(OlderThanLog);
  });
});
