import { flowCheckpointsContract } from '#engine/flows/testing';
import { memoryCheckpoints } from './checkpoints.js';

flowCheckpointsContract(async () => {
  const checkpoints = memoryCheckpoints();
  return { checkpoints, another: checkpoints, close: async () => {} };
});
