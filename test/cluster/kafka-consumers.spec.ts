import { afterAll, beforeAll, expect, jest, test } from '@jest/globals';
import kafkajs from 'kafkajs';
import { deadLetters, PARTITIONS, TICKETS } from '#contracts';
import { mintToken } from '#edge';
import type { Published } from '#engine/feed';
import { freshId, Told } from '#engine/feed/testing';
import { DeskProcess, SECRETS } from '../e2e/edge/desk-process.js';
import { runCovenant } from '../e2e/cli/command-line.js';
import { freshDatabase, type FreshDatabase } from '../support/database.js';
import { eventually } from '../support/eventually.js';
import { onEachKafka } from '../support/kafka.js';
import { makeTopic } from '../support/read-topic.js';

jest.setTimeout(120_000);

const PATIENCE = { within: 60_000, every: 100 } as const;
const DEAD = deadLetters(TICKETS.name, 'analytics');

await onEachKafka((name, brokers) => {
  if (process.env.KAFKA_BROKERS) {
    const line = `${name} is a stranger’s: NOTHING of bad records was tested on it`;
    test(line, () => void process.stderr.write(`\n!!! ${line}\n`));
    return;
  }
  let database: FreshDatabase;
  let analytics: DeskProcess;
  let address: string;
  let producer: kafkajs.Producer;
  let env: Record<string, string>;
  const told = new Told();

  beforeAll(async () => {
    const addresses = [...brokers().brokers];
    await makeTopic(addresses, TICKETS.name, PARTITIONS);
    database = await freshDatabase();
    const { AUTH_SECRET, IDENTITY_SECRET } = SECRETS;
    env = { AUTH_SECRET, IDENTITY_SECRET, DATABASE_URL: database.url, KAFKA_BROKERS: addresses.join(',') };
    analytics = DeskProcess.start({ app: 'analytics', env });
    address = await analytics.address();
    producer = new kafkajs.Kafka({ brokers: addresses, logLevel: kafkajs.logLevel.NOTHING }).producer();
    await producer.connect();
  });
  afterAll(async () => {
    await producer.disconnect();
    await analytics.stop();
    await database.drop();
  });

  const put = (key: string, ...values: readonly string[]) =>
    producer.send({ topic: TICKETS.name, messages: values.map((value) => ({ key, value })) });
  const publish = async (messages: readonly Published[]): Promise<void> => {
    for (const message of messages) await put(message.subject, JSON.stringify(message));
  };
  const ask = async (path: string): Promise<{ status: number; body: any }> => {
    const token = await mintToken(Buffer.from(SECRETS.AUTH_SECRET), { role: 'supervisor', name: 'sam' });
    const answer = await fetch(address + path, { headers: { authorization: `Bearer ${token}` } });
    return { status: answer.status, body: await answer.json() };
  };
  const total = async () => (await ask('/v1/analytics/tickets?from=2026-11-01&to=2026-11-30')).body.total;

  test(`a consumer on ${name}, in a database of its own and without the keys of persons, counts what comes, once`, async () => {
    const [one, two] = [told.opens(), told.opens()];
    told.resolves(one, 60);
    await publish(told.messages);
    await publish(told.messages.slice(0, 2));
    told.reopens(one, 120);
    await publish(told.messages.slice(-1));
    const counted = { opened: 2, resolved: 1, reopened: 1 };
    await eventually(async () => {
      expect(await total()).toMatchObject(counted);
      return true;
    }, PATIENCE);
    const ready = await fetch(`${address}/health/ready`);
    expect([ready.status, await ready.json()]).toEqual([200, { status: 'ready' }]);
    expect(two).not.toBe(one);
  });

  test('it waits for no position of the log, and says so', async () => {
    const { status, body } = await ask('/v1/analytics/tickets?after=0000000000000001');
    expect([status, body.code]).toEqual([400, 'bad-input']);
    expect(body.errors).toEqual([{ field: 'after', problem: expect.stringContaining('over Kafka') }]);
  });

  test('what is no message lies in its tables and in the topic of dead letters, with a reason that tells nothing of it; all others go on', async () => {
    const sick = freshId();
    const later = told.opens(sick);
    const broken = JSON.stringify({ ...told.messages.at(-1), data: { SENTINEL: 1 } });
    await put(freshId(), 'SENTINEL');
    await put(sick, broken);
    await publish(told.messages.slice(-1));
    const well = told.opens();
    await publish(told.messages.slice(-1));
    await eventually(async () => {
      expect((await total()).opened).toBe(3);
      return true;
    }, PATIENCE);
    const reasons = [
      'not-json: the value is no JSON',
      'breaks-schema: covenant.ticket-opened.v1 /data required',
      'behind: an earlier message of its key lies here',
    ].sort();
    const letters = await eventually(async () => {
      const found = await lettersIn(DEAD);
      return found.length >= 3 && found;
    }, PATIENCE);
    expect(letters.map(({ reason }) => reason).sort()).toEqual(reasons);
    expect(letters.map(({ value }) => value)).toEqual(expect.arrayContaining(['SENTINEL', broken]));
    expect(analytics.out + analytics.err).not.toContain('SENTINEL');
    expect(await (await fetch(`${address}/metrics`)).text()).toContain(
      'covenant_consumer_dead_letters{consumer="analytics"} 3',
    );
    expect([later, well].length).toBe(2);
  });

  /** Values and reasons of a topic of dead letters. */
  const lettersIn = async (topic: string): Promise<{ value: string; reason: string }[]> => {
    const kafka = new kafkajs.Kafka({ brokers: [...brokers().brokers], logLevel: kafkajs.logLevel.NOTHING });
    const admin = kafka.admin();
    await admin.connect();
    const known = await admin.listTopics();
    await admin.disconnect();
    if (!known.includes(topic)) return [];
    const consumer = kafka.consumer({ groupId: `letters-${freshId()}`, maxWaitTimeInMs: 100 });
    const found: { value: string; reason: string }[] = [];
    await consumer.connect();
    await consumer.subscribe({ topic, fromBeginning: true });
    await consumer.run({
      eachMessage: async ({ message: { value, headers } }) => {
        found.push({ value: String(value), reason: String(headers!['covenant_reason']) });
      },
    });
    await eventually(() => found.length >= 3, { within: 15_000 }).catch(() => undefined);
    await consumer.disconnect();
    return found;
  };

  test('a message of a later release stops it at its place, unready; nothing is skipped or buried', async () => {
    const before = await total();
    const id = told.opens();
    const later = { ...told.messages.at(-1)!, type: 'covenant.ticket-opened.v99' };
    await put(id, JSON.stringify(later));
    told.resolves(id, 60);
    await publish(told.messages.slice(-1));
    await eventually(async () => {
      const answer = await fetch(`${address}/health/ready`);
      const { errors } = (await answer.json()) as { errors?: object[] };
      expect([answer.status, errors]).toEqual([503, [{ field: 'analytics', problem: 'older-than-log' }]]);
      return true;
    }, PATIENCE);
    expect(await total()).toEqual(before);
    const again = DeskProcess.start({ app: 'analytics', env });
    const at = await again.address();
    await eventually(async () => {
      const { errors } = (await (await fetch(`${at}/health/ready`)).json()) as { errors?: object[] };
      return errors?.some((error) => (error as { problem: string }).problem === 'older-than-log');
    }, PATIENCE);
    await again.stop();
    const listed = await runCovenant(['consumers', 'list', '--json'], {
      ...SECRETS,
      DATABASE_URL: database.url,
    });
    const { consumers } = JSON.parse(listed.out) as { consumers: { deadLetters: { letters: number } }[] };
    expect(consumers[0]!.deadLetters.letters).toBe(3);
  });
});
