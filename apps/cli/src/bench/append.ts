import { randomBytes } from 'node:crypto';
import { uuidV7 } from '#kernel';
import { openEventStoreDbLog } from '#adapters/log-eventstoredb';
import { openPostgresLog, openPostgresSeal } from '#adapters/log-postgres';
import { NO_STREAM, type EventStore } from '#engine/store';
import { percentile, type BenchContext } from './bench.js';
import { doubleIn } from './eventstoredb.js';
import { bareClient } from './references/bare-client.js';
import { emmett, type Appender } from './references/emmett.js';

const ROUND_MS = 4_000;
const WARM_UP_MS = 1_000;

/** What Emmett did on the machine that DESIGN section 10 was measured on, appends a second (toolchain.md). */
const EMMETT = { 1: 900, 64: 2_200, 512: 2_100 } as const;

/** 1 KB of JSON that does not compress to nothing. */
const body = (): object => ({ text: randomBytes(730).toString('base64') });

const freshId = () => uuidV7(Date.now(), randomBytes(10));

function through(log: EventStore): Appender {
  return {
    append: async (stream, data) => {
      const answer = await log.append({
        stream,
        expected: NO_STREAM,
        events: [{ id: freshId(), type: 'desk.ticket-opened.v1', body: JSON.stringify(data) }],
      });
      if (answer.outcome !== 'appended' || answer.repeated)
        throw new Error(`not appended: ${answer.outcome}`);
    },
    close: () => log.close(),
  };
}

/** Appends of a number of callers, each waiting for its own answer; answers appends a second. */
async function drive(
  appender: Appender,
  callers: number,
  milliseconds: number,
  times: number[] = [],
): Promise<number> {
  const bodies = Array.from({ length: 64 }, body);
  const began = performance.now();
  const end = began + milliseconds;
  let count = 0;
  await Promise.all(
    Array.from({ length: callers }, async () => {
      for (let now = performance.now(); now < end;) {
        await appender.append(`ticket-${freshId()}`, bodies[count++ % bodies.length]!);
        const answered = performance.now();
        times.push(answered - now);
        now = answered;
      }
    }),
  );
  return (count * 1000) / (performance.now() - began);
}

export async function append(bench: BenchContext): Promise<void> {
  if (bench.log !== 'eventstoredb') await overPostgres(bench);
  if (bench.log !== 'postgres') await overEventStoreDb(bench);
}

const nameOf = (callers: number): string => (callers === 1 ? '1 caller' : `${callers} callers`);

async function overPostgres(bench: BenchContext): Promise<void> {
  for (const callers of [1, 64, 512] as const) {
    const name = nameOf(callers);
    bench.progress(name);
    const covenant = through(await openPostgresLog({ url: await bench.database() }));
    const reference = await emmett(await bench.database());
    try {
      await drive(reference, callers, WARM_UP_MS);
      await drive(covenant, callers, WARM_UP_MS);
      const times: number[] = [];
      await bench.compare({
        name,
        unit: 'appends/s',
        ours: () => drive(covenant, callers, ROUND_MS, times),
        reference: () => drive(reference, callers, ROUND_MS),
        recorded: EMMETT[callers],
        bar: name,
      });
      bench.figure(`${name} p99`, percentile(times, 0.99), 'ms');
    } finally {
      await covenant.close();
      await reference.close();
    }
  }
}

/** The adapter against the bare client, on one server: the double, or the one that EVENTSTORE_URL names. */
async function overEventStoreDb(bench: BenchContext): Promise<void> {
  const double = bench.eventStoreUrl === undefined ? await doubleIn(bench.folder) : null;
  const url = bench.eventStoreUrl ?? double!.url;
  const seal = await openPostgresSeal({ url: await bench.database() });
  const covenant = through(await openEventStoreDbLog({ url, categories: ['ticket'], seal }));
  const reference = bareClient(url);
  try {
    for (const callers of [1, 64, 512] as const) {
      const name = `${nameOf(callers)} over EventStoreDB`;
      bench.progress(name);
      await drive(reference, callers, WARM_UP_MS);
      await drive(covenant, callers, WARM_UP_MS);
      await bench.compare({
        name,
        unit: 'appends/s',
        ours: () => drive(covenant, callers, ROUND_MS),
        reference: () => drive(reference, callers, ROUND_MS),
        bar: name,
      });
    }
  } finally {
    await reference.close();
    await covenant.close();
    await seal.close();
    await double?.stop();
  }
}
