import { thing } from '#domain/people';

export const other = thing;
