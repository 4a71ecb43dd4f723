import type { Explained, Origin } from '#domain/desk';
import { CLOCKS, type ClockName, type LedgerLine } from '#domain/sla';
import { instant, type Instant } from '#kernel';
import { cursorOf } from '#edge';

/**
 * Where a page of a ledger begins: so many lines into the ledger of one clock, as it was explained at an
 * instant from the events up to a revision. All pages of a ledger are of one ledger, whatever happens between.
 */
export type LedgerPlace = readonly [clock: ClockName, revision: number, at: Instant, lines: number];

export interface LedgerPage {
  readonly lines: readonly LedgerLine<Origin>[];
  /** Cursor of the next page; null on the last. */
  readonly next: string | null;
}

const isCount = (value: unknown): value is number => Number.isSafeInteger(value) && (value as number) >= 0;

function isInstant(value: unknown): value is Instant {
  try {
    return typeof value === 'string' && instant(value) === value;
  } catch {
    return false;
  }
}

export function isLedgerPlace(value: unknown): value is LedgerPlace {
  if (!Array.isArray(value) || value.length !== 4) return false;
  const [clock, revision, at, lines] = value as readonly unknown[];
  return CLOCKS.some((name) => name === clock) && isCount(revision) && isInstant(at) && isCount(lines);
}

/** @param revision of the last event that the ledger was made of */
export function ledgerPage(
  { standing, lines }: Explained,
  {
    revision,
    at,
    from,
    limit,
  }: {
    readonly revision: number;
    readonly at: Instant;
    readonly from: number;
    readonly limit: number;
  },
): LedgerPage {
  const to = from + limit;
  const place: LedgerPlace = [standing.clock, revision, at, to];
  return { lines: lines.slice(from, to), next: to < lines.length ? cursorOf(place) : null };
}
