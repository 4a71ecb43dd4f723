import type { Feed } from '#engine/feed';
import type { Logger } from '#kernel';
import { setTimeout as sleep } from 'node:timers/promises';
import kafkajs, { type Admin, type Producer } from 'kafkajs';
import { closed, kafkaClient, type KafkaAddress } from './client.js';
import { Refused, runSession } from './session.js';
import { deadLetterTopic, makeMissing } from './topics.js';
import { KafkaUnavailable, troubleOf, type KafkaTrouble } from './trouble.js';

export interface KafkaFeed extends Feed {
  /** Null while all is well, as far as is known. */
  readonly trouble: KafkaTrouble | null;
}

export interface KafkaFeedOptions extends KafkaAddress {
  readonly logger: Logger;
}

const FIRST_PAUSE = 200;
const LONGEST_PAUSE = 5_000;

/** Headers of a dead letter, beside those it came with. */
const REASON = 'covenant_reason';
const TOPIC = 'covenant_topic';
const PARTITION = 'covenant_partition';
const OFFSET = 'covenant_offset';

/** Public messages from Kafka: a group for each consumer, read committed. */
export function kafkaFeed(options: KafkaFeedOptions): KafkaFeed {
  const { prefix = '', logger } = options;
  let trouble: KafkaTrouble | null = 'unreachable';
  let burying: Promise<{ admin: Admin; producer: Producer }> | null = null;
  const letterClient = kafkaClient(options, 'covenant-letters');
  const closing = new AbortController();

  const follow: Feed['follow'] = async (following) => {
    const { consumer } = following;
    const client = kafkaClient(options, `covenant-${consumer}`);
    const signal = AbortSignal.any([following.signal, closing.signal]);
    let failures = 0;
    let told: KafkaTrouble | null = null;
    while (!signal.aborted) {
      try {
        await runSession({
          client,
          following: { ...following, signal },
          prefix,
          logger,
          onJoined: () => {
            [failures, trouble, told] = [0, null, null];
          },
        });
      } catch (error) {
        if (error instanceof Refused) throw error.reason;
        const unavailable = new KafkaUnavailable(troubleOf(error), { cause: error });
        trouble = unavailable.trouble;
        if (trouble !== told || trouble === 'failed')
          logger.warn({ consumer, trouble, reason: unavailable.message }, 'Kafka is waited for');
        told = trouble;
        const milliseconds = Math.min(FIRST_PAUSE * 2 ** failures++, LONGEST_PAUSE);
        await sleep(milliseconds, undefined, { signal }).catch(() => undefined); // the loop ends with the signal
      }
    }
  };

  const forBurying = async (): Promise<{ admin: Admin; producer: Producer }> => {
    const admin = letterClient.kafka.admin();
    const producer = letterClient.kafka.producer({
      allowAutoTopicCreation: false,
      createPartitioner: kafkajs.Partitioners.DefaultPartitioner,
    });
    try {
      await letterClient.connect(admin, producer);
      return { admin, producer };
    } catch (error) {
      await closed(admin, producer);
      throw error;
    }
  };

  return {
    kind: 'kafka',
    get trouble() {
      return trouble;
    },
    get reachable() {
      return trouble === null;
    },
    follow,
    bury: async (consumer, letters) => {
      try {
        const { admin, producer } = await (burying ??= forBurying());
        const topics = new Set(letters.map(({ delivery }) => delivery.topic));
        for (const topic of topics) {
          const dead = deadLetterTopic(prefix, topic, consumer);
          await makeMissing(admin, [dead], logger);
          await producer.send({
            topic: dead.name,
            compression: kafkajs.CompressionTypes.GZIP,
            messages: letters
              .filter(({ delivery }) => delivery.topic === topic)
              .map(({ delivery: { key, value, partition, offset }, reason }) => ({
                ...{ key, value, partition: 0 },
                headers: {
                  ...{ [REASON]: reason, [TOPIC]: topic },
                  ...{ [PARTITION]: String(partition), [OFFSET]: offset },
                },
              })),
          });
        }
      } catch (error) {
        const broken = burying;
        burying = null;
        await broken?.then(
          ({ admin, producer }) => closed(admin, producer),
          () => undefined, // it never opened
        );
        throw new KafkaUnavailable(troubleOf(error), { cause: error });
      }
    },
    close: async () => {
      closing.abort();
      await burying?.then(
        ({ admin, producer }) => closed(admin, producer),
        () => undefined, // it never opened
      );
    },
  };
}
