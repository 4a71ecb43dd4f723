import { thing } from '#engine/store/testing';

export const other = thing;
