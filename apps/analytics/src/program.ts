import { describeApi, type Premises, type Program } from '#edge';
import { AnalyticsModule } from './analytics.module.js';

/** This app in a process of its own. */
export const program: Program<Premises> = {
  name: 'analytics',
  port: 3004,
  needs: ['DATABASE_URL'],
  secrets: ['AUTH_SECRET', 'IDENTITY_SECRET'],
  module: () => AnalyticsModule,
  prepare: describeApi,
};
