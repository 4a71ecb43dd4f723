/**
 * Makes the secrets of compose.full.yaml, once: `node docker/secrets.mjs [FOLDER]`, `docker/secrets` unless
 * given. Passwords, keys, a certificate authority of the desk's own and the certificate of EventStoreDB; what
 * there is already stays as it is. Needs Node 20 and the program `openssl`.
 *
 * The folder is closed to others (0700). The certificates in it can be read by all, for they are mounted into
 * containers whose users have other numbers than yours.
 */
import { execFileSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { chmodSync, existsSync, mkdirSync, mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

const folder = resolve(process.argv[2] ?? join(dirname(fileURLToPath(import.meta.url)), 'secrets'));
if (existsSync(folder)) {
  console.error(
    `${folder} is there already. These secrets open what was sealed with them: move them, do not lose them.`,
  );
  process.exit(1);
}

/** Good in an address as it is. */
const secret = () => randomBytes(32).toString('base64url');
const database = secret();
const log = secret();
const administrator = secret();

const FILES = {
  'postgres.env': {
    POSTGRES_USER: 'covenant',
    POSTGRES_DB: 'covenant',
    POSTGRES_PASSWORD: database,
  },
  'eventstoredb.env': {
    EVENTSTORE_DEFAULT_ADMIN_PASSWORD: administrator,
    EVENTSTORE_DEFAULT_OPS_PASSWORD: secret(),
  },
  'eventstoredb-admin.env': {
    EVENTSTORE_ADMIN_URL: `esdb://admin:${administrator}@eventstoredb:2113?tls=true&tlsCAFile=/certs/ca.crt`,
  },
  'log.env': {
    EVENTSTORE_URL: `esdb://covenant:${log}@eventstoredb:2113?tls=true&tlsCAFile=/certs/ca.crt`,
  },
  'app.env': {
    DATABASE_URL: `postgres://covenant:${database}@postgres:5432/covenant`,
    AUTH_SECRET: secret(),
    IDENTITY_SECRET: secret(),
  },
  'master.env': {
    MASTER_KEY: randomBytes(32).toString('base64'),
  },
};

// Made beside it and moved there whole: a run that is cut off leaves no half of it.
mkdirSync(dirname(folder), { recursive: true });
const making = mkdtempSync(`${folder}.`);
try {
  for (const [name, variables] of Object.entries(FILES))
    writeFileSync(
      join(making, name),
      `${Object.entries(variables)
        .map(([variable, value]) => `${variable}=${value}`)
        .join('\n')}\n`,
      { mode: 0o600 },
    );
  certify();
  renameSync(making, folder);
} catch (error) {
  rmSync(making, { recursive: true, force: true });
  console.error(error.code === 'ENOENT' ? 'the program openssl is needed, and not there' : error.message);
  process.exit(1);
}
console.log(
  `${folder} holds the secrets; keep a copy of app.env and master.env apart from every backup of the data`,
);

/** An authority for this desk alone; its key is mounted nowhere. EventStoreDB asks for RSA and both uses. */
function certify() {
  const [authority, node] = ['authority', 'node'].map((name) => join(making, 'certificates', name));
  for (const place of [authority, node]) mkdirSync(place, { recursive: true });
  const openssl = (...args) =>
    execFileSync('openssl', args, { cwd: making, stdio: ['ignore', 'ignore', 'pipe'] });
  openssl(
    ...[
      'req',
      '-x509',
      '-newkey',
      'rsa:3072',
      '-nodes',
      '-days',
      '3650',
      '-subj',
      '/CN=Covenant log authority',
    ],
    ...['-addext', 'basicConstraints=critical,CA:TRUE', '-addext', 'keyUsage=critical,keyCertSign,cRLSign'],
    ...['-keyout', 'authority.key', '-out', join(authority, 'ca.crt')],
  );
  openssl('genrsa', '-traditional', '-out', join(node, 'node.key'), '2048');
  openssl(
    'req',
    '-new',
    '-key',
    join(node, 'node.key'),
    '-subj',
    '/CN=eventstoredb-node',
    '-out',
    'node.csr',
  );
  writeFileSync(
    join(making, 'node.cnf'),
    [
      'basicConstraints=critical,CA:FALSE',
      'keyUsage=critical,digitalSignature,keyEncipherment',
      'extendedKeyUsage=serverAuth,clientAuth',
      'subjectAltName=DNS:eventstoredb,DNS:localhost,IP:127.0.0.1',
    ].join('\n'),
  );
  openssl(
    ...['x509', '-req', '-in', 'node.csr', '-CA', join(authority, 'ca.crt'), '-CAkey', 'authority.key'],
    ...['-CAcreateserial', '-CAserial', 'serial', '-days', '825', '-extfile', 'node.cnf'],
    ...['-out', join(node, 'node.crt')],
  );
  for (const name of ['node.csr', 'node.cnf', 'serial']) rmSync(join(making, name), { force: true });
  for (const place of [dirname(node), authority, node]) chmodSync(place, 0o755);
  for (const file of [join(authority, 'ca.crt'), join(node, 'node.crt'), join(node, 'node.key')])
    chmodSync(file, 0o644);
  chmodSync(join(making, 'authority.key'), 0o600);
}
