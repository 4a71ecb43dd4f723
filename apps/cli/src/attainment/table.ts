import type { Attained } from '#engine/views';
import { aligned } from '../aligned.js';

const TITLES = [
  ...['month', 'policy', 'tier', 'priority', 'promise', 'kept', 'cycles', 'met', 'provisional', 'missed'],
  ...['open', 'open, breached', 'not-applicable', 'not-evidenced', 'merged', 'paused'],
] as const;
const TEXTS: ReadonlySet<string> = new Set(['month', 'policy', 'tier', 'promise']);
const FIGURES: ReadonlySet<string> = new Set(TITLES.filter((title) => !TEXTS.has(title)));

/** Lines of the report as lines of text; nothing where there are none. */
export function* attainedAsText(lines: readonly Attained[]): Generator<string> {
  if (lines.length === 0) return;
  yield* aligned([TITLES, ...lines.map(cells)], FIGURES);
}

function cells(line: Attained): readonly string[] {
  const { month, policy, tier, priority, clock, attainment, pausedShare } = line;
  return [
    month ?? 'none due',
    policy,
    tier,
    String(priority),
    clock,
    percent(attainment),
    ...[line.cycles, line.met, line.provisional, line.missed, line.open, line.openBreached].map(String),
    ...[line.notApplicable, line.notEvidenced, line.merged].map(String),
    percent(pausedShare),
  ];
}

/** Rounded down to a tenth, so that 100.0 % is never said of less. */
export const percent = (share: number | null): string =>
  share === null ? '' : `${(Math.floor(share * 1_000 + 1e-9) / 10).toFixed(1)} %`;
