import { OlderThanLog } from '#engine/store';
import type { ParkedStream, TallyChange } from './view-store.js';
import { follows, Undigestible, type Folding, type Noted, type View } from './view.js';

/** What a run of events makes of one view's rows. */
export interface Folded {
  /** Changed rows by key; those of a view that only appends by their order. */
  readonly rows: ReadonlyMap<string, Folding>;
  /** Keys among them that had no row before. */
  readonly made: ReadonlySet<string>;
  readonly tallies: readonly TallyChange[];
  /** Streams that could not go on, or that had waited already and have more behind them now. */
  readonly parked: readonly ParkedStream[];
}

/** An event that shall be parked whatever the fold says, because its row was refused by the store. */
export interface Refused {
  readonly event: string;
  readonly reason: string;
}

/**
 * Folds events in log order. An event that cannot be digested parks its stream from there on; all other
 * streams go on. Pure but for `row`, which answers the row as it stands before the first event.
 *
 * Errors: OlderThanLog, which stops the view and never parks (ruling 48).
 */
export function foldEvents<Row extends Folding>(
  view: View<Row>,
  events: readonly Noted[],
  row: (key: string) => Row | null,
  waiting: ReadonlyMap<string, ParkedStream>,
  refused: Refused | null = null,
): Folded {
  const rows = new Map<string, Row>();
  const made = new Set<string>();
  const parked = new Map<string, ParkedStream>();
  const counts = new Counts();
  for (const event of events) {
    if (!follows(view, event)) continue;
    const behind = parked.get(event.stream) ?? waiting.get(event.stream);
    if (behind !== undefined) {
      parked.set(event.stream, { ...behind, upTo: Math.max(behind.upTo, event.revision) });
      continue;
    }
    const key = view.key(event);
    const before = view.appendOnly ? null : (rows.get(key) ?? row(key));
    const after = refused?.event === event.id ? { why: refused.reason } : attempt(view, before, event);
    if ('why' in after)
      parked.set(event.stream, {
        view: view.name,
        stream: event.stream,
        from: event.revision,
        upTo: event.revision,
        position: event.position,
        reason: after.why,
      });
    else if (after.row !== before) {
      rows.set(key, after.row);
      if (before === null) made.add(key);
      if (view.tallies) {
        if (before !== null)
          for (const { subject, kind, by = 1 } of view.tallies(before)) counts.add(subject, kind, -by);
        for (const { subject, kind, by = 1 } of view.tallies(after.row)) counts.add(subject, kind, by);
      }
    }
  }
  return { rows, made, tallies: counts.changes(), parked: [...parked.values()] };
}

function attempt<Row extends Folding>(
  view: View<Row>,
  before: Row | null,
  event: Noted,
): { readonly row: Row } | { readonly why: string } {
  try {
    return { row: view.fold(before, event) };
  } catch (error) {
    if (error instanceof OlderThanLog) throw error;
    return { why: reasonOf(error) };
  }
}

/** Only what we worded ourselves may be kept: other messages may quote what a person typed (ruling 31). */
function reasonOf(error: unknown): string {
  if (error instanceof Undigestible) return error.message;
  return error instanceof Error ? error.name : 'unknown error';
}

class Counts {
  private readonly bySubject = new Map<string, Map<string, number>>();

  add(subject: string, kind: string, by: number): void {
    let kinds = this.bySubject.get(subject);
    if (!kinds) this.bySubject.set(subject, (kinds = new Map()));
    kinds.set(kind, (kinds.get(kind) ?? 0) + by);
  }

  changes(): readonly TallyChange[] {
    return [...this.bySubject].flatMap(([subject, kinds]) =>
      [...kinds].filter(([, by]) => by !== 0).map(([kind, by]) => ({ subject, kind, by })),
    );
  }
}
