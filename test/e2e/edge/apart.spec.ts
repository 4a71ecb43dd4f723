import { afterAll, afterEach, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { readdir } from 'node:fs/promises';
import type { Program } from '#edge';
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

/** Of a Kafka that is not there: all who need it wait for it. */
const SHARED = { KAFKA_BROKERS: '127.0.0.1:1' } as const;

const nameIn = (line: string): string | undefined => /[A-Z_]+(?= must be given)/.exec(line)?.[0];

async function programOf(app: string): Promise<Pick<Program, 'needs'>> {
  const { program } = (await import(`../../../apps/${app}/src/program.js`)) as { program: Program };
  return program;
}

const start = (app: (typeof APPS_APART)[number], env: Record<string, string>): DeskProcess => {
  const desk = DeskProcess.start({ app, env: { DATA_DIR: folder.path, ...env } });
  desks.push(desk);
  return desk;
};

describe.each(APPS_APART)('The app %s in a process of its own', (app) => {
  it('says in one line each what it lacks of what it shares with the others', async () => {
    const { needs } = await programOf(app);
    const desk = start(app, {});
    expect(await desk.ended).toBe(1);
    const lines = desk.err.trimEnd().split('\n');
    expect(lines.map(nameIn)).toEqual(needs);
    expect(lines[0]).toBe(
      `covenant ${app}: DATABASE_URL must be given: processes apart share one database; only the whole desk (npm start) makes its own.`,
    );
    expect(desk.out).toBe('');
    expect(await readdir(folder.path)).toEqual([]);
  });

  it('tells its health, its readiness and its figures on a port of its own, and stops when it is told to', async () => {
    const desk = start(app, { ...SHARED, ...SECRETS, DATABASE_URL: database.url });
    const address = await desk.address();
    const ask = async (path: string): Promise<[number, string]> => {
      const answer = await fetch(address + path);
      return [answer.status, await answer.text()];
    };
    expect(await ask('/health/live')).toEqual([200, expect.stringContaining('"live"')]);
    expect(await ask('/metrics')).toEqual([200, expect.stringContaining('covenant_')]);
    const ready = await ask('/health/ready');
    // A relay has nothing else to do; consumers answer from their tables meanwhile.
    if (app === 'relay') expect(ready).toEqual([503, expect.stringContaining('feed-unavailable')]);
    else expect(ready).toEqual([200, expect.stringContaining('"ready"')]);
    expect(await desk.stop()).toBe(0);
    expect(desk.err).toBe('');
  });
});

it.each([
  ['api', Object.keys(SECRETS)],
  ['analytics', ['AUTH_SECRET', 'IDENTITY_SECRET']],
] as const)('The app %s asks for the secrets that it has a use for, and no others', async (app, secrets) => {
  const desk = start(app, { ...SHARED, DATABASE_URL: database.url });
  expect(await desk.ended).toBe(1);
  expect(desk.err.trimEnd().split('\n').map(nameIn)).toEqual(secrets);
});
