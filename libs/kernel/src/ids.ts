/** Ids made freely are UUIDv7, ids derived from something are UUIDv8 (ruling 10; RFC 9562). */
export type Uuid = string & { readonly __uuid: true };

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[1-8][0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/;

export function isUuid(text: unknown): text is Uuid {
  return typeof text === 'string' && UUID.test(text);
}

const HEX = Array.from({ length: 256 }, (_, byte) => byte.toString(16).padStart(2, '0'));

function format(b: Uint8Array): Uuid {
  let text = '';
  for (let i = 0; i < 16; i++) text += (i === 4 || i === 6 || i === 8 || i === 10 ? '-' : '') + HEX[b[i]!];
  return text as Uuid;
}

/** RFC 9562 §5.7 from milliseconds since 1970 and at least 10 random bytes; sorts by time. */
export function uuidV7(milliseconds: number, random: Uint8Array): Uuid {
  const bytes = new Uint8Array(16);
  let ms = milliseconds;
  for (let i = 5; i >= 0; i--) {
    bytes[i] = ms % 256;
    ms = Math.floor(ms / 256);
  }
  bytes.set(random.subarray(0, 10), 6);
  bytes[6] = (bytes[6]! & 0x0f) | 0x70;
  bytes[8] = (bytes[8]! & 0x3f) | 0x80;
  return format(bytes);
}

/** RFC 9562 §5.8 from at least 16 bytes of a (keyed) digest. */
export function uuidV8(digest: Uint8Array): Uuid {
  const bytes = Uint8Array.from(digest.subarray(0, 16));
  bytes[6] = (bytes[6]! & 0x0f) | 0x80;
  bytes[8] = (bytes[8]! & 0x3f) | 0x80;
  return format(bytes);
}

/** A person (requester or staff): a keyed UUIDv8 of what identifies them; it says nothing by itself (ruling 31). */
export type PersonId = Uuid;

/** The desk itself as a key holder: names that belong to no person (groups, categories) are sealed under it. */
export const DESK: PersonId = '00000000-0000-8000-8000-000000000001' as Uuid;

/** The house acting by itself: timers and flows. */
export const HOUSE: PersonId = '00000000-0000-8000-8000-000000000002' as Uuid;
