import type { TicketMeasures } from '#engine/analytics';
import { memoryConsumerStore, memoryFeed, type MemoryConsumerStore } from '#engine/feed';
import {
  consumerStoreContract,
  consumingContract,
  feedContract,
  Told,
  type OpenedConsumerStore,
} from '#engine/feed/testing';
import { TICKETS } from '#contracts';

async function open(): Promise<OpenedConsumerStore> {
  let store = memoryConsumerStore<TicketMeasures>('analytics');
  const present = new Proxy(store, {
    get: (_, property) => store[property as keyof MemoryConsumerStore],
    ownKeys: () => Reflect.ownKeys(store),
    getOwnPropertyDescriptor: (_, property) => Object.getOwnPropertyDescriptor(store, property),
  });
  return {
    store: present,
    second: present,
    rows: async () => store.rows(),
    counts: async () => store.counts(),
    empty: async () => {
      store = memoryConsumerStore<TicketMeasures>('analytics');
    },
    tamper: async (ticket) => store.tamper(ticket),
    close: async () => {},
  };
}

consumerStoreContract('memory', open);
consumingContract('memory', open);

feedContract('The twin in memory', async () => {
  const feed = memoryFeed();
  const told = new Told();
  const revisions = new Set<string>();
  return {
    feed,
    publish: async (keys) =>
      keys.map((key) => {
        const begun = told.messages.length;
        if (revisions.has(key)) told.answers(key, begun);
        else told.opens(key, begun);
        revisions.add(key);
        const message = told.messages.at(-1)!;
        feed.publish(TICKETS.name, key, JSON.stringify(message));
        return message.id;
      }),
    close: () => feed.close(),
  };
});
