import { isUtf8 } from 'node:buffer';
import { Problem } from '../problem/problem.js';

/** Objects and arrays inside one another (ruling 49). */
export const MAX_DEPTH = 32;

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const COLON = 0x3a;
const OPEN_ARRAY = 0x5b;
const CLOSE_ARRAY = 0x5d;
const OPEN_OBJECT = 0x7b;
const CLOSE_OBJECT = 0x7d;

/**
 * Reads a JSON body from its raw bytes, before anything else may look at it (ruling 49): bytes that are not
 * UTF-8, malformed JSON, nesting deeper than 32, U+0000 or a lone surrogate in any string or name, a name
 * given twice in one object, and `__proto__` are refused. One pass over the bytes and one over the values.
 *
 * @throws Problem `bad-json`, `bad-text` or `too-deep`
 */
export function readJson(body: Buffer): unknown {
  if (!isUtf8(body)) throw Problem.of('bad-json', 'The body is not valid UTF-8.');
  const { names, escapes } = survey(body);
  let value: unknown;
  try {
    value = JSON.parse(body.toString('utf8'));
  } catch {
    // The parser's own message quotes the body.
    throw Problem.of('bad-json', 'The body is not well-formed JSON.');
  }
  if (countNames(value, escapes) !== names)
    throw Problem.of('bad-json', 'A name stands twice in one object of the body.');
  return value;
}

/** Measures the depth, and counts the names: a colon outside strings follows each. Malformed JSON is the parser's business. */
function survey(body: Buffer): { names: number; escapes: boolean } {
  let depth = 0;
  let names = 0;
  let escapes = false;
  const { length } = body;
  for (let i = 0; i < length; i++) {
    switch (body[i]) {
      case QUOTE:
        for (i++; i < length && body[i] !== QUOTE; i++)
          if (body[i] === BACKSLASH) {
            escapes = true;
            i++;
          }
        break;
      case OPEN_OBJECT:
      case OPEN_ARRAY:
        if (++depth > MAX_DEPTH) throw Problem.of('too-deep', `Nested deeper than ${MAX_DEPTH}.`);
        break;
      case CLOSE_OBJECT:
      case CLOSE_ARRAY:
        depth--;
        break;
      case COLON:
        names++;
        break;
      default:
        break;
    }
  }
  return { names, escapes };
}

/** In UTF-8 without escapes neither U+0000 nor a lone surrogate can stand in a JSON string. */
function countNames(value: unknown, escapes: boolean): number {
  if (typeof value === 'string') {
    if (escapes) demandStorable(value);
    return 0;
  }
  if (typeof value !== 'object' || value === null) return 0;
  let names = 0;
  if (Array.isArray(value)) {
    for (const item of value) names += countNames(item, escapes);
    return names;
  }
  for (const name of Object.keys(value)) {
    if (name === '__proto__') throw Problem.of('bad-json', 'A name in the body is not allowed: __proto__.');
    if (escapes) demandStorable(name);
    names += 1 + countNames((value as Record<string, unknown>)[name], escapes);
  }
  return names;
}

function demandStorable(text: string): void {
  if (!isStorable(text))
    throw Problem.of(
      'bad-text',
      'U+0000 and lone surrogates cannot be stored; a text in the body holds one.',
    );
}

/** With the u flag pairs are one character, so this finds lone surrogates only. */
const UNSTORABLE = /[\0\p{Surrogate}]/u;

/** True where PostgreSQL and UTF-8 can hold the text (ruling 49). */
export function isStorable(text: string): boolean {
  return !UNSTORABLE.test(text);
}

const VISIBLE_ASCII = /^[\x21-\x7e]*$/;

/**
 * The same for path and query, as they came: percent-encoded UTF-8 without U+0000.
 * @throws Problem `bad-request` or `bad-text`
 */
export function checkUrl(url: string): void {
  if (!VISIBLE_ASCII.test(url)) throw Problem.of('bad-request', 'The address is not a valid URL.');
  if (!url.includes('%')) return;
  let decoded: string;
  try {
    decoded = decodeURIComponent(url);
  } catch {
    throw Problem.of('bad-request', 'The address is not percent-encoded UTF-8.');
  }
  if (!isStorable(decoded)) throw Problem.of('bad-text', 'The address holds U+0000.');
}

/**
 * JSON with its names in order, so that two bodies that say the same are the same text; what an
 * idempotency key is compared by (ruling 11). Undefined members do not count.
 */
export function canonical(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map((item) => canonical(item ?? null)).join(',')}]`;
  if (typeof value !== 'object' || value === null) return JSON.stringify(value) ?? 'null';
  const members = Object.entries(value)
    .filter(([, member]) => member !== undefined)
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([name, member]) => `${JSON.stringify(name)}:${canonical(member)}`);
  return `{${members.join(',')}}`;
}
