import { thing } from '#engine/store';

export const other = thing;
