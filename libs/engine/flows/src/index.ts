import type { Flow } from './flow.js';
import { linking } from './linking.js';
import { merging } from './merging.js';

export { type Flow, type Occasion, type Step } from './flow.js';
export { merging } from './merging.js';
export { linking, mirrored } from './linking.js';
export {
  FlowFenced,
  memoryCheckpoints,
  type FlowCheckpoint,
  type FlowCheckpoints,
  type FlowLead,
  type Held,
} from './checkpoints.js';
export { ForeignFlow, runFlow, type Flowing, type FlowingWatch } from './flowing.js';

/** Every flow there is. */
export const everyFlow: readonly Flow[] = [merging, linking];
