import { describeApi, type Premises, type Program } from '#edge';
import { KnowledgeModule } from './knowledge.module.js';

/** This app in a process of its own. */
export const program: Program<Premises> = {
  name: 'knowledge-base',
  port: 3005,
  needs: ['DATABASE_URL'],
  secrets: ['AUTH_SECRET', 'IDENTITY_SECRET'],
  module: () => KnowledgeModule,
  prepare: describeApi,
};
