import { describeApi, type Program } from '#edge';
import { ApiModule } from './api.module.js';

/** This app in a process of its own. */
export const program: Program = {
  name: 'api',
  port: 3000,
  needs: ['DATABASE_URL'],
  module: () => ApiModule,
  prepare: describeApi,
};
