import type { CloudEvent } from '#contracts';
import { announce } from '#engine/announce';
import type { HouseEvent } from '#engine/catalogue';
import type { Delivery } from '#engine/feed';
import type { Codec, EventStore, StoredEvent } from '#engine/store';
import type { Position, Recorded, Uuid } from '#kernel';

/** What the log must offer to be read as a feed. */
export interface LogRead {
  readonly store: Pick<EventStore, 'subscribe' | 'readAll' | 'head' | 'at' | 'identity'>;
  readonly decode: Codec['decode'];
}

/** Where in the log something stands, and what stands there: a position alone would be true of any log (ruling 45). */
export interface Place {
  readonly position: Position;
  readonly event: Uuid;
}

export const offsetOf = ({ position, event }: Place): string => `${position} ${event}`;

export function placeOf(offset: string): Place {
  const [position, event] = offset.split(' ');
  return { position: position as Position, event: event as Uuid };
}

/** A public message as this process made it; it becomes text only where somebody wants that. */
class OwnDelivery implements Delivery {
  readonly partition = 0;
  readonly key: string;
  readonly offset: string;

  constructor(
    readonly topic: string,
    readonly message: CloudEvent,
  ) {
    this.key = message.subject;
    this.offset = offsetOf({ position: message.position as Position, event: message.id as Uuid });
  }

  get value(): string {
    return JSON.stringify(this.message);
  }
}

/** A stretch of the log, translated. */
export interface Stretch {
  /** Its events are those after this position. */
  readonly after: Position;
  /** The last event in it. */
  readonly to: Place;
  readonly events: number;
  /** Public messages of all topics, in order. */
  readonly records: readonly Delivery[];
  /** Why what stands behind it cannot be read (ruling 48); null where it can. */
  readonly failure: Error | null;
}

/** @param events not empty */
export function translated(
  after: Position,
  events: readonly StoredEvent[],
  decode: Codec['decode'],
  log: Uuid,
): Stretch {
  const records: Delivery[] = [];
  let last: StoredEvent | null = null;
  let failure: Error | null = null;
  for (const stored of events) {
    try {
      for (const { topic, message } of announce(decode(stored) as Recorded<HouseEvent>, log))
        records.push(new OwnDelivery(topic, message));
    } catch (error) {
      failure = error as Error;
      break;
    }
    last = stored;
  }
  // A stretch that cannot be read at its very beginning ends where it begins.
  const to =
    last === null ? { position: after, event: '' as Uuid } : { position: last.position, event: last.id };
  return { after, to, events: last === null ? 0 : events.indexOf(last) + 1, records, failure };
}
