import { resolve } from 'node:path';
import type { GivenSecrets } from '#adapters/files';
import { readKafka, type KafkaSettings, type Read } from './kafka.js';

export const LOG_LEVELS = ['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent'] as const;
export type LogLevel = (typeof LOG_LEVELS)[number];

/** What the environment says, read once per process (DESIGN section 2). Below `main.ts` nobody reads it again. */
export interface Settings {
  /** 0: any free one. */
  readonly port: number;
  /** Loopback unless set (ruling 34). */
  readonly host: string;
  /** IANA zone of the built-in policy `default` (ruling 46). */
  readonly deskZone: string;
  /** Absolute. */
  readonly dataDir: string;
  /** Absent: the embedded PostgreSQL in `dataDir`. */
  readonly databaseUrl?: string;
  /** `esdb://` or `kurrentdb://`, credentials inside. Absent: the log lies in PostgreSQL. */
  readonly eventStoreUrl?: string;
  /** Absent: public messages are read from the log itself. */
  readonly kafka?: KafkaSettings;
  readonly secrets: GivenSecrets;
  /** Whether an empty embedded store gets a demonstration desk. */
  readonly seed: boolean;
  /** How many people an activation needs once two hold the approving role (ruling 30). */
  readonly approvals: 'one' | 'two';
  /** Days, of 24 hours, after which a ticket whose promises stand still counts as forgotten. */
  readonly pauseLimitDays: number;
  readonly logLevel: LogLevel;
}

/** The environment asks for something that cannot be; the message names every variable and what it may be. */
export class SettingsRefused extends Error {
  override readonly name = 'SettingsRefused';
  constructor(readonly problems: readonly string[]) {
    super(problems.join('\n'));
  }
}

type Environment = Readonly<Record<string, string | undefined>>;

/** Variables that some programs cannot do without, and why, as it is told to people. */
const NEEDED = {
  DATABASE_URL: 'processes apart share one database; only the whole desk (npm start) makes its own',
  KAFKA_BROKERS: 'it writes to Kafka',
} as const;

/** What the program that reads them is. */
export interface Reader {
  /** Where PORT says nothing: another for each app, so that they can stand beside each other on one machine. */
  readonly port?: number;
  readonly needs?: readonly (keyof typeof NEEDED)[];
  /** Those it has a use for; all unless given. */
  readonly secrets?: readonly (keyof GivenSecrets)[];
}

/** Variables of later releases: to ignore one silently would let somebody believe it works. */
const LATER: Readonly<Record<string, string>> = {
  OIDC_ISSUER: 'tokens of an OpenID Connect issuer',
  OIDC_AUDIENCE: 'tokens of an OpenID Connect issuer',
  SMTP_URL: 'sending mail',
  IMAP_URL: 'reading mail',
};

const SECRETS = ['MASTER_KEY', 'AUTH_SECRET', 'IDENTITY_SECRET'] as const;

/**
 * @throws SettingsRefused with all that is wrong at once. A variable set to nothing counts as absent.
 */
export function readSettings(
  env: Environment,
  { port = 3000, needs = [], secrets: used = SECRETS }: Reader = {},
): Settings {
  const problems: string[] = [];
  const read: Read = (name, absent, allowed, parse) => {
    const text = env[name]?.trim();
    if (text === undefined || text === '') return absent;
    const value = parse(text);
    if (value !== null) return value;
    problems.push(`${name} must be ${allowed}.`);
    return absent;
  };
  const oneOf = <const V extends string>(name: string, absent: V, values: readonly V[]): V =>
    read(
      name,
      absent,
      `one of ${values.join(', ')}`,
      (text) => values.find((value) => value === text) ?? null,
    );

  for (const [name, what] of Object.entries(LATER))
    if (env[name]?.trim()) problems.push(`${name} is set, but this release does not support ${what} yet.`);

  for (const name of needs) if (!env[name]?.trim()) problems.push(`${name} must be given: ${NEEDED[name]}.`);

  const databaseUrl = read<string | undefined>(
    'DATABASE_URL',
    undefined,
    'an address of the form postgres://user:password@host:port/database',
    (text) => (isPostgresUrl(text) ? text : null),
  );
  const eventStoreUrl = read<string | undefined>(
    'EVENTSTORE_URL',
    undefined,
    'an address of the form esdb://user:password@host:2113?tls=true, or kurrentdb://…',
    (text) => (EVENTSTORE.test(text) ? text : null),
  );
  const kafka = readKafka(read, problems);
  const secrets: GivenSecrets = Object.fromEntries(
    SECRETS.map((name) => [name, env[name]?.trim() || undefined]),
  );
  if (databaseUrl !== undefined)
    for (const name of used)
      if (secrets[name] === undefined)
        problems.push(
          `${name} must be given where DATABASE_URL is: only the embedded default makes its own.`,
        );

  const settings: Settings = {
    port: read('PORT', port, 'a whole number from 0 to 65535', (text) =>
      /^\d{1,5}$/.test(text) && Number(text) <= 65_535 ? Number(text) : null,
    ),
    host: read('HOST', '127.0.0.1', 'a host name or an address', (text) =>
      /^[A-Za-z0-9.:_%-]{1,255}$/.test(text) ? text : null,
    ),
    deskZone: read('DESK_ZONE', 'UTC', 'an IANA time zone such as Europe/Berlin', zone),
    dataDir: resolve(read('DATA_DIR', './data', 'a folder', (text) => (text.includes('\0') ? null : text))),
    ...(databaseUrl !== undefined && { databaseUrl }),
    ...(eventStoreUrl !== undefined && { eventStoreUrl }),
    ...(kafka !== undefined && { kafka }),
    secrets,
    seed: oneOf('SEED', 'on', ['on', 'off']) === 'on',
    approvals: oneOf('APPROVALS', 'two', ['one', 'two']),
    pauseLimitDays: read('PAUSE_LIMIT_DAYS', 14, 'a whole number of days from 1 to 366', (text) =>
      /^[1-9]\d{0,2}$/.test(text) && Number(text) <= 366 ? Number(text) : null,
    ),
    logLevel: oneOf('LOG_LEVEL', 'info', LOG_LEVELS),
  };
  if (problems.length > 0) throw new SettingsRefused(problems);
  return Object.freeze({ ...settings, secrets: Object.freeze(settings.secrets) });
}

/** Several hosts may stand in one address. */
const EVENTSTORE = /^(esdb|kurrentdb)(\+discover)?:\/\/([^\s/@]+@)?[^\s/@?]+/;

function isPostgresUrl(text: string): boolean {
  if (!URL.canParse(text)) return false;
  const url = new URL(text);
  return (
    ['postgres:', 'postgresql:'].includes(url.protocol) && url.hostname !== '' && url.pathname.length > 1
  );
}

/** The zone's own spelling. */
function zone(text: string): string | null {
  if (text === 'UTC') return text;
  return (
    Intl.supportedValuesOf('timeZone').find((known) => known.toLowerCase() === text.toLowerCase()) ?? null
  );
}
