import { deadLetters, PARTITIONS, TOPICS } from '#contracts';
import { OutletRefused } from '#engine/announce';
import type { Logger } from '#kernel';
import type { Admin } from 'kafkajs';
import kafkajs from 'kafkajs';
import { isUnsettled } from './trouble.js';

/** The relay's own topic: one compacted partition whose last record is where it stands. */
export const STANDING = 'covenant.relay.v1';

/** How a topic is made. The number of partitions is for ever: keys would move to others (ruling 38). */
interface TopicForm {
  readonly name: string;
  readonly partitions: number;
  readonly config: Readonly<Record<string, string>>;
}

/**
 * kafkajs reads no ZSTD, which a broker may be set to use: the compression is named. The first event is as good
 * as the last, so nothing of a public topic ever expires.
 */
const PUBLIC = { 'retention.ms': '-1', 'retention.bytes': '-1', 'compression.type': 'gzip' };

const publicTopics = (prefix: string): TopicForm[] =>
  TOPICS.map(({ name }) => ({ name: prefix + name, partitions: PARTITIONS, config: PUBLIC }));

/** Small segments: only closed ones are compacted, and all but the last record is of no use. */
const standingTopic = (prefix: string): TopicForm => ({
  name: prefix + STANDING,
  partitions: 1,
  config: {
    'cleanup.policy': 'compact',
    'compression.type': 'uncompressed',
    'segment.bytes': String(16 << 20),
  },
});

export const deadLetterTopic = (prefix: string, topic: string, consumer: string): TopicForm => ({
  name: deadLetters(prefix + topic, consumer),
  partitions: 1,
  config: PUBLIC,
});

/** Copies of each partition, where there are brokers enough; what is acknowledged is then on two of them. */
const COPIES = 3;

/**
 * Makes the relay's topics where they are missing, and looks at those that are there; none is ever altered.
 *
 * @throws OutletRefused for one with another number of partitions, or a standing that would expire
 */
export async function openTopics(admin: Admin, prefix: string, logger: Logger): Promise<void> {
  const standing = standingTopic(prefix);
  const wanted = [...publicTopics(prefix), standing];
  await makeMissing(admin, wanted, logger);
  const { topics } = await known(() => admin.fetchTopicMetadata({ topics: wanted.map(({ name }) => name) }));
  for (const { name, partitions } of wanted) {
    const found = topics.find((topic) => topic.name === name)?.partitions.length ?? 0;
    if (found !== partitions)
      throw new OutletRefused(
        `topic ${name} has ${found} partitions, not ${partitions}: it was made by somebody else; ` +
          `copy what is of worth in it, delete it, and start the relay, which makes it as it must be`,
      );
  }
  const settings = await settingsOf(
    admin,
    wanted.map(({ name }) => name),
  );
  if (settings.get(standing.name)?.get('cleanup.policy') !== 'compact')
    throw new OutletRefused(
      `topic ${standing.name} must have cleanup.policy=compact: where the relay stands would expire`,
    );
  for (const { name } of publicTopics(prefix)) {
    const retention = settings.get(name)?.get('retention.ms');
    if (retention !== '-1')
      logger.warn(
        { topic: name, retention },
        'public messages expire: a new consumer will not see the first',
      );
  }
}

/** Makes what is missing of these. */
export async function makeMissing(admin: Admin, wanted: readonly TopicForm[], logger: Logger): Promise<void> {
  const present = new Set(await admin.listTopics());
  const missing = wanted.filter(({ name }) => !present.has(name));
  if (missing.length === 0) return;
  const { brokers } = await admin.describeCluster();
  const copies = Math.min(COPIES, brokers.length);
  await admin.createTopics({
    // kafkajs gives up waiting at the first broker that has not heard of them yet.
    waitForLeaders: false,
    topics: missing.map(({ name, partitions, config }) => ({
      topic: name,
      numPartitions: partitions,
      replicationFactor: copies,
      configEntries: Object.entries({
        ...config,
        ...(copies === COPIES && { 'min.insync.replicas': '2' }),
      }).map(([entry, value]) => ({ name: entry, value })),
    })),
  });
  await known(() => admin.fetchTopicMetadata({ topics: missing.map(({ name }) => name) }));
  logger.info({ topics: missing.map(({ name }) => name), copies }, 'topics were made');
}

async function settingsOf(
  admin: Admin,
  names: readonly string[],
): Promise<ReadonlyMap<string, ReadonlyMap<string, string>>> {
  const { resources } = await admin.describeConfigs({
    includeSynonyms: false,
    resources: names.map((name) => ({ type: kafkajs.ConfigResourceTypes.TOPIC, name })),
  });
  return new Map(
    resources.map(({ resourceName, configEntries }) => [
      resourceName,
      new Map(configEntries.map(({ configName, configValue }) => [configName, configValue])),
    ]),
  );
}

/** What a partition holds: the offset of its first record, and the one after its last. */
export interface Ends {
  readonly partition: number;
  readonly low: bigint;
  readonly high: bigint;
}

/** Milliseconds between looks, and how many. */
const BETWEEN = 100;
const LOOKS = 50;

/** A topic just made, or one that has just changed its leader, is not known to every broker at once. */
async function known<T>(ask: () => Promise<T>): Promise<T> {
  for (let looks = 1; ; looks++) {
    try {
      return await ask();
    } catch (error) {
      if (!isUnsettled(error) || looks === LOOKS) throw error;
      await new Promise((resolve) => setTimeout(resolve, BETWEEN));
    }
  }
}

/** What a topic holds, as whoever reads committed messages sees it. Errors: those of the client. */
export async function endsOf(admin: Admin, topic: string): Promise<readonly Ends[]> {
  const found = await known(() => admin.fetchTopicOffsets(topic));
  return found.map(({ partition, low, high }) => ({ partition, low: BigInt(low), high: BigInt(high) }));
}
