import { afterEach, beforeAll, describe, expect, jest, test } from '@jest/globals';
import { readFile } from 'node:fs/promises';
import { kafkaFeed, kafkaOutlet, STANDING, type KafkaAddress, type KafkaTrouble } from '#adapters/feed-kafka';
import { PARTITIONS, TICKETS } from '#contracts';
import { announce, OutletRefused, OutletUnavailable } from '#engine/announce';
import type { HouseEvent } from '#engine/catalogue';
import { LogReplaced } from '#engine/store';
import { freshId, freshTicket, History } from '#engine/views/testing';
import { silent, type Recorded } from '#kernel';
import { DeskProcess, SECRETS } from '../e2e/edge/desk-process.js';
import { freshDatabase, type FreshDatabase } from '../support/database.js';
import { freePort } from '../support/eventstoredb.js';
import { eventually } from '../support/eventually.js';
import { freshPrefix, onEachKafka, TLS } from '../support/kafka.js';
import { deleteRecords, makeTopic, readTopic } from '../support/read-topic.js';

jest.setTimeout(180_000);

const USER = { name: 'desk', password: 'correct horse' };

await onEachKafka(
  (name, brokers) => {
    describe(`Where ${name} cannot be used`, () => {
      let authority: string;
      beforeAll(async () => {
        authority = await readFile(TLS.authority, 'utf8');
      });
      /** Its listener with TLS and password, by right or wrong means. */
      const secured = (changes: Partial<KafkaAddress> = {}): KafkaAddress => ({
        brokers: brokers().kafka!.securedBrokers!.split(','),
        tls: { ca: authority },
        user: USER,
        prefix: freshPrefix(),
        ...changes,
      });

      const troubles: readonly (readonly [string, () => KafkaAddress, KafkaTrouble, string])[] = [
        [
          'nobody listens there',
          () => ({ brokers: ['127.0.0.1:1'] }),
          'unreachable',
          'none of KAFKA_BROKERS answers',
        ],
        [
          'the password is wrong',
          () => secured({ user: { ...USER, password: 'battery staple' } }),
          'credentials-wrong',
          'KAFKA_USER or KAFKA_PASSWORD is wrong',
        ],
        [
          'the certificate is nobody’s that we trust',
          () => secured({ tls: {} }),
          'untrusted',
          'the certificate of a broker is not trusted',
        ],
        [
          'it speaks plain text and we TLS',
          () => ({ brokers: brokers().brokers, tls: { ca: authority } }),
          'no-tls',
          'it speaks none there (KAFKA_TLS=off)',
        ],
        [
          'it speaks TLS and we plain text',
          () => ({ brokers: brokers().kafka!.securedBrokers!.split(',') }),
          'unreachable',
          'KAFKA_TLS=on',
        ],
      ];

      test.each(troubles)(
        'because %s, the relay says so within 30 s',
        async (_why, address, trouble, words) => {
          const outlet = kafkaOutlet({ ...address(), logger: silent });
          const refused = await outlet.hold().then(
            () => null,
            (error: unknown) => error,
          );
          expect(refused).toBeInstanceOf(OutletUnavailable);
          expect((refused as Error).message).toContain(words);
          expect(outlet.trouble).toBe(trouble);
        },
        30_000,
      );

      test.each(troubles)(
        'because %s, a consumer waits, and says so',
        async (_why, address, trouble, words) => {
          const told: object[] = [];
          const feed = kafkaFeed({
            ...address(),
            logger: { ...silent, warn: (fields) => told.push(fields) },
          });
          const stop = new AbortController();
          const following = feed.follow({
            consumer: 'waits',
            topics: [TICKETS],
            from: async () => null,
            take: async () => {},
            signal: stop.signal,
          });
          await eventually(() => feed.trouble === trouble && told.length > 0, { within: 30_000 });
          expect(feed.reachable).toBe(false);
          expect(told[0]).toMatchObject({
            consumer: 'waits',
            trouble,
            reason: expect.stringContaining(words),
          });
          stop.abort();
          await following;
          await feed.close();
        },
        60_000,
      );

      test('with the right certificate and password all goes well', async () => {
        const outlet = kafkaOutlet({ ...secured(), logger: silent });
        const held = await outlet.hold();
        expect(held.standing).toBeNull();
        expect(outlet.trouble).toBeNull();
        await held.release();
      });

      test('a topic with another number of partitions is refused and left as it is', async () => {
        const prefix = freshPrefix();
        await makeTopic(brokers().brokers, prefix + TICKETS.name, 7);
        const outlet = kafkaOutlet({ ...brokers(), prefix, logger: silent });
        await expect(outlet.hold()).rejects.toThrow(OutletRefused);
        await expect(outlet.hold()).rejects.toThrow(`has 7 partitions, not ${PARTITIONS}`);
      });

      test('a topic for the standing that forgets is refused', async () => {
        const prefix = freshPrefix();
        await makeTopic(brokers().brokers, prefix + STANDING, 1);
        const outlet = kafkaOutlet({ ...brokers(), prefix, logger: silent });
        await expect(outlet.hold()).rejects.toThrow('cleanup.policy=compact');
      });
    });

    describe(`A consumer of ${name}`, () => {
      test.each([
        ['was made anew', '40', 'the topic was made anew'],
        ['lost records that it has not read', '0', 'messages are gone that it has not read'],
      ])('stops where a topic %s, and reads nothing of it', async (_what, next, told) => {
        const prefix = freshPrefix();
        const address = { ...brokers(), prefix, logger: silent };
        const outlet = await kafkaOutlet(address).hold();
        const log = freshId();
        const history = new History();
        const stream = freshTicket();
        const messages = Array.from({ length: 10 }, () => history.ticket(stream, 'desk.ticket-closed.v1'));
        await outlet.put(
          messages.flatMap((event) => announce(event as Recorded<HouseEvent>, log)),
          { log, position: messages.at(-1)!.position, event: messages.at(-1)!.id },
        );
        await outlet.release();
        const { partition } = await eventually(async () => (await readTopic(address, TICKETS.name))[0], {
          within: 30_000,
        });
        if (next === '0') await deleteRecords(address.brokers, prefix + TICKETS.name, partition, '5');
        const feed = kafkaFeed(address);
        const taken: unknown[] = [];
        const following = feed.follow({
          consumer: 'stops',
          topics: [TICKETS],
          from: async (_topic, at) => (at === partition ? next : null),
          take: async (batch) => void taken.push(batch),
          signal: new AbortController().signal,
        });
        await expect(following).rejects.toThrow(LogReplaced);
        await expect(following).rejects.toThrow(told);
        expect(taken).toEqual([]);
        await feed.close();
      });
    });

    describe(`A relay beside ${name}`, () => {
      const relays: DeskProcess[] = [];
      const databases: FreshDatabase[] = [];
      afterEach(async () => {
        for (const relay of relays.splice(0)) {
          relay.signal('SIGKILL');
          await relay.ended;
        }
        for (const database of databases.splice(0)) await database.drop();
      });
      const start = async (env: Record<string, string>): Promise<DeskProcess> => {
        const database = await freshDatabase();
        databases.push(database);
        const relay = DeskProcess.start({
          app: 'relay',
          env: { ...SECRETS, DATABASE_URL: database.url, ...env },
        });
        relays.push(relay);
        return relay;
      };
      /** What of it is not ready, and why. */
      const unready = async (address: string): Promise<unknown> => {
        const answer = await fetch(`${address}/health/ready`);
        const { errors = [] } = (await answer.json()) as { errors?: { field: string; problem: string }[] };
        return [answer.status, ...errors.map(({ field, problem }) => `${field} ${problem}`)];
      };

      test('is not ready and names why, in the log and in readiness, and stays up', async () => {
        const relay = await start({
          KAFKA_BROKERS: brokers().kafka!.securedBrokers!,
          KAFKA_CA_FILE: TLS.authority,
          KAFKA_USER: USER.name,
          KAFKA_PASSWORD: 'battery staple',
        });
        const address = await relay.address();
        await eventually(() => relay.line('the relay starts again'), { within: 30_000 });
        expect(relay.line('the relay starts again')).toMatchObject({
          problem: 'OutletUnavailable',
          reason: expect.stringContaining('KAFKA_PASSWORD is wrong'),
        });
        expect(await unready(address)).toEqual([503, 'kafka feed-credentials-wrong']);
        expect(relay.out).not.toContain('battery staple');
        expect(await relay.stop()).toBe(0);
      });

      test('waits for a Kafka that is down at its start, and goes on when it goes away and comes back', async () => {
        const { kafka } = brokers();
        const [broker] = kafka!.nodes;
        await broker!.stop();
        const relay = await start({ KAFKA_BROKERS: brokers().brokers.join(',') });
        const address = await relay.address();
        const says = (...what: unknown[]): Promise<unknown> =>
          eventually(async () => String(await unready(address)) === String(what), {
            within: 60_000,
            every: 200,
            what: String(what),
          });
        await says(503, 'kafka feed-unavailable');
        await broker!.start();
        await says(200);
        await broker!.kill();
        await says(503, 'kafka feed-unavailable');
        await broker!.start();
        await says(200);
        await eventually(
          async () => {
            const figures = await (await fetch(`${address}/metrics`)).text();
            expect(figures).toMatch(/covenant_relay_leading 1/);
            expect(figures).toMatch(/covenant_relay_lag_events 0/);
            return true;
          },
          { within: 30_000, every: 200 },
        );
        expect(await relay.stop()).toBe(0);
        expect(relay.err).toBe('');
      });

      test('ends at once, in one line, where the file of the authority is none', async () => {
        const relay = await start({
          KAFKA_BROKERS: `127.0.0.1:${await freePort()}`,
          KAFKA_CA_FILE: '/nowhere/ca.crt',
        });
        expect(await relay.ended).toBe(1);
        expect(relay.err).toBe(
          'covenant relay: KAFKA_CA_FILE must be a file that can be read; /nowhere/ca.crt is none.\n',
        );
      });
    });
  },
  {
    ours: true,
    secured: { certificate: TLS.certificate, key: TLS.key, user: USER.name, password: USER.password },
  },
);
