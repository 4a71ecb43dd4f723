import type { CasePlan, Nothing } from './plan.js';
import type { CaseRows, Noticed } from './rows.js';

/** Counts by name, most first. */
export class Counts {
  private readonly byName = new Map<string, number>();

  /** @param limit names beyond it are counted together as `…`, so that memory stays bounded. */
  constructor(private readonly limit = 1_000) {}

  add(name: string, by = 1): void {
    const known = this.byName.has(name) || this.byName.size < this.limit ? name : '…';
    this.byName.set(known, (this.byName.get(known) ?? 0) + by);
  }

  get total(): number {
    let total = 0;
    for (const count of this.byName.values()) total += count;
    return total;
  }

  entries(): readonly (readonly [name: string, count: number])[] {
    return [...this.byName].sort(([a, m], [b, n]) => n - m || (a < b ? -1 : 1));
  }
}

/** All that an import has to say of itself at its end. */
export class Tally implements Noticed {
  rows = 0;
  cases = 0;
  /** Cases of which nothing was known before. */
  opened = 0;
  duplicates = 0;
  outOfOrder = 0;
  /** Characters that became U+FFFD (ruling 49). */
  replaced = 0;
  readonly events = new Counts();
  readonly changes = new Counts();
  readonly nothing = new Counts();
  readonly leftOut = new Counts();
  readonly unmappedByColumn = new Map<string, Counts>();
  readonly doubts = new Counts();
  readonly disagreeing = new Counts();

  unmapped(column: string, value: string): void {
    const counts = this.unmappedByColumn.get(column) ?? new Counts(200);
    this.unmappedByColumn.set(column, counts);
    counts.add(value);
  }

  doubtful(column: string, doubt: 'skipped' | 'repeated' | 'not-a-time'): void {
    this.doubts.add(`${column}: ${DOUBTS[doubt]}`);
  }

  read(rows: CaseRows): void {
    this.cases += 1;
    this.duplicates += rows.duplicates;
    this.outOfOrder += rows.outOfOrder;
  }

  planned(plan: CasePlan): void {
    for (const why of plan.nothing) this.nothing.add(why satisfies Nothing);
    for (const { kind, why } of plan.leftOut) this.leftOut.add(`${kind}: ${why}`);
    for (const { change } of plan.changes) this.changes.add(change.kind);
    for (const what of plan.disagreeing) this.disagreeing.add(what);
  }
}

const DOUBTS = {
  skipped: 'a time that a change of the clock skipped; taken as the instant of the change',
  repeated: 'a time that the clock showed twice; taken as the first',
  'not-a-time': 'no time of the mapping’s format; not kept',
} as const;
