import { thing } from '#adapters/log-postgres';

export const other = thing;
