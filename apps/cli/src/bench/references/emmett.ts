import { STREAM_DOES_NOT_EXIST } from '@event-driven-io/emmett';
import { getPostgreSQLEventStore } from '@event-driven-io/emmett-postgresql';

/** What a bench asks of an event store: one event to a new stream, acknowledged when durable. */
export interface Appender {
  append(stream: string, body: object): Promise<void>;
  close(): Promise<void>;
}

/** Emmett 0.42 as its authors show it; pools of other sizes than its own ten did no better on 2 cores. */
export async function emmett(url: string): Promise<Appender> {
  const store = getPostgreSQLEventStore(url);
  await store.schema.migrate();
  return {
    append: async (stream, data) => {
      await store.appendToStream(stream, [{ type: 'ticket-opened', data: { ...data } }], {
        expectedStreamVersion: STREAM_DOES_NOT_EXIST,
      });
    },
    close: () => store.close(),
  };
}
