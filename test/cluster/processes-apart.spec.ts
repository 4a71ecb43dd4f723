import { openApart } from '../support/apart.js';
import { EventStoreDouble } from '../support/eventstoredb.js';
import { onEachKafka } from '../support/kafka.js';
import { walkThroughDesk } from '../support/walk.js';

/** The walk of the desk in one process, as it stands there, over every app apart. */
await onEachKafka((name, brokers) => {
  const named = process.env.EVENTSTORE_URL;
  const log = named ? 'the EventStoreDB that EVENTSTORE_URL names' : 'the double of EventStoreDB';
  walkThroughDesk(`processes apart, on ${log} and ${name}`, async () => {
    const double = named ? null : await EventStoreDouble.start();
    const desk = await openApart({
      EVENTSTORE_URL: named ?? double!.url,
      KAFKA_BROKERS: brokers().brokers.join(','),
    });
    return {
      ...desk,
      close: async () => {
        await desk.close();
        await double?.remove();
      },
    };
  });
});
