import { createCipheriv, createDecipheriv } from 'node:crypto';
import {
  sealedFields,
  separate,
  type Actor,
  type Catalogue,
  type Event,
  type Fact,
  type Instant,
  type Occurred,
  type PersonId,
  type Recorded,
  type RequestKey,
  type SealedText,
  type Uuid,
} from '#kernel';
import { OlderThanLog } from './errors.js';
import type { NewEvent, StoredEvent } from './port.js';
import type { Vault } from './vault.js';

/** Where the codec's chance comes from; engine rooms have none of their own. */
export interface Chance {
  /** Fresh random bytes, used once. */
  bytes(count: number): Buffer;
}

/** What surrounds the facts of one append. */
export interface Surroundings {
  readonly occurredAt: Instant;
  readonly actor: Actor;
  readonly correlation: string;
  readonly causation?: string;
  /** Version of the rules (ruling 8). */
  readonly engine: string;
  readonly key?: RequestKey;
}

/** A fact ready for the log, and beside it what a fold of it sees. */
export interface Prepared {
  readonly event: NewEvent;
  /** All of `Recorded` but what only the store knows. */
  readonly occurred: Occurred<Event> & {
    readonly id: Uuid;
    readonly sealed?: SealedText;
    readonly correlation: string;
    readonly causation?: string;
    readonly engine: string;
    readonly key?: RequestKey;
  };
}

/** Lifts stored data of an old version to the newest one; the stored bytes never change. */
export type Upcaster = (stored: { readonly type: string; readonly data: object }) => {
  readonly type: string;
  readonly data: object;
};

type Mutable<T> = { -readonly [K in keyof T]: T[K] };

interface Body {
  readonly at: Instant;
  readonly actor: Actor;
  readonly correlation: string;
  readonly causation?: string;
  readonly engine: string;
  readonly key?: RequestKey;
  readonly data: object;
  readonly sealed?: SealedText;
}

/**
 * Between facts and the bytes of the log: seals what persons typed (AES-256-GCM, a key per person, one blob
 * per person and event; ruling 31), and reads every version ever written.
 *
 * Errors: OlderThanLog for a type that neither the catalogue nor an upcaster knows (ruling 48).
 */
export interface Codec {
  readonly catalogue: Catalogue;
  prepare(
    facts: readonly Fact<Event>[],
    ids: readonly Uuid[],
    around: Surroundings,
  ): Promise<readonly Prepared[]>;
  decode(stored: StoredEvent): Recorded<Event>;
}

export interface DecoderOptions {
  readonly catalogue: Catalogue;
  /** By the old stored name. */
  readonly upcasters?: Readonly<Record<string, Upcaster>>;
}

export interface CodecOptions extends DecoderOptions {
  readonly vault: Vault;
  readonly chance: Chance;
}

export function codec({ catalogue, vault, chance, upcasters = {} }: CodecOptions): Codec {
  const sealedByType = new Map(
    Object.entries(catalogue).map(([type, definition]) => [type, sealedFields(definition)] as const),
  );

  const prepare: Codec['prepare'] = async (facts, ids, around) => {
    const split = facts.map((fact) => {
      const fields = sealedByType.get(fact.type);
      if (!fields) throw new OlderThanLog(fact.type);
      return separate(fact.data, fields);
    });
    const persons = new Set(split.flatMap(({ typed }) => [...typed.keys()]));
    const keys = persons.size > 0 ? await vault.keysFor([...persons]) : new Map<PersonId, Buffer>();
    return facts.map((fact, i) => {
      const { clear, typed } = split[i]!;
      let sealed: Record<PersonId, string> | undefined;
      for (const [person, texts] of typed) {
        const key = keys.get(person);
        if (!key) throw new Error(`the vault gave no key for person ${person}`);
        (sealed ??= {})[person] = seal(JSON.stringify(texts), person, key, chance.bytes(12));
      }
      const id = ids[i]!;
      // Field by field, as in decode; what is undefined is not written.
      const body: { [name in keyof Body]: Body[name] | undefined } = {
        at: fact.at ?? around.occurredAt,
        actor: fact.actor ?? around.actor,
        correlation: around.correlation,
        causation: around.causation,
        engine: around.engine,
        key: around.key,
        data: clear,
        sealed,
      };
      const occurred: Mutable<Prepared['occurred']> = {
        id,
        type: fact.type,
        data: clear,
        occurredAt: fact.at ?? around.occurredAt,
        actor: fact.actor ?? around.actor,
        correlation: around.correlation,
        engine: around.engine,
      };
      if (around.causation !== undefined) occurred.causation = around.causation;
      if (around.key) occurred.key = around.key;
      if (sealed) occurred.sealed = sealed;
      return { event: { id, type: fact.type, body: JSON.stringify(body) }, occurred };
    });
  };

  return { catalogue, prepare, decode: decoder({ catalogue, upcasters }) };
}

