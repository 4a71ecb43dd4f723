import {
  BACKWARDS,
  END,
  EventStoreDBClient,
  FORWARDS,
  NO_STREAM,
  START,
  streamNameFilter,
  type AllStreamRecordedEvent,
  type BinaryEventType,
  type EventData,
  type RecordedEvent,
} from '@eventstore/db-client';
import type { LogClient, Reading, Told, WireEvent, WireMetadata, WireRecord } from './client.js';
import { bodyOf } from './wire.js';

/** Events that the server considers before a subscription hears where it stands: seldom, for it only saves work. */
const SEARCH_WINDOW = 1_000;
/** `dispose` of the library waits for streams that may never say that they have ended. */
const DISPOSE_MS = 500;

/** `@eventstore/db-client` 6.2.1. Throws where the address cannot be used. */
export function eventStoreClient(address: string): LogClient {
  const client = EventStoreDBClient.connectionString(address);
  guardAgainstLateAnswers(client);
  return {
    append: async (stream, expected, events) => {
      const { position } = await client.appendToStream(stream, events.map(eventData), {
        expectedRevision: expected < 0 ? NO_STREAM : BigInt(expected),
      });
      const commit = Number(position?.commit ?? -1n);
      // Where it cannot find the events again, the server says 2^64 - 1.
      return { position: commit >= 0 && Number.isSafeInteger(commit) ? commit : null };
    },
    readStream: (stream, from, count) =>
      reading(client.readStream(stream, { fromRevision: BigInt(from), maxCount: count })),
    readAll: (from, direction, count) =>
      reading(
        client.readAll({
          fromPosition: from === 'start' ? START : from === 'end' ? END : placeOf(from),
          direction: direction === 'forwards' ? FORWARDS : BACKWARDS,
          maxCount: count,
        }),
      ),
    follow: (after, prefixes, told) => follow(client, after, prefixes, told),
    dispose: async () => {
      await Promise.race([client.dispose(), new Promise((resolve) => setTimeout(resolve, DISPOSE_MS))]);
      // The library leaves its connection open: it would keep the process alive.
      const { getChannel } = client as unknown as { getChannel?: () => Promise<{ close(): void }> };
      (await getChannel?.())?.close();
    },
  };
}

const placeOf = (position: number) => ({ commit: BigInt(position), prepare: BigInt(position) });

/** Bytes, not JSON: the library would parse and write a body anew, and proofs are over its very characters. */
const eventData = ({ id, type, data, metadata }: WireEvent): EventData => ({
  id,
  type,
  contentType: 'application/octet-stream',
  data,
  metadata: metadata && { ...metadata },
});

/** The body at once: bytes that are kept would keep alive the whole message they came in. */
function recordOf(event: RecordedEvent | AllStreamRecordedEvent): WireRecord {
  const { streamId, id, type, revision, position, created } = event;
  const metadata = isMetadata(event.metadata) ? event.metadata : NONE;
  return {
    stream: streamId,
    id,
    type,
    revision: Number(revision),
    position: position === undefined ? NaN : Number(position.commit),
    created: created.getTime(),
    // What is JSON is foreign, and the library has parsed it.
    body: event.isJson ? '' : bodyOf((event as BinaryEventType).data, metadata),
    metadata,
  };
}

const NONE: WireMetadata = {};

const isMetadata = (metadata: unknown): metadata is WireMetadata =>
  typeof metadata === 'object' && metadata !== null && !(metadata instanceof Uint8Array);

interface Resolved {
  readonly event?: RecordedEvent | AllStreamRecordedEvent | undefined;
}

/** What the library reads by, in both its forms. */
interface Source extends AsyncIterable<Resolved> {
  on(name: 'error', listener: (error: unknown) => void): unknown;
  on(name: 'data', listener: (resolved: Resolved) => void): unknown;
  on(name: 'end' | 'close', listener: () => void): unknown;
  cancel?(): Promise<void>;
  unsubscribe?(): Promise<void>;
  destroy(): unknown;
}

function reading(source: unknown): Reading {
  const stream = source as Source;
  // The first error ends the loop; the AbortError behind it must find a listener, or it ends the process.
  stream.on('error', () => {});
  return {
    each: (take) =>
      new Promise((resolve, reject) => {
        stream.on('data', ({ event }) => {
          if (event) take(recordOf(event));
        });
        stream.on('end', resolve);
        stream.on('error', reject);
        // After an end it changes nothing.
        stream.on('close', () => reject(new Error('the read was broken off')));
      }),
    async *records() {
      for await (const { event } of stream) if (event) yield recordOf(event);
    },
    cancel: () => {
      const ended = stream.unsubscribe?.() ?? stream.cancel?.() ?? Promise.resolve();
      // A call that never began has nothing to cancel, and says so.
      ended.catch(() => {}).finally(() => stream.destroy());
    },
  };
}

function follow(
  client: EventStoreDBClient,
  after: number | 'start',
  prefixes: readonly string[],
  told: Told,
): Reading {
  const subscription = client.subscribeToAll({
    fromPosition: after === 'start' ? START : placeOf(after),
    filter: streamNameFilter({
      prefixes: [...prefixes],
      maxSearchWindow: SEARCH_WINDOW,
      checkpointInterval: 1,
      checkpointReached: async (_, { commit }) => told.checkpoint(Number(commit)),
    }),
  });
  subscription.on('caughtUp', () => told.caughtUp());
  return reading(subscription);
}

/**
 * Answers to batch appends find their caller in a map that a broken connection empties for all callers of the
 * process; an answer that comes after that makes the library's listener throw, and with it the process end.
 * Whoever asked has been told already that the outcome is unknown, so such an answer is dropped. Of the
 * library's inside this uses `GRPCStreamCreator`, and does nothing where there is none.
 */
function guardAgainstLateAnswers(client: EventStoreDBClient): void {
  interface Stream {
    listeners(name: 'data'): ((message: unknown) => void)[];
    removeAllListeners(name: 'data'): void;
    on(name: 'data', listener: (message: unknown) => void): void;
  }
  type Create = (service: unknown) => Promise<Stream> | Stream;
  type Creator = (service: unknown, name: string, create: Create, cache?: unknown) => () => Promise<Stream>;
  const inside = client as unknown as { GRPCStreamCreator?: Creator };
  const original = inside.GRPCStreamCreator;
  if (original === undefined) return;
  inside.GRPCStreamCreator = (service, name, create, cache) =>
    original(
      service,
      name,
      name !== 'appendToStream'
        ? create
        : async (made) => {
            const stream = await create(made);
            const listeners = stream.listeners('data');
            stream.removeAllListeners('data');
            stream.on('data', (message) => {
              try {
                for (const listener of listeners) listener(message);
              } catch (error) {
                // `undefined is not iterable`: nobody waits for this answer any more.
                if (!(error instanceof TypeError)) throw error;
              }
            });
            return stream;
          },
      cache,
    );
}
