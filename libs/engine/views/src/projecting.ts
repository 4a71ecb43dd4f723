import { OlderThanLog } from '#engine/store';
import {
  Careful,
  ForeignCheckpoint,
  passOver,
  type Care,
  type Pass,
  type Projecting,
  type Source,
} from './passing.js';
import { rebuild } from './rebuilding.js';

/** The rows were folded by a later version of the program. */
export class OlderThanViews extends Error {
  override readonly name = 'OlderThanViews';
  constructor(view: string, stored: number, known: number) {
    super(
      `view ${view} stands at version ${stored}, this program knows ${known}: it is older than the views`,
    );
  }
}

const FIRST_PAUSE_MS = 100;
const LONGEST_PAUSE_MS = 5_000;

/**
 * The projector: one reader of the log feeds all views, each event is decoded once; rows, tallies and
 * checkpoints of a batch commit together under fencing tokens (DESIGN section 6, ruling 50).
 *
 * Leads alone among all projectors of the store, stands by otherwise. A lost database is waited for, with
 * growing pauses; every restart takes new tokens. Views of an older version are built anew beside the rest.
 * Resolves when the signal aborts and the batch at hand is written.
 *
 * Errors that end it: OlderThanLog (ruling 48), OlderThanViews, ForeignCheckpoint (ruling 45).
 */
export async function project(projecting: Projecting, signal: AbortSignal): Promise<void> {
  const { into, logger, pause, watch } = projecting;
  let failures = 0;
  let care: Care | null = null;
  while (!signal.aborted) {
    try {
      const leadership = await into.lead(signal);
      try {
        const pass: Pass = {
          signal: AbortSignal.any([signal, leadership.lost]),
          care,
          onProgress: () => (failures = 0),
        };
        await takeTheLead(projecting, pass);
      } finally {
        await leadership.release();
      }
      care = null;
      await pause(FIRST_PAUSE_MS, signal);
    } catch (error) {
      if (isFinal(error)) {
        logger.error({ problem: error.name, reason: error.message }, 'the projector stopped');
        throw error;
      }
      if (signal.aborted) return;
      // What was refused is the very next event only while nobody else has moved on.
      care = error instanceof Careful ? error.care : null;
      if (care !== null) continue;
      watch?.restarted?.(error);
      logger.warn({ problem: nameOf(error), code: codeOf(error), failures }, 'the projector starts again');
      await pause(Math.min(FIRST_PAUSE_MS * 2 ** failures++, LONGEST_PAUSE_MS), signal);
    }
  }
}

function isFinal(error: unknown): error is OlderThanLog | OlderThanViews | ForeignCheckpoint {
  return (
    error instanceof OlderThanLog || error instanceof OlderThanViews || error instanceof ForeignCheckpoint
  );
}

const nameOf = (error: unknown): string => (error instanceof Error ? error.name : 'unknown error');
const codeOf = (error: unknown): string | undefined =>
  typeof error === 'object' && error !== null && 'code' in error ? String(error.code) : undefined;

async function takeTheLead(projecting: Projecting, pass: Pass): Promise<void> {
  const { store, into, views, logger } = projecting;
  const checkpoints = await into.start(views, await store.identity());
  for (const view of views) {
    const { version } = checkpoints.get(view.name)!;
    if (version > view.version) throw new OlderThanViews(view.name, version, view.version);
  }
  const current = views.filter((view) => checkpoints.get(view.name)!.version === view.version);
  const outdated = views.filter((view) => !current.includes(view));

  // The views just built join the others at the next start, which this brings about.
  const renewed = new AbortController();
  const until = AbortSignal.any([pass.signal, renewed.signal]);
  const build = async (): Promise<void> => {
    for (const view of outdated) {
      logger.info({ view: view.name, version: view.version }, 'a new version of a view is being built');
      await rebuild(projecting, view, until);
    }
  };
  const building = build().finally(() => outdated.length > 0 && renewed.abort());
  const projected = passOver(projecting, checkpoints, current, subscription(store), {
    ...pass,
    signal: until,
  });
  projected.catch(() => renewed.abort());
  const outcomes = await Promise.allSettled([projected, building]);
  for (const outcome of outcomes) if (outcome.status === 'rejected') throw outcome.reason;
}

const subscription =
  (store: Projecting['store']): Source =>
  (after, limit, signal) =>
    store.subscribe(after, { signal, limit });
