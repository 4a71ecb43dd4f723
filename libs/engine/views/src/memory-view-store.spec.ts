import { memoryViewStore } from '#engine/views';
import { viewStoreContract } from '#engine/views/testing';

viewStoreContract('the twin in memory', async () => {
  let store = memoryViewStore();
  return {
    store: new Proxy(store, { get: (_, property) => store[property as keyof typeof store] }),
    rows: async (view) => store.rows(view),
    tallies: async (view) => store.tallies(view),
    empty: async () => {
      store = memoryViewStore();
    },
    close: async () => {},
  };
});
