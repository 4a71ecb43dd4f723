import { thing } from '#adapters/views-postgres';

export const other = thing;
