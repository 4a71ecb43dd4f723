import { EventStoreDBClient, NO_STREAM, START, jsonEvent } from '@eventstore/db-client';
import type { Appender } from './emmett.js';

/** `@eventstore/db-client` 6.2.1 as its authors show it. */
export function bareClient(url: string): Appender & {
  readAll(): Promise<number>;
  pages(size: number): AsyncIterable<{ readonly length: number }>;
} {
  const client = EventStoreDBClient.connectionString(url);
  return {
    append: async (stream, data) => {
      await client.appendToStream(stream, jsonEvent({ type: 'ticket-opened', data: { ...data } }), {
        expectedRevision: NO_STREAM,
      });
    },
    /** Reads and parses every event that was appended as bytes; answers their number. */
    readAll: async () => {
      let count = 0;
      for await (const { event } of client.readAll({ fromPosition: START }))
        if (event?.isJson === false && JSON.parse(Buffer.from(event.data).toString()) !== null) count++;
      return count;
    },
    /** The same, so many at once. */
    async *pages(size) {
      let page: unknown[] = [];
      for await (const { event } of client.readAll({ fromPosition: START })) {
        if (event?.isJson !== false) continue;
        page.push(JSON.parse(Buffer.from(event.data).toString()));
        if (page.length < size) continue;
        yield page;
        page = [];
      }
      if (page.length > 0) yield page;
    },
    // `dispose` waits for streams that never say that they have ended.
    close: async () => void client.dispose(),
  };
}
