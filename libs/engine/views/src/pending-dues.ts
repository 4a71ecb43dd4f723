import type { ClockRecord } from '#domain/sla';
import { type Instant } from '#kernel';
import { withClocks } from './tickets.js';
import { guarded, streamId, type Noted, type View } from './view.js';

/**
 * What the timekeeper waits for: a stream's earliest due instant that has neither passed into a fact nor
 * lost its reason. Written only by folding the log (ruling 51).
 */
export interface PendingDueRow {
  readonly ticket: string;
  readonly revision: number;
  /** Null while nothing is due, or while an import of the case is under way (ruling 17). */
  readonly due: Instant | null;
  readonly importing: boolean;
  readonly clocks: readonly ClockRecord[];
}

function earliest(clocks: readonly ClockRecord[]): Instant | null {
  return clocks.reduce<Instant | null>(
    (least, { state, due, breachedAt }) =>
      state === 'running' && due !== null && breachedAt === null && (least === null || due < least)
        ? due
        : least,
    null,
  );
}

/** Events that carry what they did to the clocks do so in `clocks`; all others leave them alone. */
function clocksOf(event: Noted): readonly ClockRecord[] {
  return 'clocks' in event.data ? event.data.clocks : [];
}

export const pendingDues: View<PendingDueRow> = {
  name: 'pending_dues',
  version: 1,
  categories: ['ticket'],
  keyColumns: ['ticket'],
  key: streamId,
  fold: guarded((row: PendingDueRow | null, event: Noted): PendingDueRow => {
    let clocks = withClocks(row?.clocks ?? [], clocksOf(event));
    if (event.type === 'sla.clock-breached.v1')
      clocks = clocks.map((clock) =>
        clock.clock === event.data.clock ? { ...clock, breachedAt: event.data.due } : clock,
      );
    if (event.type === 'sla.breach-annulled.v1')
      clocks = clocks.map((clock) =>
        clock.clock === event.data.clock ? { ...clock, breachedAt: null } : clock,
      );
    let importing = row?.importing ?? false;
    if (event.type === 'desk.ticket-opened.v1')
      importing = event.data.importing;
    if (event.type === 'desk.case-imported.v1') importing = false;
    return {
      ticket: streamId(event),
      revision: event.revision,
      due: importing ? null : earliest(clocks),
      importing,
      clocks,
    };
  }),
};
