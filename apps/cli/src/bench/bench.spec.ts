import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { decided, median, percentile, type BenchResult, type Comparison } from './bench.js';
import { compared, type Conditions } from './compare.js';
import type { Machine } from './machine.js';
import { resultLine, writeSection } from './report.js';

const plenty: Conditions = { left: () => 400_000, progress: () => {} };

/** A comparison whose measurements are given, and the order in which they were asked for. */
function told(ours: number[], reference: number[], more: Partial<Comparison> = {}) {
  const asked: string[] = [];
  const comparison: Comparison = {
    name: 'appends',
    unit: 'appends/s',
    ours: async () => (asked.push('ours'), ours.shift()!),
    reference: async () => (asked.push('reference'), reference.shift()!),
    ...more,
  };
  return { comparison, asked };
}

describe('a comparison', () => {
  test('is the median of the ratios of its rounds', async () => {
    const { comparison } = told([200, 900, 330, 240, 100], [100, 100, 110, 120, 100]);
    expect(await compared(comparison, plenty)).toEqual({ ratio: 2, ours: 240, reference: 100 });
  });

  test('lets both take turns at being first', async () => {
    const { comparison, asked } = told([1, 1, 1], [1, 1, 1], { rounds: 3 });
    await compared(comparison, plenty);
    expect(asked.join(' ')).toBe('reference ours ours reference reference ours');
  });

  test('measures everything again where the reference is below 70 % of what it is known to do', async () => {
    const { comparison, asked } = told([50, 50, 300, 300], [69, 69, 100, 100], { rounds: 2, recorded: 100 });
    expect(await compared(comparison, plenty)).toEqual({ ratio: 3, ours: 300, reference: 100 });
    expect(asked).toHaveLength(8);
  });

  test('does not count where the reference stays slow, and says why', async () => {
    const { comparison } = told([900, 900, 900, 900], [69, 69, 60, 60], { rounds: 2, recorded: 100 });
    expect(await compared(comparison, plenty)).toEqual({
      ratio: 15,
      ours: 900,
      reference: 60,
      reason: 'the reference did 60 appends/s, less than 70 % of the 100 it is known to do',
    });
  });

  test('counts at 70 % exactly', async () => {
    const { comparison } = told([140], [70], { rounds: 1, recorded: 100 });
    expect(await compared(comparison, plenty)).toEqual({ ratio: 2, ours: 140, reference: 70 });
  });

  test('begins no further round when the time is nearly over', async () => {
    const { comparison, asked } = told([2, 2, 2], [1, 1, 1], { recorded: 100 });
    let left = 70_000;
    const short = { ...plenty, left: () => (left -= 25_000) };
    expect(await compared(comparison, short)).toMatchObject({ ratio: 2 });
    expect(asked).toHaveLength(4);
  });
});

describe('a bar', () => {
  const least = { name: 'rate', bar: 1.5, unit: '×' };
  const most = { name: 'p99', bar: 40, atMost: true, unit: 'ms' };

  test('holds at its very value, on its side of it', () => {
    expect([1.49, 1.5, 1.6].map((value) => decided(least, value).holds)).toEqual([false, true, true]);
    expect([39, 40, 40.1].map((value) => decided(most, value).holds)).toEqual([true, true, false]);
  });

  test('does not hold in a run that does not count', () => {
    expect(decided(least, 9, 'slow')).toEqual({ ...least, value: 9, holds: false, reason: 'slow' });
  });

  test('does not hold where nothing was measured', () => {
    expect(decided(least, NaN).holds).toBe(false);
    expect(decided(most, NaN).holds).toBe(false);
  });
});

test('a percentile lies between its neighbours', () => {
  expect(median([3, 1, 2])).toBe(2);
  expect(median([4, 1, 2, 3])).toBe(2.5);
  expect(percentile([10, 20, 30, 40, 50], 0.99)).toBeCloseTo(49.6);
  expect(median([])).toBeNaN();
});

const result: BenchResult = {
  figures: new Map([['1 caller', { value: 1234.5678, unit: 'appends/s' }]]),
  bars: [
    decided({ name: '1 caller', bar: 1.5, unit: '×' }, 1.73456),
    decided({ name: '64 callers', bar: 7, unit: '×' }, 9, 'slow'),
  ],
  seconds: 61.2,
};

test('the result on one line is the object that checks read', () => {
  expect(JSON.parse(resultLine('append', result))).toEqual({
    bench: 'append',
    figures: { '1 caller': 1235 },
    bars: [
      { name: '1 caller', value: 1.735, bar: 1.5, holds: true },
      { name: '64 callers', value: 9, bar: 7, holds: false, reason: 'slow' },
    ],
  });
  expect(resultLine('append', result)).not.toContain('\n');
});

describe('the page of benchmarks', () => {
  const machine: Machine = {
    processor: '2 × some processor',
    memory: '8.0 GiB',
    system: 'Linux 6',
    node: 'v20',
    postgres: '18.4',
    flush: '300 µs',
  };
  let folder: string;
  let page: string;
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'covenant-benchmarks-'));
    page = join(folder, 'docs', 'benchmarks.md');
  });
  afterEach(() => rm(folder, { recursive: true }));

  test('begins with the first bench, and gets a section for each', async () => {
    await writeSection(page, 'append', result, machine);
    await writeSection(page, 'replay', result, machine);
    const text = await readFile(page, 'utf8');
    expect(text.match(/^# Benchmarks$/gm)).toHaveLength(1);
    expect(text.match(/^## .*$/gm)).toEqual(['## append', '## replay']);
    expect(text).toContain('| 1 caller | 1.735 × | at least 1.5 × | holds |');
    expect(text).toContain('| 64 callers | 9 × | at least 7 × | missed: slow |');
    expect(text).toContain('2 × some processor');
  });

  test('keeps all else when a bench runs again', async () => {
    await writeSection(page, 'append', result, machine);
    await writeSection(page, 'replay', result, machine);
    await writeFile(page, `${await readFile(page, 'utf8')}\nA remark by hand.\n`);
    const before = await readFile(page, 'utf8');
    await writeSection(page, 'append', { ...result, figures: new Map() }, machine);
    const after = await readFile(page, 'utf8');
    expect(after).toContain('A remark by hand.');
    expect(after.match(/^## .*$/gm)).toEqual(['## append', '## replay']);
    expect(after.slice(after.indexOf('## replay'))).toBe(before.slice(before.indexOf('## replay')));
    expect(after).not.toBe(before);
  });
});
