import { createCipheriv, createDecipheriv, randomBytes } from 'node:crypto';
import { silent, type Logger, type PersonId } from '#kernel';
import { KeyWithdrawn, LogUnavailable, StoreError, type Vault } from '#engine/store';
import pg from 'pg';
import { vaultMigrations } from './log-schema.js';
import { migrate } from './migrate.js';
import { openPool, problemOf } from './session.js';

export type PostgresVaultOptions = ({ readonly url: string } | { readonly pool: pg.Pool }) & {
  /** 32 bytes; wraps every person's key. */
  readonly masterKey: Buffer;
  /** How long an opened key is remembered: at most 60 s (ruling 31). */
  readonly rememberMs?: number;
  /** How many are remembered. */
  readonly remembered?: number;
  readonly logger?: Logger;
};

export interface PostgresVault extends Vault {
  close(): Promise<void>;
}

/** The master key given is not the one this vault's keys are wrapped by. */
export class WrongMasterKey extends StoreError {}

const REMEMBER_MS = 60_000;
const REMEMBERED = 50_000;
/** Persons asked for in one statement. */
const GROUP = 1_000;
/** The only one until keys can be wrapped anew under another. */
const MASTER_VERSION = 1;
/** What the vault's proof is sealed for, in the place of a person. */
const PROOF = 'covenant vault';

interface Row {
  readonly person: PersonId;
  readonly state: 'open' | 'closing' | 'destroyed';
  readonly wrapped: Buffer | null;
}

interface Entry {
  readonly state: Row['state'];
  readonly key: Buffer | null;
  /** Of `performance.now()`. */
  readonly until: number;
}

/**
 * Keys by person in schema `vault`, wrapped by the master key (AES-256-GCM, bound to person and version).
 * New keys are committed before they are answered; concurrent requests share a statement.
 *
 * Errors at opening: WrongMasterKey, LogUnavailable; later: KeyWithdrawn, LogUnavailable.
 */
export async function openPostgresVault(options: PostgresVaultOptions): Promise<PostgresVault> {
  const { masterKey, logger = silent } = options;
  if (masterKey.length !== 32) throw new WrongMasterKey('the master key has not 32 bytes');
  const rememberMs = Math.min(options.rememberMs ?? REMEMBER_MS, REMEMBER_MS);
  const remembered = options.remembered ?? REMEMBERED;
  const pool =
    'pool' in options
      ? options.pool
      : openPool({ url: options.url, application: 'covenant vault', size: 2, logger });
  const close = async (): Promise<void> => {
    if (!('pool' in options)) await pool.end();
  };
  try {
    await prepare(pool, masterKey, logger);
  } catch (error) {
    await close();
    throw error instanceof StoreError
      ? error
      : new LogUnavailable(`the vault cannot be opened: ${problemOf(error)}`, { cause: error });
  }

  const memory = new Map<PersonId, Entry>();
  const known = (person: PersonId): Entry | undefined => {
    const entry = memory.get(person);
    if (entry && entry.until > performance.now()) return entry;
    memory.delete(person);
    return undefined;
  };
  const remember = ({ person, state, wrapped }: Row, asked: number): void => {
    memory.delete(person);
    memory.set(person, {
      state,
      key: wrapped && unwrap(wrapped, person, masterKey),
      until: asked + rememberMs,
    });
    if (memory.size > remembered) memory.delete(memory.keys().next().value!);
  };

  const find = async (persons: readonly PersonId[]): Promise<Row[]> =>
    (
      await pool.query<Row>({
        name: 'keys-find',
        text: 'SELECT person, state, wrapped FROM vault.person_keys WHERE person = ANY($1)',
        values: [persons],
      })
    ).rows;

  const make = async (persons: readonly PersonId[]): Promise<Row[]> => {
    const wrapped = persons.map((person) => wrap(randomBytes(32), person, masterKey));
    const { rows } = await pool.query<Row>({
      name: 'keys-make',
      text: `INSERT INTO vault.person_keys (person, wrapped, master_version)
             SELECT person, wrapped, ${MASTER_VERSION} FROM unnest($1::uuid[], $2::bytea[]) AS k(person, wrapped)
             ON CONFLICT (person) DO NOTHING
             RETURNING person, state, wrapped`,
      values: [persons, wrapped],
    });
    return rows;
  };

  /** Brings entries of these persons into memory, and makes the keys that `makes` names and nobody has. */
  const fetch = async (persons: readonly PersonId[], makes: ReadonlySet<PersonId>): Promise<Entries> => {
    const asked = performance.now();
    const rows = await find(persons);
    const found = new Set(rows.map((row) => row.person));
    // In one order everywhere, so that two processes never wait for each other's rows in a circle.
    const missing = persons.filter((person) => makes.has(person) && !found.has(person)).sort();
    if (missing.length > 0) {
      const made = await make(missing);
      const ours = new Set(made.map((row) => row.person));
      rows.push(...made, ...(await theirs(missing.filter((person) => !ours.has(person)))));
    }
    for (const row of rows) remember(row, asked);
    return new Map(rows.map((row) => [row.person, memory.get(row.person) ?? entryOf(row, masterKey)]));
  };
  /** Another process was quicker. */
  const theirs = async (persons: readonly PersonId[]): Promise<Row[]> =>
    persons.length > 0 ? find(persons) : [];

  const together = grouped(fetch);

  const entries = async (persons: readonly PersonId[], makes: boolean): Promise<Entries> => {
    const answer = new Map<PersonId, Entry>();
    const unknown: PersonId[] = [];
    for (const person of new Set(persons)) {
      const entry = known(person);
      if (entry) answer.set(person, entry);
      else unknown.push(person);
    }
    if (unknown.length === 0) return answer;
    try {
      for (const [person, entry] of await together(unknown, makes)) answer.set(person, entry);
      return answer;
    } catch (error) {
      throw error instanceof StoreError
        ? error
        : new LogUnavailable(`the vault cannot be asked: ${problemOf(error)}`);
    }
  };

  return {
    keysFor: async (persons) => {
      const found = await entries(persons, true);
      return new Map(
        persons.map((person) => {
          const entry = found.get(person);
          if (entry?.state !== 'open' || !entry.key)
            throw new KeyWithdrawn(`the key of person ${person} was withdrawn`);
          return [person, entry.key];
        }),
      );
    },
    existingKeys: async (persons) => {
      const keys = new Map<PersonId, Buffer>();
      for (const [person, { key }] of await entries(persons, false)) if (key) keys.set(person, key);
      return keys;
    },
    close,
  };
}

