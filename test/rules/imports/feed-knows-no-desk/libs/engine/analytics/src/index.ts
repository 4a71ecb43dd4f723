import { thing } from '#engine/catalogue';

export const other = thing;
