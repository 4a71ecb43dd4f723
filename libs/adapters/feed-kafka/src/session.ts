import { PARTITIONS } from '#contracts';
import type { Following } from '#engine/feed';
import { LogReplaced } from '#engine/store';
import type { Logger } from '#kernel';
import type { Admin, Consumer, EachBatchPayload } from 'kafkajs';
import { closed, type KafkaClient } from './client.js';
import { endsOf, type Ends } from './topics.js';
import { KafkaUnavailable } from './trouble.js';

/** What the consumer cannot do, and `follow` therefore rejects with. */
export class Refused extends Error {
  override readonly name = 'Refused';
  constructor(readonly reason: unknown) {
    super('the consumer cannot go on');
  }
}

export interface SessionOptions {
  readonly client: KafkaClient;
  readonly following: Following;
  readonly prefix: string;
  readonly logger: Logger;
  /** It is a member of the group and reads. */
  readonly onJoined: () => void;
}

/** Milliseconds. */
const SESSION = 6_000;
const REBALANCE = 30_000;
const HEARTBEAT = 1_000;
const POLL = 500;
/** Nothing seen of kafkajs for so long: it is stuck, whatever it says. */
const STUCK = 30_000;
const LOOK = 2_000;
const LOOKS_AT_ENDS = 5;
/** Bytes of one answer, and of one partition in it; unpacked it is some ten times as much. */
const ANSWER = 1 << 20;
const OF_A_PARTITION = 128 << 10;
/** Partitions digested beside one another. */
const BESIDE = 4;

/** One partition while it is this member's. */
interface Place {
  /** Offset of what comes next; null until the consumer has said. */
  next: bigint | null;
}

/**
 * One membership in the consumer's group, from joining to the first error or the signal. kafkajs finds the
 * partitions and fetches; where a partition goes on is decided here alone:
 *
 * - a partition just assigned is paused before anything of it is fetched, until the consumer's tables have said
 *   where it goes on, and that is compared with what the partition holds;
 * - a batch is taken only if it was fetched from exactly the offset that comes next, else it is fetched anew.
 *   So nothing is ever left out, whatever kafkajs does at rebalances, errors and offsets out of range;
 * - no offset is committed: groups forget them, and they would not move in one transaction with the rows.
 *
 * Rejects with Refused, or with whatever is wrong with Kafka: then the next session starts afresh.
 */
export async function runSession({
  client,
  following,
  prefix,
  logger,
  onJoined,
}: SessionOptions): Promise<void> {
  const { consumer: name, topics, from, take, signal } = following;
  const names = topics.map((topic) => prefix + topic.name);
  const { kafka } = client;
  const admin = kafka.admin();
  const consumer = kafka.consumer({
    groupId: `${prefix}covenant-${name}`,
    sessionTimeout: SESSION,
    rebalanceTimeout: REBALANCE,
    heartbeatInterval: HEARTBEAT,
    maxWaitTimeInMs: POLL,
    maxBytes: ANSWER,
    maxBytesPerPartition: OF_A_PARTITION,
    allowAutoTopicCreation: false,
    retry: { retries: 3, initialRetryTime: 100, maxRetryTime: 1_000, restartOnFailure: async () => false },
  });

  const session = new Session(consumer, admin);
  let leave = (): void => undefined;
  const over = new Promise<void>((resolve, reject) => {
    session.fail = reject;
    leave = resolve;
  });
  signal.addEventListener('abort', leave);
  if (signal.aborted) leave();
  over.catch(() => undefined); // it is met below

  const watchdog = setInterval(() => session.lookAlive(), LOOK);
  try {
    await client.connect(admin, consumer);
    await checkPartitions(admin, names);
    await consumer.subscribe({ topics: names, fromBeginning: true });
    session.start(from, take, prefix, () => {
      onJoined();
      logger.info({ consumer: name }, 'the consumer reads from Kafka');
    });
    await over;
  } finally {
    signal.removeEventListener('abort', leave);
    clearInterval(watchdog);
    await session.end();
    await closed(consumer, admin);
  }
}

async function checkPartitions(admin: Admin, names: string[]): Promise<void> {
  const { topics } = await admin.fetchTopicMetadata({ topics: names });
  if (topics.some(({ partitions }) => partitions.length !== PARTITIONS))
    throw new KafkaUnavailable('topic-unfit');
}

class Session {
  fail: (error: unknown) => void = () => undefined;
  private readonly places = new Map<string, Place>();
  private readonly taking = new Set<Promise<void>>();
  private ended = false;
  private seen = performance.now();

  constructor(
    private readonly consumer: Consumer,
    private readonly admin: Admin,
  ) {}

  start(from: Following['from'], take: Following['take'], prefix: string, joined: () => void): void {
    const { consumer } = this;
    const alive = (): void => void (this.seen = performance.now());
    consumer.on('consumer.fetch', alive);
    consumer.on('consumer.heartbeat', alive);
    consumer.on('consumer.crash', ({ payload }) => this.fail(payload.error));
    consumer.on('consumer.group_join', ({ payload }) => {
      alive();
      this.assigned(payload.memberAssignment as Record<string, number[]>, from, prefix);
      joined();
    });
    // A batch that holds only the ends of transactions, or what was given up, comes no other way.
    consumer.on('consumer.end_batch_process', ({ payload }) => {
      alive();
      const place = this.places.get(placeOf(payload.topic, payload.partition));
      const next = BigInt(payload.lastOffset) + 1n;
      if (payload.batchSize === 0 && place && place.next !== null && next > place.next) place.next = next;
    });
    consumer
      .run({
        autoCommit: false,
        eachBatchAutoResolve: false,
        partitionsConsumedConcurrently: BESIDE,
        eachBatch: (payload) => this.batch(payload, take, prefix),
      })
      .catch(this.fail);
  }

