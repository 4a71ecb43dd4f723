import type { Progress } from './importing.js';
import type { Surroundings } from '../program.js';

const BAR = 24;
/** Milliseconds between looks on a terminal, and between lines elsewhere. */
const REDRAW = 100;
const LINES = 5_000;

/** A bar with rate and time left on a terminal; elsewhere a line now and then. */
export interface ProgressBar {
  show(progress: Progress): void;
  /** Leaves the line free. */
  clear(): void;
}

export function progressBar(
  to: Surroundings['stderr'],
  clock: () => number = () => performance.now(),
): ProgressBar {
  let phase: Progress['phase'] | undefined;
  let began = 0;
  let shown = -Infinity;
  const every = to.isTTY ? REDRAW : LINES;
  return {
    show: (progress) => {
      const now = clock();
      if (progress.phase !== phase) {
        phase = progress.phase;
        began = now;
        shown = to.isTTY ? -Infinity : now;
      }
      if (now - shown < every) return;
      shown = now;
      const text = line(progress, (now - began) / 1000);
      to.write(to.isTTY ? `\r\x1b[K${text.slice(0, (to.columns ?? 80) - 1)}` : `${text}\n`);
    },
    clear: () => {
      if (to.isTTY) to.write('\r\x1b[K');
    },
  };
}

/** @param seconds since the phase began */
export function line(progress: Progress, seconds: number): string {
  switch (progress.phase) {
    case 'reading': {
      const rows = `${number(progress.rows)} rows`;
      return progress.of === null
        ? `reading    ${rows}`
        : `reading    ${bar(progress.done, progress.of)} ${rows}${pace(progress.done, progress.of, seconds)}`;
    }
    case 'naming':
    case 'taking in': {
      const { done, of } = progress;
      const what = progress.phase === 'naming' ? 'persons' : 'cases';
      const rate = seconds > 0 ? `  ${number(Math.round(done / seconds))}/s` : '';
      return `${progress.phase.padEnd(10)} ${bar(done, of)} ${number(done)} of ${number(of)} ${what}${rate}${pace(done, of, seconds)}`;
    }
    case 'views':
      return `views      ${number(progress.behind)} events behind`;
  }
}

function bar(done: number, of: number): string {
  const share = of === 0 ? 1 : Math.min(1, done / of);
  const full = Math.round(share * BAR);
  return `[${'#'.repeat(full)}${'.'.repeat(BAR - full)}] ${String(Math.floor(share * 100)).padStart(3)} %`;
}

function pace(done: number, of: number, seconds: number): string {
  if (done === 0 || seconds < 1) return '';
  const left = Math.ceil(((of - done) * seconds) / done);
  return `  ${left < 60 ? `${left} s` : `${Math.floor(left / 60)} min ${left % 60} s`} left`;
}

export const number = (count: number): string => count.toLocaleString('en-US');
