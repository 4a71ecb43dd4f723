import { walkThroughDesk } from '../../support/walk.js';
import { DeskProcess, freshFolder } from '../edge/desk-process.js';

const authSecret = 'an auth secret for tests, and tests only';

walkThroughDesk('the desk in one process, on the database it makes itself', async () => {
  const folder = await freshFolder();
  const desk = DeskProcess.start({ env: { DATA_DIR: folder.path, AUTH_SECRET: authSecret, SEED: 'off' } });
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
