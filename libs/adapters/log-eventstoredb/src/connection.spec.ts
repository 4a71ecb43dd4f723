import { describe, expect, test } from '@jest/globals';
import { silent } from '#kernel';
import type { LogClient, Reading, WireRecord } from './client.js';
import { CallFailed, Connection, share } from './connection.js';

const record = (position: number): WireRecord => ({
  stream: 'ticket-1',
  id: `id-${position}`,
  type: 't',
  revision: 0,
  position,
  created: 0,
  body: '{}',
  metadata: {},
});

/** Brings so many records, then waits until it is cancelled, and then ends as if there were no more. */
class Halting implements Reading {
  private end = (): void => {};
  private readonly ended = new Promise<void>((resolve) => (this.end = resolve));

  constructor(private readonly count: number) {}

  cancel(): void {
    this.end();
  }

  async each(take: (record: WireRecord) => void): Promise<void> {
    for (let i = 1; i <= this.count; i++) take(record(i));
    await this.ended;
  }

  records(): never {
    throw new Error('these are read as a whole');
  }
}

/** Clients that are made one after the other, and what became of each. */
class Clients {
  readonly made: { disposed: boolean; readings: Halting[] }[] = [];
  append: () => Promise<never> = () => Promise.reject(unavailable());

  open = (): LogClient => {
    const one = { disposed: false, readings: [] as Halting[] };
    this.made.push(one);
    return {
      append: () => this.append(),
      readAll: (_from: unknown, _direction: unknown, count: number) => {
        const reading = new Halting(count);
        one.readings.push(reading);
        return reading;
      },
      dispose: async () => {
        one.disposed = true;
        for (const reading of one.readings) reading.cancel();
      },
    } as unknown as LogClient;
  };
}

const unavailable = (): Error => Object.assign(new Error('down'), { type: 'unavailable', code: 14 });
const conflict = (): Error =>
  Object.assign(new Error(), { type: 'wrong-expected-version', actualVersion: 1n });
const append = (connection: Connection): Promise<unknown> =>
  connection.call(10_000, (client) => client.append('ticket-1', -1, []));

describe('the connection of a process', () => {
  test('gives no call longer than its time', async () => {
    const clients = new Clients();
    const connection = new Connection(clients.open, silent);
    clients.append = () => new Promise(() => {});
    await expect(connection.call(10, (client) => client.append('ticket-1', -1, []))).rejects.toMatchObject({
      trouble: { is: 'silent' },
    });
    await expect(
      connection.read(10, (client) => client.readAll('start', 'forwards', 3)),
    ).rejects.toMatchObject({ trouble: { is: 'silent' } });
  });

  test('makes its client anew after three equal failures in a row, and ends the old one first', async () => {
    const clients = new Clients();
    const connection = new Connection(clients.open, silent);
    for (let i = 0; i < 3; i++) await expect(append(connection)).rejects.toThrow(CallFailed);
    await expect(append(connection)).rejects.toThrow(CallFailed);
    expect(clients.made.map(({ disposed }) => disposed)).toEqual([true, false]);
  });

  test('keeps its client where an answer came in between, if only a conflict', async () => {
    const clients = new Clients();
    const connection = new Connection(clients.open, silent);
    const down = clients.append;
    for (let i = 0; i < 6; i++) {
      clients.append = i % 2 ? () => Promise.reject(conflict()) : down;
      await expect(append(connection)).rejects.toThrow(CallFailed);
    }
    expect(clients.made).toHaveLength(1);
  });

  test('makes it anew at once where the client will never ask the server again', async () => {
    const clients = new Clients();
    const connection = new Connection(clients.open, silent);
    clients.append = () => Promise.reject(Object.assign(new Error('no'), { code: 2 }));
    await expect(append(connection)).rejects.toThrow(CallFailed);
    await expect(append(connection)).rejects.toThrow(CallFailed);
    expect(clients.made).toHaveLength(2);
  });

  test('never passes off a read that ended with its client as all there is', async () => {
    const clients = new Clients();
    const connection = new Connection(clients.open, silent);
    const reading = connection.read(10_000, (client) => client.readAll('start', 'forwards', 3));
    for (let i = 0; i < 3; i++) await expect(append(connection)).rejects.toThrow(CallFailed);
    await expect(reading).rejects.toMatchObject({ trouble: { is: 'lost' } });
  });

  test('is shared by all who use one address, ends with the last of them, and refuses another', async () => {
    const clients = new Clients();
    const [one, two] = [share('esdb://a', clients.open, silent), share('esdb://a', clients.open, silent)];
    expect(one.connection).toBe(two.connection);
    expect(() => share('esdb://b', clients.open, silent)).toThrow(/one process/);
    await one.release();
    await one.release();
    expect(clients.made[0]!.disposed).toBe(false);
    await two.release();
    expect(clients.made[0]!.disposed).toBe(true);
    await share('esdb://b', clients.open, silent).release();
  });
});
