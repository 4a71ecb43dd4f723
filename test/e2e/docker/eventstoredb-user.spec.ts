import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { execFile } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { createServer as createHttp, type IncomingMessage, type ServerResponse } from 'node:http';
import { connect, createServer as createTls, type Server } from 'node:tls';
import type { AddressInfo } from 'node:net';
import { promisify } from 'node:util';
import { EventStoreDBClient } from '@eventstore/db-client';
import { EventStoreDouble } from '../../support/eventstoredb.js';

jest.setTimeout(60_000);

const tls = (name: string): Buffer =>
  readFileSync(new URL(`../../doubles/eventstoredb/tls/${name}`, import.meta.url));

/**
 * The double speaks gRPC alone; the server takes users over HTTP on the same port. So this stands before it:
 * who asks for HTTP/2 is passed on, who asks for HTTP/1.1 is answered as the server's documentation says.
 */
class WithUsers {
  readonly asked: { readonly method: string; readonly path: string; readonly body: object }[] = [];
  private readonly users = new Set(['admin']);
  private readonly server: Server;

  constructor(double: EventStoreDouble) {
    const http = createHttp((request, response) => void this.answer(request, response));
    this.server = createTls(
      { key: tls('node.key'), cert: tls('node.crt'), ALPNProtocols: ['h2', 'http/1.1'] },
      (socket) => {
        if (socket.alpnProtocol !== 'h2') return void http.emit('connection', socket);
        const behind = connect({
          host: 'localhost',
          port: double.port,
          ca: tls('ca.crt'),
          ALPNProtocols: ['h2'],
        });
        for (const [one, other] of [
          [socket, behind],
          [behind, socket],
        ] as const) {
          one.on('error', () => other.destroy()).on('close', () => other.destroy());
          one.pipe(other);
        }
      },
    );
  }

  async listen(): Promise<number> {
    this.server.listen(0, '127.0.0.1');
    await once(this.server, 'listening');
    return (this.server.address() as AddressInfo).port;
  }

  close(): void {
    this.server.close();
  }

  private async answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    let text = '';
    for await (const chunk of request) text += String(chunk);
    const { method = '', url: path = '', headers } = request;
    if (headers.authorization !== `Basic ${Buffer.from('admin:changeit').toString('base64')}`) {
      response.writeHead(401).end();
      return;
    }
    const body = JSON.parse(text) as { loginName: string };
    this.asked.push({ method, path, body });
    response.writeHead(this.users.has(body.loginName) ? 409 : 201).end();
    this.users.add(body.loginName);
  }
}

describe('The user of the desk in EventStoreDB', () => {
  let double: EventStoreDouble;
  let server: WithUsers;
  let port: number;
  beforeAll(async () => {
    double = await EventStoreDouble.start({ tls: true });
    server = new WithUsers(double);
    port = await server.listen();
  });
  afterAll(async () => {
    server.close();
    await double.remove();
  });

  const address = (who: string): string =>
    `esdb://${who}@localhost:${port}?tls=true&tlsCAFile=${EventStoreDouble.authority}`;
  const runs = (env: Record<string, string>) =>
    promisify(execFile)(process.execPath, ['docker/eventstoredb-user.mjs'], {
      env: { PATH: process.env.PATH, ...env },
    }).then(
      ({ stdout, stderr }) => ({ code: 0, stdout, stderr }),
      (error: { code: number; stdout: string; stderr: string }) => error,
    );
  const both = () => ({
    EVENTSTORE_ADMIN_URL: address('admin:changeit'),
    EVENTSTORE_URL: address('covenant:secret'),
  });

  it('is made by an administrator, is none itself, and is let read $all: once', async () => {
    expect(await runs(both())).toMatchObject({
      code: 0,
      stdout: 'covenant was made, was let read $all, and does\n',
    });
    expect(server.asked).toEqual([
      {
        method: 'POST',
        path: '/users/',
        body: { loginName: 'covenant', fullName: 'The service desk', password: 'secret', groups: [] },
      },
    ]);
    const admin = EventStoreDBClient.connectionString(both().EVENTSTORE_ADMIN_URL);
    const { metadata } = await admin.getStreamMetadata('$all');
    await admin.dispose();
    expect(metadata).toEqual({ acl: { readRoles: ['$admins', 'covenant'] } });
    expect(await runs(both())).toMatchObject({
      code: 0,
      stdout: 'covenant was there, could already read $all, and does\n',
    });
  });

  it('is not said to be well where its password is another one', async () => {
    const refused = await runs({ ...both(), EVENTSTORE_URL: address('covenant:other') });
    expect(refused).toMatchObject({ code: 1, stdout: '' });
    expect(refused.stderr).not.toMatch(/changeit|other/);
  });

  it('needs both addresses, with user and password', async () => {
    expect(await runs({ EVENTSTORE_URL: both().EVENTSTORE_URL })).toMatchObject({
      code: 2,
      stderr: expect.stringContaining('EVENTSTORE_ADMIN_URL must be'),
    });
    expect(await runs({ ...both(), EVENTSTORE_URL: `esdb://localhost:${port}` })).toMatchObject({
      code: 2,
      stderr: expect.stringContaining('EVENTSTORE_URL must be'),
    });
  });
});
