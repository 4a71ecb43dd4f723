import { thing } from '#kernel';

export const other = thing;
