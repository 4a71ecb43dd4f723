import { HEADERS, PARTITIONS, TOPICS } from '#contracts';
import {
  OutletRefused,
  OutletUnavailable,
  Superseded,
  type Announcement,
  type Hold,
  type Outlet,
  type Standing,
} from '#engine/announce';
import { isPosition, isUuid, type Logger } from '#kernel';
import kafkajs, { type Admin, type Message, type Producer, type Transaction } from 'kafkajs';
import { closed, kafkaClient, type KafkaAddress } from './client.js';
import { lastRecord } from './last-record.js';
import { partitionOf } from './partition.js';
import { endsOf, openTopics, STANDING } from './topics.js';
import { isConcurrent, isFenced, KafkaUnavailable, troubleOf, type KafkaTrouble } from './trouble.js';

export interface KafkaOutlet extends Outlet {
  /** Null while all is well, as far as is known. */
  readonly trouble: KafkaTrouble | null;
}

export interface KafkaOutletOptions extends KafkaAddress {
  readonly logger: Logger;
}

/** Milliseconds after which the coordinator gives up a transaction whose relay is gone: readers wait so long. */
const TRANSACTION = 30_000;
/** Bytes of one send at most, before compression: a broker takes a mebibyte. */
const SEND = 512 << 10;
/** Milliseconds that the end of the last transaction may take, and between looks. */
const LAST_TRANSACTION = 10_000;
const LOOK = 5;
const PROBE = 3_000;

/**
 * The relay's door to Kafka: messages and standing in one transaction. What kafkajs 2.2.4 does wrong, and how it
 * is used all the same, stands in docs/decisions/0023 (ruling 38):
 *
 * - one send carries one partition's messages, with the partition chosen here;
 * - no send is ever repeated by the client (`retries: 0`): an error is an error, once all sends are settled;
 * - after any error the producer is thrown away, and its transaction left to the next one, whose first
 *   `transaction()` fences it with a higher epoch and gives up what it had not finished; only then is the
 *   standing read, read committed.
 */
export function kafkaOutlet(options: KafkaOutletOptions): KafkaOutlet {
  const { prefix = '', logger } = options;
  const client = kafkaClient(options, 'covenant-relay');
  const { kafka } = client;
  const group = `${prefix}covenant-relay`;
  const topic = prefix + STANDING;
  let trouble: KafkaTrouble | null = 'unreachable';

  const unavailable = (error: unknown): Error => {
    if (error instanceof OutletRefused) return error;
    if (isFenced(error)) return new Superseded('another relay writes now', { cause: error });
    trouble = troubleOf(error);
    const { message } = new KafkaUnavailable(trouble, { cause: error });
    return new OutletUnavailable(message, { cause: error });
  };

  const hold = async (): Promise<Hold> => {
    const admin = kafka.admin();
    // `idempotent` is what a transaction is anyway; asked for, it would take a second identity, and forbid
    // `retries: 0`.
    const producer = kafka.producer({
      transactionalId: group,
      transactionTimeout: TRANSACTION,
      maxInFlightRequests: 1,
      allowAutoTopicCreation: false,
      createPartitioner: kafkajs.Partitioners.DefaultPartitioner,
      retry: { retries: 0 },
    });
    try {
      await client.connect(admin, producer);
      await openTopics(admin, prefix, logger);
      const first = await producer.transaction();
      const record = await lastRecord(client, admin, topic, group);
      const standing = record === null ? null : readStanding(record);
      if (standing === null)
        for (const { name } of TOPICS)
          if ((await endsOf(admin, prefix + name)).some(({ high }) => high !== 0n))
            throw new OutletRefused(
              `topic ${prefix + name} holds messages, and ${topic} does not say up to where the log was ` +
                `announced: bring that topic back; or delete all topics ${prefix}covenant.* and start the ` +
                `relay, which writes them anew, and rebuild every consumer`,
            );
      trouble = null;
      return holding(producer, admin, first, standing);
    } catch (error) {
      await closed(producer, admin);
      throw unavailable(error);
    }
  };

  const holding = (producer: Producer, admin: Admin, first: Transaction, standing: Standing | null): Hold => {
    let open: Transaction | null = first;
    let over = false;
    // While there is nothing to write nothing else would notice that the brokers are gone.
    let looking = false;
    const probe = setInterval(() => {
      if (looking) return;
      looking = true;
      admin
        .fetchTopicMetadata({ topics: [topic] })
        .then(
          () => (trouble = null),
          (error: unknown) => (trouble = troubleOf(error)),
        )
        .finally(() => (looking = false));
    }, PROBE);
    return {
      standing,
      put: async (announcements, next) => {
        if (over) throw new Error('this hold is over');
        over = true;
        try {
          const transaction = open ?? (await producer.transaction());
          open = null;
          await begun(transaction, topic, next);
          await allSent([...sends(announcements, prefix)].map((send) => send(transaction)));
          await transaction.commit();
        } catch (error) {
          throw unavailable(error);
        }
        trouble = null;
        over = false;
      },
      release: async () => {
        over = true;
        clearInterval(probe);
        await closed(producer, admin);
      },
    };
  };

  return {
    get trouble() {
      return trouble;
    },
    hold,
    standing: async () => {
      const admin = kafka.admin();
      try {
        await client.connect(admin);
        const record = await lastRecord(client, admin, topic, group);
        trouble = null;
        return record === null ? null : readStanding(record);
      } catch (error) {
        throw unavailable(error);
      } finally {
        await closed(admin);
      }
    },
  };
}

