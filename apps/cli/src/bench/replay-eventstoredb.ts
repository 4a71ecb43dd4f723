import { randomBytes } from 'node:crypto';
import { openEventStoreDbLog } from '#adapters/log-eventstoredb';
import { openPostgresSeal } from '#adapters/log-postgres';
import { NO_STREAM } from '#engine/store';
import { uuidV7 } from '#kernel';
import type { BenchContext } from './bench.js';
import { doubleIn } from './eventstoredb.js';
import { bareClient } from './references/bare-client.js';
import { pages } from './replay.js';

const EVENTS = 20_000;
const AT_ONCE = 256;

/** The whole log read by the adapter and parsed, against the bare client on the same server. */
export async function replayOverEventStoreDb(bench: BenchContext): Promise<void> {
  const double = bench.eventStoreUrl === undefined ? await doubleIn(bench.folder) : null;
  const url = bench.eventStoreUrl ?? double!.url;
  const seal = await openPostgresSeal({ url: await bench.database() });
  const log = await openEventStoreDbLog({ url, categories: ['ticket'], seal });
  const reference = bareClient(url);
  const rate = async (work: () => Promise<number>): Promise<number> => {
    const began = performance.now();
    const count = await work();
    return (count * 1000) / (performance.now() - began);
  };
  const ours = async (): Promise<number> => {
    let count = 0;
    for await (const page of pages(log)) for (const { body } of page) if (JSON.parse(body) !== null) count++;
    return count;
  };
  try {
    bench.progress(`writing ${EVENTS} events`);
    let left = EVENTS;
    const write = async (): Promise<void> => {
      while (left-- > 0) {
        const id = uuidV7(Date.now(), randomBytes(10));
        const body = JSON.stringify({ text: randomBytes(660).toString('base64') });
        const events = [{ id, type: 'desk.ticket-opened.v1', body }];
        await log.append({ stream: `ticket-${id}`, expected: NO_STREAM, events });
      }
    };
    await Promise.all(Array.from({ length: AT_ONCE }, write));
    await ours();
    await reference.readAll();
    await bench.compare({
      name: 'events read over EventStoreDB',
      unit: 'events/s',
      ours: () => rate(ours),
      reference: () => rate(reference.readAll),
      bar: 'reading over EventStoreDB',
    });
  } finally {
    await reference.close();
    await log.close();
    await seal.close();
    await double?.stop();
  }
}
