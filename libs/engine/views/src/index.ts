import { attainment } from './attainment.js';
import { people } from './people.js';
import { pendingDues } from './pending-dues.js';
import { queueItems, queues } from './queue.js';
import { tickets } from './tickets.js';
import { timeline } from './timeline.js';
import type { View } from './view.js';

export * from './view.js';
export * from './clocks.js';
export * from './tickets.js';
export * from './timeline.js';
export * from './queue.js';
export * from './people.js';
export * from './pending-dues.js';
export * from './attainment.js';
export * from './attaining.js';
export * from './view-store.js';
export * from './folding.js';
export { ForeignCheckpoint, type Projecting, type ProjectingWatch } from './passing.js';
export { project, OlderThanViews } from './projecting.js';
export { rebuild, retryParked, type Rebuilt, type Retried } from './rebuilding.js';
export * from './memory-view-store.js';

/** Every read model there is. */
export const everyView: readonly View[] = [
  tickets,
  timeline,
  queueItems,
  queues,
  people,
  pendingDues,
  attainment,
];
