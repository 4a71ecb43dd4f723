import { isPosition, type Instant, type Position } from '#kernel';
import { instantFrom } from '../requests/instant.js';

/** After which ticket, by its opening, a page begins; and from when on the version is supposed to be in force. */
export type PreviewPlace = readonly [Position, Instant];

export const isPreviewPlace = (value: unknown): value is PreviewPlace =>
  Array.isArray(value) &&
  value.length === 2 &&
  isPosition(value[0]) &&
  typeof value[1] === 'string' &&
  instantFrom(value[1]) === value[1];
