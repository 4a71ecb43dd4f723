import { randomUUID } from 'node:crypto';
import type { CloudEvent } from '#contracts';
import kafkajs from 'kafkajs';
import { eventually } from './eventually.js';

export interface ReadRecord {
  readonly partition: number;
  readonly offset: string;
  readonly key: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly message: CloudEvent;
}

/**
 * Everything committed of a topic, of each partition in its order: by another way than the one under test.
 * A transaction that has just been committed may not be over on every partition yet.
 */
export async function readTopic(
  { brokers, prefix = '' }: { readonly brokers: readonly string[]; readonly prefix?: string },
  topic: string,
): Promise<ReadRecord[]> {
  const kafka = new kafkajs.Kafka({ brokers: [...brokers], logLevel: kafkajs.logLevel.NOTHING });
  const admin = kafka.admin();
  await admin.connect();
  const ends = await admin.fetchTopicOffsets(prefix + topic);
  await admin.disconnect();
  const open = new Set(ends.filter(({ low, high }) => low !== high).map(({ partition }) => partition));
  const records: ReadRecord[] = [];
  if (open.size === 0) return records;
  const consumer = kafka.consumer({
    groupId: `reader-${randomUUID()}`,
    maxWaitTimeInMs: 100,
    retry: { retries: 10 },
  });
  await consumer.connect();
  await consumer.subscribe({ topic: prefix + topic, fromBeginning: true });
  await new Promise<void>((resolve, reject) => {
    consumer.on('consumer.crash', ({ payload }) => reject(payload.error));
    consumer.on('consumer.end_batch_process', ({ payload: { partition, lastOffset } }) => {
      if (BigInt(lastOffset) + 1n >= BigInt(ends.find((end) => end.partition === partition)!.high))
        open.delete(partition);
      if (open.size === 0) resolve();
    });
    consumer
      .run({
        autoCommit: false,
        eachBatch: async ({ batch: { partition, messages } }) => {
          for (const { offset, key, value, headers = {} } of messages)
            records.push({
              partition,
              offset,
              key: key!.toString(),
              headers: Object.fromEntries(
                Object.entries(headers).map(([name, text]) => [name, String(text)]),
              ),
              message: JSON.parse(value!.toString()) as CloudEvent,
            });
        },
      })
      .catch(reject);
  });
  await consumer.disconnect();
  return records.sort((a, b) => a.partition - b.partition || Number(BigInt(a.offset) - BigInt(b.offset)));
}

/** Somebody deletes a topic. */
export async function deleteTopic(brokers: readonly string[], topic: string): Promise<void> {
  const admin = new kafkajs.Kafka({ brokers: [...brokers], logLevel: kafkajs.logLevel.NOTHING }).admin();
  await admin.connect();
  await admin.deleteTopics({ topics: [topic] });
  await admin.disconnect();
}

/** Somebody makes a topic before the relay does. */
export async function makeTopic(
  brokers: readonly string[],
  topic: string,
  partitions: number,
): Promise<void> {
  const admin = new kafkajs.Kafka({ brokers: [...brokers], logLevel: kafkajs.logLevel.NOTHING }).admin();
  await admin.connect();
  await admin.createTopics({
    topics: [{ topic, numPartitions: partitions, replicationFactor: 1 }],
    waitForLeaders: false,
  });
  await eventually(async () => (await admin.listTopics()).includes(topic), { what: `topic ${topic}` });
  await admin.disconnect();
}

/** Somebody deletes the records of a partition below an offset. */
export async function deleteRecords(
  brokers: readonly string[],
  topic: string,
  partition: number,
  offset: string,
): Promise<void> {
  const admin = new kafkajs.Kafka({ brokers: [...brokers], logLevel: kafkajs.logLevel.NOTHING }).admin();
  await admin.connect();
  await admin.fetchTopicOffsets(topic); // or it knows no leader to ask
  await admin.deleteTopicRecords({ topic, partitions: [{ partition, offset }] });
  await admin.disconnect();
}
