import { describe, expect, it } from '@jest/globals';
import { Writable } from 'node:stream';
import { inFlight } from './in-flight.js';
import { line, progressBar } from './progress.js';

describe('Progress', () => {
  it('tells how far, how fast and how long still', () => {
    expect(line({ phase: 'taking in', done: 1_500, of: 6_000 }, 10)).toBe(
      'taking in  [######..................]  25 % 1,500 of 6,000 cases  150/s  30 s left',
    );
    expect(line({ phase: 'taking in', done: 100, of: 100_000 }, 1)).toMatch(/ {2}16 min 39 s left$/);
    expect(line({ phase: 'naming', done: 0, of: 10 }, 0)).toBe(
      'naming     [........................]   0 % 0 of 10 persons',
    );
    expect(line({ phase: 'reading', rows: 7, done: 10, of: null }, 1)).toBe('reading    7 rows');
    expect(line({ phase: 'views', behind: 1_234 }, 1)).toBe('views      1,234 events behind');
  });

  it('redraws one line on a terminal, and writes a line now and then elsewhere', () => {
    const drawn = (isTTY: boolean, milliseconds: readonly number[]): string => {
      let text = '';
      const to = Object.assign(
        new Writable({
          write: (chunk: Buffer, _, done) => {
            text += chunk.toString();
            done();
          },
        }),
        { isTTY, columns: 40 },
      );
      let now = 0;
      const bar = progressBar(to, () => now);
      for (now of milliseconds) bar.show({ phase: 'taking in', done: now, of: 20_000 });
      bar.clear();
      return text;
    };
    const terminal = drawn(true, [0, 50, 100, 200]);
    expect(terminal.split('\r\x1b[K').slice(1, -1)).toHaveLength(3);
    for (const part of terminal.split('\r\x1b[K')) expect(part.length).toBeLessThan(40);
    expect(drawn(false, [0, 4_999, 5_000, 9_999, 10_000]).trimEnd().split('\n')).toHaveLength(2);
  });
});

describe('Work on its way', () => {
  it('is never more than its limit, and begins again as soon as one has ended', async () => {
    const flight = inFlight(3);
    const end: (() => void)[] = [];
    let begun = 0;
    const all = (async () => {
      for (let i = 0; i < 7; i++)
        await flight.begin(() => {
          begun += 1;
          return new Promise((resolve) => end.push(resolve));
        });
      await flight.landed();
    })();
    const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));
    for (const expected of [3, 4, 5, 6, 7]) {
      await turn();
      expect(begun).toBe(expected);
      end.shift()!();
    }
    for (const last of end) last();
    await all;
  });

  it('ends with the first failure, after all that was begun has ended', async () => {
    const flight = inFlight(2);
    const ended: number[] = [];
    const work = (n: number) => async () => {
      await Promise.resolve();
      ended.push(n);
      if (n === 1) throw new Error('one');
    };
    const all = (async () => {
      for (let n = 1; n <= 10; n++) await flight.begin(work(n));
      await flight.landed();
    })();
    await expect(all).rejects.toThrow('one');
    expect(ended).toContain(2);
    expect(ended).not.toContain(10);
  });
});
