import { jest } from '@jest/globals';
import { kafkaFeed, kafkaOutlet, STANDING } from '#adapters/feed-kafka';
import { TICKETS } from '#contracts';
import { announce } from '#engine/announce';
import { relayingContract } from '#engine/announce/testing';
import type { HouseEvent } from '#engine/catalogue';
import { feedContract } from '#engine/feed/testing';
import { freshId, History } from '#engine/views/testing';
import { silent, type Recorded } from '#kernel';
import { freshPrefix, onEachKafka } from '../support/kafka.js';
import { deleteTopic, readTopic } from '../support/read-topic.js';

jest.setTimeout(120_000);

await onEachKafka((name, brokers) => {
  relayingContract(
    name,
    async () => {
      const address = { ...brokers(), prefix: freshPrefix(), logger: silent };
      return {
        outlet: () => kafkaOutlet(address),
        read: async () => (await readTopic(address, TICKETS.name)).map(({ message }) => message),
        forget: () => deleteTopic(address.brokers, `${address.prefix}${STANDING}`),
        close: async () => {},
      };
    },
    30_000,
  );

  feedContract(`the feed from ${name}`, async () => {
    const address = { ...brokers(), prefix: freshPrefix(), logger: silent };
    const feed = kafkaFeed(address);
    const outlet = await kafkaOutlet(address).hold();
    const history = new History();
    const log = freshId();
    return {
      feed,
      publish: async (keys) => {
        const events = keys.map((key) => history.ticket(`ticket-${key}`, 'desk.ticket-closed.v1'));
        const last = events.at(-1)!;
        const announcements = events.flatMap((event) => announce(event as Recorded<HouseEvent>, log));
        await outlet.put(announcements, { log, position: last.position, event: last.id });
        return events.map(({ id }) => id);
      },
      close: async () => {
        await outlet.release();
        await feed.close();
      },
    };
  });
});
