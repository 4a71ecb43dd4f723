import { thing } from '../../../domain/desk/src/ticket/thing.js';

export const other = thing;
