import { isUuid } from '#kernel';
import { InvalidAppend } from './errors.js';
import { NO_STREAM, type Append } from './port.js';

/** Bytes of one event's body (ruling 16). */
export const EVENT_LIMIT = 256 * 1024;
/** Bytes of all bodies of one append (ruling 16). */
export const APPEND_LIMIT = 1024 * 1024;

const STREAM = /^[a-z][a-z0-9]*-[\x21-\x7e]{1,200}$/;
const TYPE = /^[\x21-\x7e]{1,200}$/;
/** U+0000, or a surrogate without its other half. */
const NO_TEXT = /[\0\p{Surrogate}]/u;
const LAST_REVISION = 2_147_483_646;

/**
 * What every log refuses before it does anything, so that no adapter takes what another would not. A body
 * with U+0000 or a lone surrogate is no JSON text as UTF-8 (RFC 8259 section 8.1): escaped they pass.
 *
 * @throws InvalidAppend; its message never holds a body.
 */
export function checkAppend({ stream, expected, events }: Append): void {
  if (!STREAM.test(stream)) throw new InvalidAppend(`not a stream name: ${JSON.stringify(stream)}`);
  if (!Number.isInteger(expected) || expected < NO_STREAM || expected > LAST_REVISION - events.length)
    throw new InvalidAppend(`${stream}: not a revision to expect: ${expected}`);
  if (events.length === 0) throw new InvalidAppend(`${stream}: an append without events`);
  const ids = new Set<string>();
  let total = 0;
  for (const { id, type, body } of events) {
    if (!isUuid(id)) throw new InvalidAppend(`${stream}: not an event id: ${JSON.stringify(id)}`);
    if (ids.has(id)) throw new InvalidAppend(`${stream}: the id ${id} stands twice in one append`);
    ids.add(id);
    if (!TYPE.test(type)) throw new InvalidAppend(`${stream}: not an event type: ${JSON.stringify(type)}`);
    if (body.length === 0 || NO_TEXT.test(body))
      throw new InvalidAppend(`${stream}: the body of ${id} is no JSON text`);
    const bytes = Buffer.byteLength(body);
    if (bytes > EVENT_LIMIT)
      throw new InvalidAppend(`${stream}: event ${id} has ${bytes} bytes, at most ${EVENT_LIMIT} are taken`);
    total += bytes;
  }
  if (total > APPEND_LIMIT)
    throw new InvalidAppend(`${stream}: the append has ${total} bytes, at most ${APPEND_LIMIT} are taken`);
}
