import { thing } from '../../projector/src/module.js';

export const other = thing;
