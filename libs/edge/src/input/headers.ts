import { isPosition, isUuid, type Position, type Uuid } from '#kernel';
import { notFound, Problem } from '../problem/problem.js';

const KEY = /^[\x21-\x7e]{1,255}$/;

/** `Idempotency-Key`: 1 to 255 visible ASCII characters. @throws Problem `bad-request` */
export function readIdempotencyKey(header: unknown): string | undefined {
  if (header === undefined) return undefined;
  if (typeof header === 'string' && KEY.test(header)) return header;
  throw Problem.of('bad-request', 'Idempotency-Key must be 1 to 255 visible ASCII characters.');
}

/** What no aggregate is ever at: for a well-formed tag that is none of ours. */
export const NO_SUCH_ETAG = -2;

const TAG = /^"[\x21\x23-\x7e]*"$/;
const OURS = /^"(0|[1-9]\d{0,14})"$/;

/**
 * `If-Match`: one strong entity tag, `"7"`; `*` asks for nothing that the command does not ask anyway. A
 * weak tag never matches (RFC 9110 §13.1.1). @throws Problem `bad-request`
 */
export function readIfMatch(header: unknown): number | undefined {
  if (header === undefined || header === '*') return undefined;
  if (typeof header !== 'string') throw Problem.of('bad-request', 'If-Match must be one entity tag.');
  const tag = header.trim();
  const ours = OURS.exec(tag);
  if (ours) return Number(ours[1]);
  if (TAG.test(tag) || (tag.startsWith('W/') && TAG.test(tag.slice(2)))) return NO_SUCH_ETAG;
  throw Problem.of('bad-request', 'If-Match must be one entity tag, such as "7".');
}

/** `?after=`: a position that a Covenant-Position header gave. @throws Problem `bad-request` */
export function readAfter(text: unknown): Position | undefined {
  if (text === undefined) return undefined;
  if (isPosition(text)) return text;
  throw Problem.of('bad-request', 'after must be a position that a Covenant-Position header gave.');
}

/** An id in a path: what is no UUID names nothing. @throws Problem `not-found` */
export function readId(text: unknown): Uuid {
  const lower = typeof text === 'string' ? text.toLowerCase() : text;
  if (isUuid(lower)) return lower;
  throw notFound();
}

const FOREIGN_CORRELATION = /^[A-Za-z0-9-]{1,64}$/;

/** A correlation id of the caller's is kept only in this form (ruling 31). */
export function readCorrelation(header: unknown): string | undefined {
  return typeof header === 'string' && FOREIGN_CORRELATION.test(header) ? header : undefined;
}
