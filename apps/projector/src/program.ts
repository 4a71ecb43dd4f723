import type { Program } from '#edge';
import { ProjectorModule } from './projector.module.js';

/** This app in a process of its own. */
export const program: Program = {
  name: 'projector',
  port: 3001,
  needs: ['DATABASE_URL'],
  module: () => ProjectorModule,
};
