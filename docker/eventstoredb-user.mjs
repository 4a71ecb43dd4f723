/**
 * Makes the user that EVENTSTORE_URL names, no administrator, by the hand of the one that EVENTSTORE_ADMIN_URL
 * names, and gives it the one right that it is not born with: to read `$all`. Doing it again changes nothing.
 * Ends with 0 once that user has read `$all` with its own password.
 *
 * The user goes over the server's HTTP interface, as its documentation says, for its client cannot make one;
 * the right is metadata of `$all`, over the client.
 */
import { readFileSync } from 'node:fs';
import { request } from 'node:https';
import { setTimeout as pause } from 'node:timers/promises';
import { EventStoreDBClient } from '@eventstore/db-client';

/** Milliseconds for a server that is not up yet. */
const PATIENCE = 120_000;

const admin = addressOf('EVENTSTORE_ADMIN_URL');
const user = addressOf('EVENTSTORE_URL');

try {
  const made = await makeUser();
  const given = await letReadAll();
  await readAll();
  console.log(
    `${user.name} ${made ? 'was made' : 'was there'}, ${given ? 'was let' : 'could already'} read $all, and does`,
  );
} catch (error) {
  console.error(`eventstoredb-user: ${error.message}`);
  process.exitCode = 1;
}

function addressOf(variable) {
  const text = process.env[variable] ?? '';
  const address = URL.canParse(text) ? new URL(text) : null;
  if (!address?.username || !address.password) {
    console.error(
      `eventstoredb-user: ${variable} must be esdb://USER:PASSWORD@HOST:PORT?tls=true&tlsCAFile=…`,
    );
    process.exit(2);
  }
  const authority = address.searchParams.get('tlsCAFile');
  return {
    text,
    name: decodeURIComponent(address.username),
    password: decodeURIComponent(address.password),
    host: address.hostname,
    port: address.port || '2113',
    ...(authority && { ca: readFileSync(authority) }),
  };
}

/** Whether it was not there yet. */
async function makeUser() {
  const body = JSON.stringify({
    loginName: user.name,
    fullName: 'The service desk',
    password: user.password,
    groups: [],
  });
  for (const end = performance.now() + PATIENCE; ;) {
    const answer = await post('/users/', body).catch((error) => ({ error }));
    switch (answer.status) {
      case 201:
        return true;
      case 409:
        return false;
      case 401:
        // The server makes its administrator some seconds after it listens.
        if (performance.now() > end) throw new Error(`${admin.name} is refused: is the password right?`);
        break;
      case undefined:
        if (performance.now() > end) throw new Error(`no answer from ${admin.host}: ${answer.error.message}`);
        break;
      default:
        if (answer.status < 500 || performance.now() > end)
          throw new Error(`making ${user.name} was answered with ${answer.status}`);
    }
    await pause(500);
  }
}

function post(path, body) {
  const { host, port, ca, name, password } = admin;
  return new Promise((resolve, reject) => {
    const asking = request(
      {
        host,
        port,
        path,
        method: 'POST',
        ca,
        auth: `${name}:${password}`,
        headers: { 'content-type': 'application/json', 'content-length': Buffer.byteLength(body) },
        timeout: 10_000,
      },
      (answer) => {
        answer.resume();
        answer.on('end', () => resolve({ status: answer.statusCode }));
      },
    );
    asking.on('timeout', () => asking.destroy(new Error('no answer within 10 s')));
    asking.on('error', reject);
    asking.end(body);
  });
}

/** Whether it could not yet. Readers that somebody else has named stay. */
async function letReadAll() {
  const client = EventStoreDBClient.connectionString(admin.text);
  try {
    const { metadata } = await client.getStreamMetadata('$all');
    const readers = [metadata?.acl?.readRoles ?? '$admins'].flat();
    if (readers.includes(user.name)) return false;
    await client.setStreamMetadata('$all', {
      ...metadata,
      acl: { ...metadata?.acl, readRoles: [...readers, user.name] },
    });
    return true;
  } finally {
    await client.dispose();
  }
}

async function readAll() {
  const client = EventStoreDBClient.connectionString(user.text);
  try {
    for await (const _ of client.readAll({ maxCount: 1 })) break;
  } finally {
    await client.dispose();
  }
}