/**
 * The standing goes first, alone: while the transaction before is not quite over the coordinator takes no new
 * one, which says so before anything is sent, and may be asked for again.
 */
async function begun(transaction: Transaction, topic: string, standing: Standing): Promise<void> {
  const began = performance.now();
  for (;;) {
    try {
      await transaction.send({
        topic,
        messages: [{ key: 'standing', value: JSON.stringify(standing), partition: 0 }],
      });
      return;
    } catch (error) {
      if (!isConcurrent(error) || performance.now() - began > LAST_TRANSACTION) throw error;
      await new Promise((resolve) => setTimeout(resolve, LOOK));
    }
  }
}

/** Errors: that of the first that failed, once none is under way any more. */
async function allSent(sent: readonly Promise<void>[]): Promise<void> {
  for (const outcome of await Promise.allSettled(sent))
    if (outcome.status === 'rejected') throw outcome.reason;
}

/** For each partition what is sent to it: one send after the other, each small enough. */
function* sends(
  announcements: readonly Announcement[],
  prefix: string,
): Generator<(transaction: Transaction) => Promise<void>> {
  const places = new Map<string, { topic: string; portions: Message[][]; bytes: number }>();
  for (const { topic, key, message } of announcements) {
    const partition = partitionOf(key, PARTITIONS);
    const value = JSON.stringify(message);
    const bytes = 2 * value.length;
    const name = `${topic}/${partition}`;
    let place = places.get(name);
    if (!place) places.set(name, (place = { topic: prefix + topic, portions: [[]], bytes: 0 }));
    if (place.bytes + bytes > SEND && place.bytes > 0) {
      place.portions.push([]);
      place.bytes = 0;
    }
    place.bytes += bytes;
    place.portions.at(-1)!.push({
      key,
      value,
      partition,
      headers: {
        [HEADERS.id]: message.id,
        [HEADERS.type]: message.type,
        [HEADERS.position]: message.position,
      },
    });
  }
  for (const { topic, portions } of places.values())
    yield async (transaction) => {
      for (const messages of portions)
        await transaction.send({ topic, messages, compression: kafkajs.CompressionTypes.GZIP });
    };
}

function readStanding(text: string): Standing {
  const { log, position, event } = JSON.parse(text) as Record<keyof Standing, unknown>;
  if (!isUuid(log) || !isPosition(position) || !(event === null || isUuid(event)))
    throw new OutletRefused('the relay’s own topic holds what no relay wrote');
  return { log, position, event };
}
