import { randomUUID } from 'node:crypto';
import type { Admin } from 'kafkajs';
import { closed, type KafkaClient } from './client.js';
import { endsOf } from './topics.js';
import { KafkaUnavailable } from './trouble.js';

/** Offsets looked back at first: each transaction takes two, and some may have been given up. */
const BACK = 64n;
const FURTHER = 32n;

/** Milliseconds. */
const READING = 20_000;
const POLL = 100;

/**
 * Value of the last committed record of a topic of one partition, or null where there is none. kafkajs reads as
 * a member of a group alone: the group is a fresh one each time, holds no offsets, and is forgotten by the
 * broker. Whoever still writes to the topic may be ahead of the answer.
 *
 * Errors: KafkaUnavailable, and those of the client.
 */
export async function lastRecord(
  client: KafkaClient,
  admin: Admin,
  topic: string,
  group: string,
): Promise<string | null> {
  const [ends] = await endsOf(admin, topic);
  const { low, high } = ends!;
  if (high === low) return null;

  const consumer = client.kafka.consumer({
    groupId: `${group}-${randomUUID()}`,
    maxWaitTimeInMs: POLL,
    retry: { retries: 3, restartOnFailure: async () => false },
  });
  let timer: NodeJS.Timeout | undefined;
  try {
    await client.connect(consumer);
    await consumer.subscribe({ topic, fromBeginning: true });
    return await new Promise<string | null>((resolve, reject) => {
      let back = BACK;
      let last: string | null = null;
      const start = (): bigint => (high - back > low ? high - back : low);
      const seek = (): void => consumer.seek({ topic, partition: 0, offset: String(start()) });
      timer = setTimeout(() => reject(new KafkaUnavailable('unreachable')), READING);
      consumer.on('consumer.crash', ({ payload }) => reject(payload.error));
      consumer.on('consumer.group_join', seek);
      // Also for a batch of which nothing was committed, which `eachBatch` is not called for.
      consumer.on('consumer.end_batch_process', ({ payload }) => {
        if (BigInt(payload.lastOffset) < high - 1n) return;
        if (last !== null || start() === low) return resolve(last);
        back *= FURTHER;
        seek();
      });
      consumer
        .run({
          autoCommit: false,
          eachBatch: async ({ batch }) => {
            last = batch.messages.at(-1)!.value?.toString() ?? last;
          },
        })
        .catch(reject);
    });
  } finally {
    clearTimeout(timer);
    await closed(consumer);
  }
}