  lookAlive(): void {
    if (this.taking.size > 0) this.seen = performance.now();
    if (performance.now() - this.seen > STUCK) this.fail(new KafkaUnavailable('unreachable'));
  }

  /** No batch is taken from now on; resolves when those at hand are digested. */
  async end(): Promise<void> {
    this.ended = true;
    await Promise.allSettled(this.taking);
  }

  /** Called before anything of the new assignment is fetched. */
  private assigned(assignment: Record<string, number[]>, from: Following['from'], prefix: string): void {
    this.places.clear();
    for (const [topic, partitions] of Object.entries(assignment)) {
      this.consumer.pause([{ topic, partitions }]);
      const places = partitions.map((partition) => {
        const place: Place = { next: null };
        this.places.set(placeOf(topic, partition), place);
        return [partition, place] as const;
      });
      this.place(topic, places, from, prefix).catch(this.fail);
    }
  }

  /** Finds out where partitions go on, and lets them. */
  private async place(
    topic: string,
    places: readonly (readonly [partition: number, place: Place])[],
    from: Following['from'],
    prefix: string,
  ): Promise<void> {
    const said = new Map<number, bigint | null>();
    for (const [partition] of places) {
      const next = await from(topic.slice(prefix.length), partition).catch((error: unknown) => {
        throw new Refused(error);
      });
      said.set(partition, next === null ? null : BigInt(next));
    }
    // Only now: whoever had the partition before may have gone on until it said so.
    const ends = await this.ends(topic, said);
    for (const [partition, place] of places) {
      if (this.ended || this.places.get(placeOf(topic, partition)) !== place) return;
      const next = said.get(partition) ?? ends.get(partition)!.low;
      this.goOnAt(topic, partition, next);
      place.next = next;
      this.consumer.resume([{ topic, partitions: [partition] }]);
    }
  }

  /**
   * What the partitions hold, once that includes where each goes on. A broker that has just come to lead one
   * may not know its end yet, so it is asked again before anybody stops for good.
   */
  private async ends(
    topic: string,
    said: ReadonlyMap<number, bigint | null>,
  ): Promise<ReadonlyMap<number, Ends>> {
    for (let looks = 1; ; looks++) {
      const ends = new Map((await endsOf(this.admin, topic)).map((end) => [end.partition, end]));
      const [wrong] = [...said].filter(([partition, next]) => {
        const end = ends.get(partition);
        return !end || (next !== null && (next < end.low || next > end.high));
      });
      if (!wrong || this.ended) return ends;
      const [partition, next] = wrong;
      const end = ends.get(partition);
      if (looks === LOOKS_AT_ENDS && end && next !== null)
        throw new Refused(new LogReplaced(notThere(topic, partition, next, end.low, end.high)));
      if (looks === LOOKS_AT_ENDS) throw new KafkaUnavailable('failed');
      await new Promise((resolve) => setTimeout(resolve, LOOK));
    }
  }

  private goOnAt(topic: string, partition: number, next: bigint): void {
    this.consumer.seek({ topic, partition, offset: String(next) });
  }

  private async batch(
    { batch, resolveOffset, heartbeat, isStale }: EachBatchPayload,
    take: Following['take'],
    prefix: string,
  ): Promise<void> {
    const { topic, partition, messages } = batch;
    const place = this.places.get(placeOf(topic, partition));
    if (this.ended || isStale() || !place || place.next === null) return;
    // Not in kafkajs's types.
    const { fetchedOffset } = batch as typeof batch & { readonly fetchedOffset: string };
    if (BigInt(fetchedOffset) !== place.next) return this.goOnAt(topic, partition, place.next);

    const next = BigInt(batch.lastOffset()) + 1n;
    const work = take({
      topic: topic.slice(prefix.length),
      partition,
      records: messages.map(({ offset, key, value }) => ({
        topic: topic.slice(prefix.length),
        partition,
        offset,
        key: key?.toString() ?? '',
        value: value?.toString() ?? '',
      })),
      next: String(next),
      behind: Number(BigInt(batch.highWatermark) - next),
    });
    this.taking.add(work);
    // A consumer may wait long for its tables; the group must not think it dead.
    const beat = setInterval(() => void heartbeat().catch(() => undefined), HEARTBEAT);
    try {
      await work;
    } catch (error) {
      this.ended = true;
      return this.fail(new Refused(error));
    } finally {
      clearInterval(beat);
      this.taking.delete(work);
    }
    place.next = next;
    resolveOffset(messages.at(-1)!.offset);
  }
}

const placeOf = (topic: string, partition: number): string => `${topic}/${partition}`;

/** The partition is not the one that the consumer read before, or part of it is gone. */
const notThere = (topic: string, partition: number, next: bigint, low: bigint, high: bigint): string =>
  `partition ${partition} of ${topic} goes from ${low} to ${high}, and this consumer would go on at ${next}: ` +
  (next > high
    ? 'the topic was made anew; rebuild the consumer'
    : 'messages are gone that it has not read; rebuild the consumer from the log');
