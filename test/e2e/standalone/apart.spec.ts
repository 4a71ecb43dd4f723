import { openApart } from '../../support/apart.js';
import { EventStoreDouble } from '../../support/eventstoredb.js';
import { walkThroughDesk } from '../../support/walk.js';

walkThroughDesk('processes apart, on the double of EventStoreDB', async () => {
  const double = await EventStoreDouble.start();
  const desk = await openApart({ EVENTSTORE_URL: double.url });
  return {
    ...desk,
    close: async () => {
      await desk.close();
      await double.remove();
    },
  };
});
