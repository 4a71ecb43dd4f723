import { execFile } from 'node:child_process';
import { readFile, truncate, appendFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { EventStoreDBClient, jsonEvent } from '@eventstore/db-client';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { eventually } from '../../support/eventually.js';
import { EventStoreDouble, freePort } from '../../support/eventstoredb.js';

const here = (path: string): string =>
  fileURLToPath(new URL(`../../doubles/eventstoredb/${path}`, import.meta.url));

interface Line {
  readonly scenario: string;
  readonly step: string;
  readonly answer: unknown;
}

const linesOf = (text: string): Line[] =>
  text
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as Line);

const recorded = async (name: string): Promise<Line[]> =>
  linesOf(await readFile(here(`recordings/${name}`), 'utf8'));

/**
 * Runs a script to its end; answers its lines. Code 13, a promise that nothing will settle, is how the client's
 * `dispose` ends a program.
 */
function asked(script: string, args: readonly string[], env: Record<string, string> = {}): Promise<Line[]> {
  return new Promise((resolve, reject) =>
    execFile(
      process.execPath,
      [here(script), ...args],
      { env: { ...process.env, NODE_OPTIONS: '', ...env } },
      (error, stdout) => {
        if (error && error.code !== 13) reject(new Error(`${script} failed`, { cause: error }));
        else resolve(linesOf(stdout));
      },
    ),
  );
}

// Both scripts mostly wait, so they wait together.
let answers: Line[];
let faults: Line[];
let double: EventStoreDouble;

beforeAll(async () => {
  double = await EventStoreDouble.start();
  const port = String(await freePort());
  [answers, faults] = await Promise.all([
    asked('recordings/answers.mjs', [double.url]),
    asked(
      'recordings/faults.mjs',
      [here('start.mjs'), '--port', port, '--data', join(double.folder, 'faults')],
      { FAULTS_URL: `esdb://127.0.0.1:${port}?tls=false`, ROUNDS: '2' },
    ),
  ]);
}, 180_000);
afterAll(() => double.remove());

test('the double answers every question as the real server did, word for word', async () => {
  expect(answers).toEqual(await recorded('answers.jsonl'));
});

describe('the double that is killed, stopped and silenced', () => {
  test('shows the client what the real server showed it', async () => {
    const comparable = (lines: readonly Line[]): Line[] =>
      lines
        .filter(({ scenario }) => scenario !== 'kill -9 under load')
        .map(({ scenario, step, answer }) => ({ scenario, step, answer: inKind(step, answer) }));
    expect(comparable(faults)).toEqual(comparable(await recorded('faults.jsonl')));
  });

  test('loses and doubles nothing that it acknowledged, and takes every repeat', async () => {
    const load = faults.find(({ scenario }) => scenario === 'kill -9 under load')!.answer as Record<
      string,
      number
    >;
    expect(load).toMatchObject({ wrongExpectedVersion: 0, lost: 0, doubled: 0, extra: 0 });
    expect(load.acked).toBeGreaterThan(0);
    expect(load.repeatedAndAccepted).toBe(load.unknown);
  });
});

/**
 * A port is nobody's kind; while a server is down, the client throws one of two errors of code 14; and whether
 * a killed server's connection ends by a reset or is dropped is up to what the kernel still had to send.
 */
function inKind(step: string, answer: unknown): unknown {
  const text = JSON.stringify(answer)
    .replace(/127\.0\.0\.1:\d+/g, 'HOST')
    .replaceAll('14 UNAVAILABLE: read ECONNRESET', '14 UNAVAILABLE: Connection dropped');
  return JSON.parse(
    step.endsWith('while it is down')
      ? text.replace('"error":"UnavailableError","type":"unavailable"', '"error":"Error"')
      : text,
  ) as unknown;
}

test('a torn end of the file is cut off, and the log goes on behind the last whole append', async () => {
  const torn = await EventStoreDouble.start();
  const client = EventStoreDBClient.connectionString(torn.url);
  const append = (type: string) =>
    client.appendToStream('ticket-a', jsonEvent({ type, data: {} }), { expectedRevision: 'any' });
  const types = async (): Promise<string[]> => {
    const read: string[] = [];
    for await (const { event } of client.readStream('ticket-a')) if (event) read.push(event.type);
    return read;
  };
  try {
    await append('first');
    await append('second');
    await torn.kill();
    await truncate(torn.file, (await stat(torn.file)).size - 5);
    await appendFile(torn.file, 'rubbish');
    await torn.up();
    expect(await eventually(types)).toEqual(['first']);
    await append('third');
    expect(await types()).toEqual(['first', 'third']);
    await torn.kill();
    await torn.up();
    expect(await eventually(types)).toEqual(['first', 'third']);
  } finally {
    await client.dispose();
    await torn.remove();
  }
});
