import type { Program } from '#edge';
import { TimekeeperModule } from './timekeeper.module.js';

/** This app in a process of its own. */
export const program: Program = {
  name: 'timekeeper',
  port: 3002,
  needs: ['DATABASE_URL'],
  module: () => TimekeeperModule,
};
