import { afterAll, afterEach, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { readdir } from 'node:fs/promises';
import { freshDatabase, type FreshDatabase } from '../../support/database.js';
import { APPS_APART, DeskProcess, freshFolder, SECRETS } from './desk-process.js';

jest.setTimeout(120_000);

let database: FreshDatabase;
let folder: Awaited<ReturnType<typeof freshFolder>>;
const desks: DeskProcess[] = [];

beforeAll(async () => {
  [database, folder] = await Promise.all([freshDatabase(), freshFolder()]);
});
afterEach(async () => {
  for (const desk of desks.splice(0)) await desk.stop();
});
afterAll(async () => {
  await database.drop();
  await folder.remove();
});

const start = (app: (typeof APPS_APART)[number], env: Record<string, string>): DeskProcess => {
  const desk = DeskProcess.start({ app, env: { DATA_DIR: folder.path, ...env } });
  desks.push(desk);
  return desk;
};

describe.each(APPS_APART)('The app %s in a process of its own', (app) => {
  it('says in one line each what it lacks: the database it shares with the others, then the secrets', async () => {
    const [alone, open] = [start(app, {}), start(app, { DATABASE_URL: database.url })];
    expect(await Promise.all([alone.ended, open.ended])).toEqual([1, 1]);
    expect(alone.err).toBe(
      `covenant ${app}: DATABASE_URL must be given: processes apart share one database; only the whole desk (npm start) makes its own.\n`,
    );
    expect(alone.out).toBe('');
    expect(await readdir(folder.path)).toEqual([]);
    expect(open.err.match(/[A-Z_]+(?= must be given)/g)).toEqual(Object.keys(SECRETS));
  });

  it('tells its health, its readiness and its figures on a port of its own, and stops when it is told to', async () => {
    const desk = start(app, { ...SECRETS, DATABASE_URL: database.url });
    const address = await desk.address();
    for (const [path, text] of [
      ['/health/live', '"live"'],
      ['/health/ready', '"ready"'],
      ['/metrics', 'covenant_'],
    ] as const) {
      const answer = await fetch(address + path);
      expect([path, answer.status]).toEqual([path, 200]);
      expect(await answer.text()).toContain(text);
    }
    expect(await desk.stop()).toBe(0);
    expect(desk.err).toBe('');
  });
});
