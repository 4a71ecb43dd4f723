import { describe, expect, test } from '@jest/globals';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { runVectors } from './run-vectors.js';

const SHIPPED = 'test/vectors/sla-clock.json';
const OWN = 'test/vectors/own-clock.json';

async function run(...files: string[]): Promise<{ lines: string[]; passed: number; failed: number }> {
  const lines: string[] = [];
  const tally = await runVectors(files, (line) => lines.push(line));
  return { lines, ...tally };
}

async function withFile<T>(content: string, use: (file: string) => Promise<T>): Promise<T> {
  const folder = await mkdtemp(join(tmpdir(), 'vectors-'));
  try {
    const file = join(folder, 'vectors.json');
    await writeFile(file, content);
    return await use(file);
  } finally {
    await rm(folder, { recursive: true });
  }
}

describe('covenant vectors', () => {
  test('every clock vector of the specification holds', async () => {
    expect(await run(SHIPPED)).toEqual({ lines: ['59 passed, 0 failed'], passed: 59, failed: 0 });
  });

  test('every clock vector of our own holds', async () => {
    const { lines, failed } = await run(OWN);
    expect({ lines, failed }).toEqual({
      lines: [expect.stringMatching(/^\d\d passed, 0 failed$/)],
      failed: 0,
    });
  });

  test('a difference is named by vector and place, and the last line counts it', async () => {
    const vector = {
      id: 'X1',
      kind: 'calendar-period',
      input: { zone: 'Europe/Berlin', receivedAt: '2028-01-31T10:00:00Z', period: { months: 1 } },
      expected: {
        lastDay: '2028-02-28',
        dueExclusive: '2028-02-29T23:00:00Z',
        dueExclusiveLocal: '2028-03-01T00:00:00+01:00',
      },
    };
    const { lines } = await withFile(JSON.stringify({ vectors: [vector] }), (file) => run(file));
    expect(lines).toEqual([
      'X1 (calendar-period): lastDay: expected "2028-02-28", got "2028-02-29"',
      '0 passed, 1 failed',
    ]);
  });

  test('an unknown kind is an error, never passed over', async () => {
    const vectors = [
      { id: 'P1', kind: 'penalty', input: {}, expected: {} },
      { id: 'P2', kind: 'toString', input: {}, expected: {} },
    ];
    const { lines, passed, failed } = await withFile(JSON.stringify({ vectors }), (file) => run(file));
    expect({ passed, failed }).toEqual({ passed: 0, failed: 2 });
    expect(lines[0]).toMatch(/^P1 \(penalty\): error: unknown kind; known are clock, /);
    expect(lines.at(-1)).toBe('0 passed, 2 failed');
  });

  test('a vector that the engine refuses fails with the reason', async () => {
    const vector = {
      id: 'X2',
      kind: 'business-days',
      input: {
        calendars: { c: { zone: 'Mars/Olympus', always: true } },
        calendar: 'c',
        receivedAt: '2026-01-01T00:00:00Z',
        days: 1,
      },
      expected: {},
    };
    const { lines, failed } = await withFile(JSON.stringify({ vectors: [vector] }), (file) => run(file));
    expect(failed).toBe(1);
    expect(lines[0]).toMatch(/^X2 \(business-days\): error: calendar c: zone is no zone/);
  });

  test('a file that cannot be read or holds no vectors fails, and the others still run', async () => {
    const { lines, passed, failed } = await withFile('{"vectors": []}', (file) =>
      run('absent.json', file, SHIPPED),
    );
    expect({ passed, failed }).toEqual({ passed: 59, failed: 2 });
    expect(lines[0]).toMatch(/^absent\.json: error: ENOENT/);
    expect(lines[1]).toMatch(/no list `vectors`/);
  });
});
