import { afterAll, afterEach, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { freshDatabase, type FreshDatabase } from '../../support/database.js';
import { DeskProcess, SECRETS } from './desk-process.js';

jest.setTimeout(90_000);

let database: FreshDatabase;
beforeAll(async () => {
  database = await freshDatabase();
});
afterAll(() => database.drop());

let desk: DeskProcess;
afterEach(() => desk.stop());
const start = (preload: readonly string[] = []): Promise<string> => {
  desk = DeskProcess.start({ env: { ...SECRETS, DATABASE_URL: database.url }, preload });
  return desk.address();
};

describe('What follows the log on a thread of its own', () => {
  it('tells its figures with the desk’s, each name once', async () => {
    const address = await start();
    const text = await (await fetch(`${address}/metrics`)).text();
    const names = [...text.matchAll(/^# TYPE (\S+)/gm)].map(([, name]) => name!);
    expect(names).toEqual(expect.arrayContaining(['covenant_http_request_seconds']));
    expect(names).toEqual(
      expect.arrayContaining(['covenant_projector_events_total', 'covenant_timer_lateness_seconds']),
    );
    expect(names).toEqual([...new Set(names)]);
    expect(await desk.stop()).toBe(0);
  });

  it('ends the process with it where it fails, and says where without quoting anybody', async () => {
    const address = await start(['./broken-thread.mjs']);
    await fetch(`${address}/metrics`).catch(() => null);
    expect(await desk.ended).toBe(1);
    expect(desk.err).toContain('failed: TypeError');
    expect(desk.out + desk.err).not.toContain('Sentinel');
  });
});
