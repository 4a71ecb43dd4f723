import { describeApi, isDemonstration, type Program } from '#edge';
import { announcement, writeDemoEnv } from './announcement.js';
import { demonstrate, demonstrationTokens } from './demonstration.js';
import { StandaloneModule } from './standalone.module.js';

/** The whole desk in one process. */
export const program: Program = {
  name: 'desk',
  module: () => StandaloneModule,
  prepare: describeApi,
  started: async (house, { address }) => {
    // Only the embedded default is ever a demonstration (ruling 34).
    const tokens = house.embedded ? await demonstrationTokens(house.secrets.authSecret) : null;
    const shown =
      tokens !== null &&
      (house.settings.seed ? await demonstrate(house, address, tokens) : await isDemonstration(house.store));
    const demonstration = shown ? { tokens, path: await writeDemoEnv(house, address, tokens) } : null;
    process.stdout.write(`${announcement(address, demonstration)}\n`);
  },
};
