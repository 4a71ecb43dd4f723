import type { CloudEvent, Topic } from '#contracts';
import type { Position } from '#kernel';

/** One record as it came: nobody has looked into it yet. */
export interface Delivery {
  readonly topic: string;
  readonly partition: number;
  /** Its place in its partition, as the feed writes it: opaque, never of another feed. */
  readonly offset: string;
  /** Id of the aggregate. */
  readonly key: string;
  /** Meant to be a CloudEvent in JSON. */
  readonly value: string;
  /**
   * The value as the translator of this very process made it: it keeps its schema and is not looked at again.
   * Absent wherever a record came from outside.
   */
  readonly message?: CloudEvent;
}

/** What one partition brings at once, in its order. */
export interface Deliveries {
  readonly topic: string;
  readonly partition: number;
  /** May be empty where only `next` moved: transaction markers and silent events take places too. */
  readonly records: readonly Delivery[];
  /** Where the partition goes on once all of these are digested. */
  readonly next: string;
  /** Records that stood behind these when they were read. */
  readonly behind: number;
}

/** A record that its consumer cannot digest, and why. */
export interface DeadLetter {
  readonly delivery: Delivery;
  /** Stable code and, behind a colon, what is wrong; holds nothing of the record's content. */
  readonly reason: string;
}

export interface Following {
  /** Name of the consumer: all its processes share the partitions among them. */
  readonly consumer: string;
  readonly topics: readonly Topic[];
  /**
   * Where a partition goes on, as the consumer's own tables have it: offsets kept by a broker may expire,
   * and do not move in one transaction with the rows. Null: from its beginning.
   */
  readonly from: (topic: string, partition: number) => Promise<string | null>;
  /**
   * Digests a batch for good. While it has not resolved nothing more of this partition is delivered; when it
   * rejects, `follow` does.
   */
  readonly take: (deliveries: Deliveries) => Promise<void>;
  readonly signal: AbortSignal;
}

/**
 * Where public messages come from: Kafka, or the log itself through the same translator. Within a partition
 * order holds, and all records of a key are in one partition. A record may come again; it is never left out.
 */
export interface Feed {
  /** For people: `kafka`, `local`. */
  readonly kind: string;
  /**
   * Delivers until the signal aborts, and resolves when the batch at hand is digested. Rejects with the first
   * failure of `take`; outlives lost connections by itself, and says in the log and in `reachable` how it is.
   */
  follow(following: Following): Promise<void>;
  /** False while the source cannot be reached. */
  readonly reachable: boolean;
  /** Tells whoever watches dead letters, where the feed has a place for them; may tell one twice. */
  bury(consumer: string, letters: readonly DeadLetter[]): Promise<void>;
  /**
   * True where it shares out no partitions among the processes of a consumer: then one of them leads, by a
   * lock of the consumer's tables, and the others stand by.
   */
  readonly alone?: boolean;
  /**
   * The log behind it, for reads with `?after=`. Absent where a feed cannot know how far it has come in the log
   * (many partitions, a relay that may lag behind).
   */
  readonly log?: {
    /** Up to where everything has come once its one partition goes on at `next`. */
    standing(next: string): Position;
    head(): Promise<Position>;
  };
  close(): Promise<void>;
}
