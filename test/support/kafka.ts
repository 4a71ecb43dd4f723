import { afterAll, beforeAll, describe, test } from '@jest/globals';
import { randomBytes } from 'node:crypto';
import kafkajs from 'kafkajs';
import {
  KafkaAbsent,
  resolveKafka,
  startKafka,
  VERSIONS,
  type Kafka,
  type KafkaOptions,
} from '../../scripts/kafka.mjs';
import { eventually } from './eventually.js';

export type { KafkaNode } from '../../scripts/kafka.mjs';

const here = (path: string): string => new URL(path, import.meta.url).pathname;

/** A certificate for `localhost` and 127.0.0.1, and the authority that made it. */
export const TLS = {
  certificate: here('../doubles/eventstoredb/tls/node.crt'),
  key: here('../doubles/eventstoredb/tls/node.key'),
  authority: here('../doubles/eventstoredb/tls/ca.crt'),
};

/** Of each test its own topics. */
export const freshPrefix = (): string => `t${randomBytes(6).toString('hex')}.`;

/** What of the brokers of a Kafka tests may use, started by them or named. */
export interface Brokers {
  readonly brokers: readonly string[];
  /** Absent where it was named: nobody kills a stranger’s. */
  readonly kafka?: Kafka;
}

export interface EachKafka extends Omit<KafkaOptions, 'version'> {
  readonly versions?: readonly string[];
  /** For tests that end brokers, or fill topics that a desk may have: never on one that is named. */
  readonly ours?: boolean;
}

/**
 * The same tests on each Kafka to be had: the one that KAFKA_BROKERS names, else 3.9 and 4 from Maven. Where
 * there is none, one test says so in a line that nobody overlooks.
 */
export async function onEachKafka(
  tests: (name: string, brokers: () => Brokers) => void,
  { ours = false, ...options }: EachKafka = {},
): Promise<void> {
  const named = process.env.KAFKA_BROKERS;
  if (!ours && named !== undefined && named !== '') {
    tests('the Kafka that KAFKA_BROKERS names', () => ({ brokers: named.split(',') }));
    return;
  }
  const { versions = Object.keys(VERSIONS), ...more } = options;
  for (const version of versions) {
    const absent = await resolveKafka(version).then(
      () => null,
      (error: unknown) => {
        if (error instanceof KafkaAbsent) return error.message;
        throw error;
      },
    );
    if (absent !== null) {
      const line = `NO KAFKA ${version} (${absent}): NOTHING was tested against a real one`;
      test(line, () => void process.stderr.write(`\n!!! ${line}\n`));
      continue;
    }
    describe(`Kafka ${version}`, () => {
      let kafka: Kafka | undefined;
      beforeAll(async () => {
        kafka = await startKafka({ version, ...more });
      }, 120_000);
      afterAll(async () => {
        await kafka?.remove();
      }, 60_000);
      tests(`Kafka ${version}`, () => ({ brokers: kafka!.brokers.split(','), kafka: kafka! }));
    });
  }
}

/** Waits until every partition of a topic has so many copies that are up to date. */
export async function allInSync(brokers: readonly string[], topic: string, copies: number): Promise<void> {
  const admin = new kafkajs.Kafka({ brokers: [...brokers], logLevel: kafkajs.logLevel.NOTHING }).admin();
  await admin.connect();
  try {
    await eventually(
      async () => {
        const { topics } = await admin.fetchTopicMetadata({ topics: [topic] });
        return topics[0]!.partitions.every(({ isr }) => isr.length === copies);
      },
      { within: 60_000, every: 200, what: `${copies} copies of ${topic} up to date` },
    );
  } finally {
    await admin.disconnect();
  }
}