/**
 * The reading half of the codec, for who may see no more than what is clear: it has no keys.
 *
 * Errors: OlderThanLog.
 */
export function decoder({ catalogue, upcasters = {} }: DecoderOptions): Codec['decode'] {
  const known = new Set(Object.keys(catalogue));
  const lifts = new Map(Object.entries(upcasters));
  return (stored) => {
    const body = JSON.parse(stored.body) as Body;
    let { type } = stored;
    let { data } = body;
    for (let lift = lifts.get(type); lift; lift = lifts.get(type)) ({ type, data } = lift({ type, data }));
    if (!known.has(type)) throw new OlderThanLog(stored.type);
    // Field by field: a rest and a spread of the body would cost more than parsing it.
    const event: Mutable<Recorded<Event>> = {
      id: stored.id,
      type,
      data,
      stream: stored.stream,
      revision: stored.revision,
      position: stored.position,
      recordedAt: stored.recordedAt,
      occurredAt: body.at,
      actor: body.actor,
      correlation: body.correlation,
      engine: body.engine,
    };
    if (body.causation !== undefined) event.causation = body.causation;
    if (body.key) event.key = body.key;
    if (body.sealed) event.sealed = body.sealed;
    return event;
  };
}

/**
 * Decodes an event once for all who are given the same one: followers of the end of one log in one process.
 * What they get they share, so nobody changes it. (Decoding is ten times what remembering costs.)
 */
export function decodedOnce(decode: Codec['decode']): Codec['decode'] {
  const decoded = new WeakMap<StoredEvent, Recorded<Event>>();
  return (stored) => {
    let event = decoded.get(stored);
    if (!event) decoded.set(stored, (event = decode(stored)));
    return event;
  };
}

/** Blob: base64 of 1 version byte, 12 bytes nonce, ciphertext, 16 bytes tag; bound to the person's id. */
const VERSION = 1;

function seal(plain: string, person: PersonId, key: Buffer, nonce: Buffer): string {
  const cipher = createCipheriv('aes-256-gcm', key, nonce).setAAD(Buffer.from(person));
  const ciphertext = cipher.update(plain, 'utf8');
  cipher.final();
  const bytes = Buffer.allocUnsafe(29 + ciphertext.length);
  bytes[0] = VERSION;
  bytes.set(nonce, 1);
  bytes.set(ciphertext, 13);
  bytes.set(cipher.getAuthTag(), 13 + ciphertext.length);
  return bytes.toString('base64');
}

function unseal(blob: string, person: PersonId, key: Buffer): string {
  const bytes = Buffer.from(blob, 'base64');
  if (bytes[0] !== VERSION) throw new Error(`a sealed blob of unknown version ${bytes[0]}`);
  const decipher = createDecipheriv('aes-256-gcm', key, bytes.subarray(1, 13))
    .setAAD(Buffer.from(person))
    .setAuthTag(bytes.subarray(-16));
  return decipher.update(bytes.subarray(13, -16), undefined, 'utf8') + decipher.final('utf8');
}

/** One sealed blob of a row or an event, and the person under whose key it lies. */
export interface Sealed {
  readonly of: PersonId;
  readonly blob: string;
}

export type Opened = Readonly<Record<string, string>>;

/**
 * Opens blobs for showing; each answer is the blob's texts by field name, or null where the key was
 * destroyed. Throws where a blob does not belong to its person or was altered.
 */
export function opener(vault: Vault): (blobs: readonly Sealed[]) => Promise<readonly (Opened | null)[]> {
  return async (blobs) => {
    const keys = await vault.existingKeys([...new Set(blobs.map((b) => b.of))]);
    return blobs.map(({ of, blob }) => {
      const key = keys.get(of);
      return key ? (JSON.parse(unseal(blob, of, key)) as Opened) : null;
    });
  };
}
