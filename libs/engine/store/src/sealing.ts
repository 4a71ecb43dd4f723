import type { Logger } from '#kernel';
import { LogReplaced } from './errors.js';
import type { EventStore, StoredEvent } from './port.js';
import type { Irregularity, Seal, SealEntry, SealHead, SealLead } from './seal.js';

export interface Sealing {
  readonly store: Pick<EventStore, 'subscribe' | 'at'>;
  readonly seal: Seal;
  readonly logger: Logger;
  /** Resolves after so many milliseconds, or when the signal aborts. */
  readonly pause: (milliseconds: number, signal: AbortSignal) => Promise<void>;
  /** Told of what was noticed, besides the log line. */
  readonly alarm?: (irregularity: Irregularity) => void;
  /** Told of each batch that is sealed; for metrics. */
  readonly sealed?: (head: SealHead) => void;
}

const BATCH = 1_000;
const FIRST_PAUSE_MS = 100;
const LONGEST_PAUSE_MS = 5_000;

/**
 * The sealer: numbers every event of the log gaplessly, in log order, with the greatest time recorded so far
 * (rulings 12, 13). Leads alone among all sealers of the log, stands by otherwise; begins anew after any failure
 * that may pass. Resolves when the signal aborts and the batch at hand is written.
 *
 * Errors that end it: LogReplaced.
 */
export async function sealing(means: Sealing, signal: AbortSignal): Promise<void> {
  const { seal, logger, pause } = means;
  let failures = 0;
  while (!signal.aborted) {
    try {
      const lead = await seal.lead(signal);
      try {
        await sealFrom(means, lead, signal, () => (failures = 0));
      } finally {
        await lead.release();
      }
      await pause(FIRST_PAUSE_MS, signal);
    } catch (error) {
      if (signal.aborted) return;
      if (error instanceof LogReplaced) {
        logger.error({ problem: error.message }, 'the sealer stopped');
        throw error;
      }
      logger.warn(
        { problem: error instanceof Error ? error.name : 'unknown', failures },
        'the sealer starts again',
      );
      await pause(Math.min(FIRST_PAUSE_MS * 2 ** failures++, LONGEST_PAUSE_MS), signal);
    }
  }
}

async function sealFrom(
  { store, logger, alarm, sealed }: Sealing,
  lead: SealLead,
  signal: AbortSignal,
  onProgress: () => void,
): Promise<void> {
  let { head } = lead;
  if (head.id !== null && (await store.at(head.position))?.id !== head.id)
    throw new LogReplaced(`the event sealed last, ${head.id} at ${head.position}, is not there`);
  const until = AbortSignal.any([signal, lead.lost]);
  for await (const { events } of store.subscribe(head.position, { signal: until, limit: BATCH })) {
    if (events.length === 0) continue;
    const entries = numbered(head, events);
    for (const found of await lead.record(entries)) {
      const { ordinal, id, stream, revision } = found.entry;
      logger.error({ is: found.is, ordinal, id, stream, revision }, 'the sealer noticed an irregularity');
      alarm?.(found);
    }
    head = entries.at(-1)!;
    onProgress();
    sealed?.(head);
  }
}

/** Ordinals from the head's on, times never falling. */
export function numbered(head: SealHead, events: readonly StoredEvent[]): SealEntry[] {
  let { ordinal, recordedAt } = head;
  return events.map(({ position, id, stream, revision, recordedAt: told }) => {
    ordinal++;
    recordedAt = Math.max(recordedAt, told);
    return { ordinal, position, id, stream, revision, recordedAt };
  });
}
