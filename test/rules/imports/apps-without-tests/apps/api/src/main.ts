import { thing } from '../../../test/support/thing.js';

export const other = thing;
