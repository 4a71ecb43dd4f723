import { thing } from '#domain/desk';

export const other = thing;
