/**
 * A test double of EventStoreDB in a process of its own:
 *
 *   npm run double:eventstoredb -- --port 2113 [--data FILE] [--control PORT] [--tls] [--fault NAME=VALUE]…
 *
 * Its first line on standard output is `{"url", "control", "pid"}`. The control address takes, by POST, `/faults`
 * with a JSON object of faults.ts, `/drop` (every connection breaks), and `/stop` (an orderly end, as SIGTERM).
 * Without --data it forgets. With --leash it ends with its standard input, and so with whoever started it. With --tls it has the certificate in tls/, and the users `admin` (password
 * `changeit`) and `covenant` (password `secret`), who is no administrator.
 */
import { readFileSync } from 'node:fs';
import { createServer, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import { once } from 'node:events';
import { parseArgs } from 'node:util';
import { DoubleServer, type User } from './server.js';
import { Store } from './store.js';

const USERS: Readonly<Record<string, User>> = {
  admin: { password: 'changeit', groups: ['$admins'] },
  covenant: { password: 'secret', groups: [] },
};

const { values } = parseArgs({
  options: {
    port: { type: 'string', default: '0' },
    control: { type: 'string', default: '0' },
    data: { type: 'string' },
    tls: { type: 'boolean', default: false },
    fault: { type: 'string', multiple: true, default: [] },
    leash: { type: 'boolean', default: false },
  },
});

const tlsFile = (name: string): Buffer => readFileSync(new URL(`./tls/${name}`, import.meta.url));

const store = await Store.open(values.data);
const server = new DoubleServer({
  store,
  port: Number(values.port),
  ...(values.tls && { tls: { key: tlsFile('node.key'), certificate: tlsFile('node.crt') }, users: USERS }),
});
server.order(
  Object.fromEntries(
    values.fault.map((wish) => {
      const [name, value = 'true'] = wish.split('=');
      return [name!, /^(true|false|-?\d+)$/.test(value) ? (JSON.parse(value) as unknown) : value];
    }),
  ),
);
await server.listen();

const stop = async (): Promise<never> => {
  await server.stop();
  process.exit(0);
};

async function bodyOf(request: IncomingMessage): Promise<Record<string, unknown>> {
  let text = '';
  for await (const chunk of request) text += String(chunk);
  return text === '' ? {} : (JSON.parse(text) as Record<string, unknown>);
}

const control = createServer((request, response) => {
  void (async () => {
    const body = await bodyOf(request);
    switch (request.url ?? '') {
      case '/faults':
        server.order(body);
        break;
      case '/drop':
        server.drop();
        break;
      case '/stop':
        setImmediate(() => void stop());
        break;
      default:
        throw new Error(`no ${request.url}`);
    }
    response.end(JSON.stringify(server.faults));
  })().catch((error: unknown) => {
    response.statusCode = 400;
    response.end(String(error));
  });
});
control.listen(Number(values.control), '127.0.0.1');
await once(control, 'listening');

if (values.leash) process.stdin.resume().on('end', () => process.exit(1));
process.on('SIGTERM', () => void stop());
process.on('SIGINT', () => void stop());
process.stdout.write(
  `${JSON.stringify({
    url: `esdb://127.0.0.1:${server.port}?tls=${values.tls}`,
    control: `http://127.0.0.1:${(control.address() as AddressInfo).port}`,
    pid: process.pid,
  })}\n`,
);
