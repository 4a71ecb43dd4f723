import { thing } from '#edge';

export const other = thing;
