import { hash } from 'node:crypto';
import { DESK, uuidV8, type PersonId, type Term, type Uuid } from '#kernel';

/**
 * Ids that are derived, not made: keyed, so that they say nothing by themselves, and the same for ever
 * because the key is never rotated (rulings 10, 11, 31).
 */
export interface Identities {
  /** A person known by a token: UUIDv8 of (issuer, subject). */
  person(issuer: string, subject: string): PersonId;
  /** A person known by an e-mail address; letter case and outer space do not count. */
  personByAddress(address: string): PersonId;
  /** A name that is grouped and searched by, sealed under the desk's key; case and outer space do not count. */
  term(kind: TermKind, text: string): Term;
  /** The id of that term, for looking it up. */
  termId(kind: TermKind, text: string): Uuid;
  /** An idempotency key as it travels in event metadata; whose it is and for which route is part of it. */
  requestKey(person: PersonId, route: string, key: string): string;
  /** The body of a keyed request, likewise. */
  requestBody(canonical: string): string;
  /** What a keyed POST creates takes its stream id from (person, route, key). */
  created(person: PersonId, route: string, key: string): Uuid;
  /** Anything else that follows from something: imports (source, case, row), flows (causing event, step). */
  derived(kind: 'case' | 'row' | 'event' | 'step' | 'naming', ...parts: readonly string[]): Uuid;
}

export const TERM_KINDS = [
  'group',
  'category',
  'subcategory',
  'service',
  'vendor',
  'vendor-reference',
  'customer',
  'external-reference',
  'queue-title',
] as const;
export type TermKind = (typeof TERM_KINDS)[number];

/** @param secret IDENTITY_SECRET, 32 bytes or more. */
export function identities(secret: Buffer): Identities {
  // The parts are framed by their length, so that no two lists of parts are ever the same bytes.
  const mac = hmacSha256(secret);
  const digest = (...parts: readonly string[]): Buffer => {
    let framed = '';
    for (const part of parts) framed += `${Buffer.byteLength(part)}:${part}`;
    return mac(framed);
  };
  const plain = (text: string): string => text.trim().normalize('NFC').toLowerCase();
  const termId = (kind: TermKind, text: string): Uuid => uuidV8(digest('term', kind, plain(text)));
  return {
    person: (issuer, subject) => uuidV8(digest('person', issuer, subject)),
    personByAddress: (address) => uuidV8(digest('address', plain(address))),
    termId,
    term: (kind, text) => ({ id: termId(kind, text), of: DESK, text: text.trim() }),
    requestKey: (person, route, key) => digest('key', person, route, key).toString('base64url'),
    requestBody: (canonical) => digest('body', canonical).toString('base64url'),
    created: (person, route, key) => uuidV8(digest('created', person, route, key)),
    derived: (kind, ...parts) => uuidV8(digest('derived', kind, ...parts)),
  };
}

const BLOCK = 64;

/**
 * HMAC-SHA-256 (RFC 2104) under one key for many texts: two hashes at one go each. Node’s Hmac objects cost
 * more to make and to collect, and every request needs several.
 */
export function hmacSha256(secret: Buffer): (text: string) => Buffer {
  const key = secret.length > BLOCK ? hash('sha256', secret, 'buffer') : secret;
  const pad = (byte: number): Buffer => {
    const block = Buffer.alloc(BLOCK, byte);
    for (let i = 0; i < key.length; i++) block[i]! ^= key[i]!;
    return block;
  };
  const inner = pad(0x36);
  const outer = Buffer.concat([pad(0x5c), Buffer.alloc(32)]);
  return (text) => {
    const message = Buffer.allocUnsafe(BLOCK + Buffer.byteLength(text));
    inner.copy(message);
    message.write(text, BLOCK, 'utf8');
    hash('sha256', message, 'buffer').copy(outer, BLOCK);
    return hash('sha256', outer, 'buffer');
  };
}
