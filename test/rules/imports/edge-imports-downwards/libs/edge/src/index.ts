import { thing } from '../../../apps/api/src/module.js';

export const other = thing;
