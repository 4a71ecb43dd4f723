import { DeskProcess, freshFolder } from '../e2e/edge/desk-process.js';
import { onEachKafka } from '../support/kafka.js';
import { walkThroughDesk } from '../support/walk.js';

const authSecret = 'an auth secret for tests, and tests only';

/** The walk over one process that announces itself to Kafka, and whose consumers read from there. */
await onEachKafka(
  (name, brokers) => {
    walkThroughDesk(`the desk in one process, on ${name}`, async () => {
      const folder = await freshFolder();
      const desk = DeskProcess.start({
        env: {
          DATA_DIR: folder.path,
          AUTH_SECRET: authSecret,
          SEED: 'off',
          KAFKA_BROKERS: brokers().brokers.join(','),
        },
      });
      const address = await desk.address();
      return {
        at: () => address,
        authSecret,
        close: async () => {
          await desk.stop();
          await folder.remove();
        },
      };
    });
  },
  { ours: true, versions: ['3.9'] },
);
