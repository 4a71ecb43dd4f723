import { thing } from './gone.js';

export const other = thing;
