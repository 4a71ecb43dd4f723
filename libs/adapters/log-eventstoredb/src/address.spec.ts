import { createServer, type Server } from 'node:net';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { addressOf, hasCredentials, shown, whatAnswers } from './address.js';

describe('an address', () => {
  test.each([
    ['kurrentdb://a:b@host:1?tls=false', 'esdb://a:b@host:1?tls=false'],
    ['kurrentdb+discover://host', 'esdb+discover://host'],
    ['esdb://host', 'esdb://host'],
    ['esdb+discover://host', 'esdb+discover://host'],
  ])('%s is %s to the client', (url, address) => expect(addressOf(url)).toBe(address));

  test('is shown without its secrets', () => {
    expect(shown('esdb://user:secret@host:2113?tls=true&tlsCAFile=/a')).toBe('esdb://host:2113');
  });

  test('has credentials or not', () => {
    expect(hasCredentials('esdb://user:secret@host')).toBe(true);
    expect(hasCredentials('esdb://host?x=a@b')).toBe(false);
  });
});

describe('what answers at an address', () => {
  let plain: Server;
  beforeAll(async () => {
    plain = createServer((socket) => socket.on('data', () => socket.end('what?')).on('error', () => {}));
    plain.listen(0, '127.0.0.1');
    await once(plain, 'listening');
  });
  afterAll(() => void plain.close());

  test('is told as plain text, nothing, or not at all', async () => {
    const { port } = plain.address() as AddressInfo;
    expect(await whatAnswers(`esdb://127.0.0.1:${port}?tls=false`)).toBe('plain');
    expect(await whatAnswers('esdb://user:secret@127.0.0.1:1')).toBe('nothing');
    expect(await whatAnswers('esdb://one,two')).toBe('not-looked-at');
    expect(await whatAnswers('esdb+discover://one')).toBe('not-looked-at');
  });
});