type Entries = ReadonlyMap<PersonId, Entry>;

const entryOf = (row: Row, masterKey: Buffer): Entry => ({
  state: row.state,
  key: row.wrapped && unwrap(row.wrapped, row.person, masterKey),
  until: 0,
});

interface Wish {
  readonly persons: readonly PersonId[];
  readonly makes: boolean;
  readonly resolve: (entries: Entries) => void;
  readonly reject: (error: unknown) => void;
}

/** While one request is under way the next ones gather, and go together. */
function grouped(
  fetch: (persons: readonly PersonId[], makes: ReadonlySet<PersonId>) => Promise<Entries>,
): (persons: readonly PersonId[], makes: boolean) => Promise<Entries> {
  let waiting: Wish[] = [];
  let busy = false;
  const run = async (): Promise<void> => {
    busy = true;
    while (waiting.length > 0) {
      const group: Wish[] = [];
      let size = 0;
      while (waiting.length > 0 && size < GROUP) {
        const wish = waiting.shift()!;
        group.push(wish);
        size += wish.persons.length;
      }
      const makes = new Set(group.flatMap((wish) => (wish.makes ? wish.persons : [])));
      try {
        const entries = await fetch([...new Set(group.flatMap((wish) => wish.persons))], makes);
        for (const wish of group) {
          const mine = wish.persons.flatMap((person) => {
            const entry = entries.get(person);
            return entry ? [[person, entry] as const] : [];
          });
          wish.resolve(new Map(mine));
        }
      } catch (error) {
        for (const wish of group) wish.reject(error);
      }
    }
    busy = false;
  };
  return (persons, makes) =>
    new Promise((resolve, reject) => {
      waiting = [...waiting, { persons, makes, resolve, reject }];
      if (!busy) void run();
    });
}

async function prepare(pool: pg.Pool, masterKey: Buffer, logger: Logger): Promise<void> {
  const client = await pool.connect();
  try {
    await migrate(client, 'vault', vaultMigrations, logger);
    await client.query(
      'INSERT INTO vault.master_keys (version, proof) VALUES ($1, $2) ON CONFLICT (version) DO NOTHING',
      [MASTER_VERSION, wrap(randomBytes(32), PROOF, masterKey)],
    );
    const { rows } = await client.query<{ proof: Buffer }>(
      'SELECT proof FROM vault.master_keys WHERE version = $1',
      [MASTER_VERSION],
    );
    if (!opens(rows[0]!.proof, masterKey))
      throw new WrongMasterKey(
        'MASTER_KEY is not the one that this database’s personal keys are wrapped by; give the one it was made with',
      );
  } finally {
    client.release();
  }
}

/** Wrapped: 12 bytes nonce, 32 bytes key encrypted, 16 bytes tag. */
function wrap(key: Buffer, of: string, masterKey: Buffer): Buffer {
  const nonce = randomBytes(12);
  const cipher = createCipheriv('aes-256-gcm', masterKey, nonce).setAAD(boundTo(of));
  return Buffer.concat([nonce, cipher.update(key), cipher.final(), cipher.getAuthTag()]);
}

function unwrap(wrapped: Buffer, of: string, masterKey: Buffer): Buffer {
  const decipher = createDecipheriv('aes-256-gcm', masterKey, wrapped.subarray(0, 12))
    .setAAD(boundTo(of))
    .setAuthTag(wrapped.subarray(-16));
  return Buffer.concat([decipher.update(wrapped.subarray(12, -16)), decipher.final()]);
}

function opens(proof: Buffer, masterKey: Buffer): boolean {
  try {
    unwrap(proof, PROOF, masterKey);
    return true;
  } catch {
    return false;
  }
}

const boundTo = (of: string): Buffer => Buffer.from(`${of}:${MASTER_VERSION}`);
