import { randomBytes } from 'node:crypto';
import { readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { privateFolder, writeDurably, writeOnce } from './durable.js';

/** What must be known to open the sealed text, to check tokens, and to recognise a request and a person. */
export interface Secrets {
  /** 32 bytes: wraps the keys of persons (ruling 31). */
  readonly masterKey: Buffer;
  /** 32 bytes or more: signs tokens where no OIDC issuer does (ruling 33). */
  readonly authSecret: Buffer;
  /** 32 bytes or more: HMAC key of idempotency keys and of persons' ids. Never rotated (ruling 11). */
  readonly identitySecret: Buffer;
}

export interface GivenSecrets {
  /** 32 bytes in base64 or hexadecimal. */
  readonly MASTER_KEY?: string | undefined;
  /** Text of 32 bytes or more; its UTF-8 bytes are the secret. */
  readonly AUTH_SECRET?: string | undefined;
  /** Text of 32 bytes or more; its UTF-8 bytes are the secret. */
  readonly IDENTITY_SECRET?: string | undefined;
}

/** A secret that is missing, too short, lost, or readable by others. The message says which and what to do. */
export class SecretRefused extends Error {
  override readonly name = 'SecretRefused';
}

interface Kind {
  readonly file: string;
  readonly variable: keyof GivenSecrets;
  readonly decode: (text: string) => Buffer | null;
  readonly demand: string;
}

const KINDS = {
  masterKey: {
    file: 'master-key',
    variable: 'MASTER_KEY',
    decode: exactly32,
    demand: 'exactly 32 bytes, in base64 (44 characters) or hexadecimal (64)',
  },
  authSecret: {
    file: 'auth-secret',
    variable: 'AUTH_SECRET',
    decode: atLeast32,
    demand: 'a text of at least 32 bytes',
  },
  identitySecret: {
    file: 'identity-secret',
    variable: 'IDENTITY_SECRET',
    decode: atLeast32,
    demand: 'a text of at least 32 bytes',
  },
} as const satisfies Record<keyof Secrets, Kind>;

/** Written last, so that its presence says that secrets once made here are to be found, or were lost. */
const MADE = 'made';

/**
 * The secrets of a desk (ruling 32). What is given wins; else `DATA_DIR/secrets/<name>` is read, whose text
 * is what the variable would hold. With `make` (the embedded default only) absent ones are made, 0600 in a
 * folder 0700, and are on the disk before this answers; a file that was made once and is gone is an error,
 * for a new key in its place would leave sealed text closed for ever. `files: false` (a database that is
 * not the embedded one) looks at nothing but what is given.
 *
 * @throws SecretRefused
 */
export async function openSecrets(options: {
  readonly dataDir: string;
  readonly given: GivenSecrets;
  readonly make: boolean;
  readonly files?: boolean;
}): Promise<Secrets> {
  const folder = join(options.dataDir, 'secrets');
  const files = options.make || (options.files ?? true);
  const madeBefore = files ? await textOf(join(folder, MADE)) : null;
  let madeNow = false;

  const open = async (kind: Kind): Promise<Buffer> => {
    const given = options.given[kind.variable];
    if (given !== undefined && given !== '') return decoded(kind, given, kind.variable);
    const path = join(folder, kind.file);
    const kept = files ? await textOf(path) : null;
    if (kept !== null) return decoded(kind, kept, path);
    if (madeBefore?.split('\n').includes(kind.file)) {
      throw new SecretRefused(
        `${path} is gone, and nothing can replace it: put it back from the backup of the secrets.`,
      );
    }
    if (!options.make) {
      throw new SecretRefused(`${kind.variable} must be given (${kind.demand}).`);
    }
    await privateFolder(folder);
    const text = randomBytes(32).toString(kind.variable === 'MASTER_KEY' ? 'base64' : 'base64url');
    madeNow = true;
    return decoded(kind, await keptOrMade(path, text), path);
  };

  const masterKey = await open(KINDS.masterKey);
  const authSecret = await open(KINDS.authSecret);
  const identitySecret = await open(KINDS.identitySecret);
  if (madeNow || (options.make && madeBefore === null)) await noteWhatWasMade(folder);
  return { masterKey, authSecret, identitySecret };
}

/**
 * Those secrets alone, as they are given: for a process that has no use for the others, and makes and keeps none.
 *
 * @throws SecretRefused
 */
export function givenSecrets<const K extends keyof Secrets>(
  names: readonly K[],
  given: GivenSecrets,
): Pick<Secrets, K> {
  const read = (name: K): Buffer => {
    const kind = KINDS[name];
    const text = given[kind.variable];
    if (text === undefined || text === '')
      throw new SecretRefused(`${kind.variable} must be given (${kind.demand}).`);
    return decoded(kind, text, kind.variable);
  };
  return Object.fromEntries(names.map((name) => [name, read(name)])) as unknown as Pick<Secrets, K>;
}

/**
 * One secret of our own making, `bytes` random bytes as base64url text in `DATA_DIR/secrets/<file>` (0600):
 * read, or made if absent and `make`. Null if absent and not to be made.
 *
 * @throws SecretRefused if others can read it, or if it is empty.
 */
export async function keptSecret(options: {
  readonly dataDir: string;
  readonly file: string;
  readonly make: boolean;
  readonly bytes?: number;
}): Promise<string | null> {
  const folder = join(options.dataDir, 'secrets');
  const path = join(folder, options.file);
  const kept = await textOf(path);
  if (kept === '') throw new SecretRefused(`${path} is empty: put it back from the backup of the secrets.`);
  if (kept !== null) return kept;
  if (!options.make) return null;
  await privateFolder(folder);
  const text = randomBytes(options.bytes ?? 32).toString('base64url');
  return keptOrMade(path, text);
}

/** Two processes may make the same secret at once; both use the one that came first. */
async function keptOrMade(path: string, text: string): Promise<string> {
  if (await writeOnce(path, `${text}\n`)) return text;
  const kept = await textOf(path);
  if (kept === null) throw new SecretRefused(`${path} vanished while it was made.`);
  return kept;
}

async function noteWhatWasMade(folder: string): Promise<void> {
  const there: string[] = [];
  for (const { file } of Object.values(KINDS)) {
    if ((await textOf(join(folder, file))) !== null) there.push(file);
  }
  if (there.length > 0) await writeDurably(join(folder, MADE), `${there.join('\n')}\n`);
}

function decoded(kind: Kind, text: string, from: string): Buffer {
  const secret = kind.decode(text.trim());
  if (secret === null) throw new SecretRefused(`${from} must be ${kind.demand}.`);
  return secret;
}

function atLeast32(text: string): Buffer | null {
  const bytes = Buffer.from(text, 'utf8');
  return bytes.length >= 32 ? bytes : null;
}

function exactly32(text: string): Buffer | null {
  if (/^[0-9a-fA-F]{64}$/.test(text)) return Buffer.from(text, 'hex');
  if (/^[A-Za-z0-9+/_-]{43}=?$/.test(text)) return Buffer.from(text, 'base64');
  return null;
}

/** Without the line's end; null if there is no such file. */
async function textOf(path: string): Promise<string | null> {
  try {
    const { mode } = await stat(path);
    if (process.platform !== 'win32' && (mode & 0o077) !== 0) {
      throw new SecretRefused(`${path} can be read by others; chmod 600 it, and change it if it has leaked.`);
    }
    return (await readFile(path, 'utf8')).trim();
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null;
    throw error;
  }
}
