import { thing } from './queue.spec.js';

export const other = thing;
