import { ticket, ticketStream, type TicketEvent } from '#domain/desk';
import { transactor, type EventStore, type Means, type StoredEvent } from '#engine/store';
import { HOUSE, toSeconds, uuidV7, type EpochSeconds, type Micros, type Uuid } from '#kernel';

/** What came of one look at a ticket. */
export interface Looked {
  /** Of the stream when it was looked at, what was recorded now included. */
  readonly revision: number;
  /** Seconds to `recordedAt` from due + 1 s, or from a warning's instant, for each fact recorded now (ruling 2). */
  readonly lateness: readonly number[];
}

/**
 * Records in a ticket's stream what has fallen due by an instant of the database server's clock, and nothing
 * else. Somebody else may have recorded it, or the promise may be kept by now: then nothing is recorded.
 */
export type Recorder = (ticket: Uuid, now: Micros) => Promise<Looked>;

/** A case that is still being taken in is left alone (ruling 17). */
const decider: typeof ticket = {
  ...ticket,
  due: (state, now) => (state.status !== 'none' && state.importing ? [] : ticket.due(state, now)),
};

/** Streams are read anew at each look: what is due once is seldom looked at again. */
const CACHED = 1;

export function recording({ store: log, codec, chance, engine }: Omit<Means, 'clock'>): Recorder {
  const store = readTogether(log);
  return async (id, now) => {
    // A timer's now is the server's, never that of the process it runs in (ruling 1).
    const milliseconds = Math.floor(now / 1000);
    const clock = { now: () => milliseconds };
    const tickets = transactor({ store, codec, chance, engine, clock, decider, cached: CACHED });
    const came = await tickets.transact(
      {
        stream: ticketStream(id),
        actor: { id: HOUSE, role: 'system' },
        correlation: uuidV7(milliseconds, chance.bytes(10)),
      },
      () => [],
    );
    if (came.outcome !== 'accepted')
      throw new Error(`asking what has fallen due was answered ${came.outcome}`);
    return {
      revision: came.revision,
      lateness: came.events.flatMap((event) => {
        const from = fireableFrom(event);
        return from === null ? [] : [event.recordedAt / 1_000_000 - from];
      }),
    };
  };
}

/**
 * A log that is asked one question for what many ask in one turn: a look at a hundred tickets reads them
 * together. What was asked for together fails together.
 */
function readTogether(store: EventStore): EventStore {
  let reading: { readonly streams: string[]; readonly read: ReturnType<EventStore['readStreams']> } | null =
    null;
  const whole = async (stream: string): Promise<readonly StoredEvent[]> => {
    if (reading === null) {
      const streams: string[] = [];
      const read = Promise.resolve().then(() => {
        reading = null;
        return store.readStreams(streams);
      });
      reading = { streams, read };
    }
    reading.streams.push(stream);
    return (await reading.read).get(stream)!;
  };
  let heading: ReturnType<EventStore['head']> | null = null;
  const head = (): ReturnType<EventStore['head']> =>
    (heading ??= Promise.resolve().then(() => {
      heading = null;
      return store.head();
    }));
  return {
    ...store,
    head,
    readStream: (stream, from = 0) => (from === 0 ? whole(stream) : store.readStream(stream, from)),
  };
}

/** From when on a fact of time could have been recorded; null for what time does not bring. */
function fireableFrom(event: TicketEvent): EpochSeconds | null {
  if (event.type === 'sla.clock-breached.v1') return toSeconds(event.data.due) + 1;
  if (event.type === 'sla.clock-warned.v1') return toSeconds(event.data.at);
  return null;
}
