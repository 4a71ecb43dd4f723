/** Why a process is not ready; never a text of somebody else's. */
export type Unready =
  | 'starting'
  | 'stopping'
  | 'log-unavailable'
  | 'views-unavailable'
  | 'feed-unavailable'
  | 'feed-untrusted'
  | 'feed-credentials-wrong'
  | 'feed-not-permitted'
  | 'tables-unavailable'
  | 'tables-outdated'
  | 'clock-untrusted'
  | 'older-than-log'
  | 'other-log'
  | 'loop-stopped';

/** A part's answer: `null` when it is well. */
export type Check = () => Promise<Unready | null> | Unready | null;

/** What is said of each part of a process. */
export type Parts = Readonly<Record<string, Unready | 'ok'>>;

/** Milliseconds a check may take before its part counts as unreachable. */
const PATIENCE = 2_000;

/**
 * Whether this process should be given work (ruling 52): the log and the read models reachable at the needed
 * schema, the clock right, no event met that it does not know. Lag and parked streams are metrics, never this.
 */
export class Readiness {
  private readonly checks = new Map<string, { check: Check; silent: Unready }>();
  private readonly others = new Map<string, { parts: () => Promise<Parts>; silent: Unready }>();

  /** @param silent what is said of a part that does not answer in time or throws */
  add(part: string, silent: Unready, check: Check): void {
    this.checks.set(part, { check, silent });
  }

  /** Parts that are watched elsewhere in this process; `whole` is what all of them together are called. */
  include(whole: string, silent: Unready, parts: () => Promise<Parts>): void {
    this.others.set(whole, { parts, silent });
  }

  async state(): Promise<{ readonly ready: boolean; readonly parts: Parts }> {
    const [own, included] = await Promise.all([
      Promise.all(
        [...this.checks].map(
          async ([part, { check, silent }]) => [part, (await asked(check, silent)) ?? 'ok'] as const,
        ),
      ),
      Promise.all(
        [...this.others].map(async ([whole, { parts, silent }]) => {
          let there: Parts = {};
          const unreached = await asked(async () => {
            there = await parts();
            return null;
          }, silent);
          return unreached === null ? Object.entries(there) : [[whole, unreached] as const];
        }),
      ),
    ]);
    const parts: Record<string, Unready | 'ok'> = Object.fromEntries(own);
    // A part that both watch is well where both say so.
    for (const [part, state] of included.flat()) if ((parts[part] ?? 'ok') === 'ok') parts[part] = state;
    return { ready: Object.values(parts).every((state) => state === 'ok'), parts };
  }
}

async function asked(check: Check, silent: Unready): Promise<Unready | null> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<Unready>((resolve) => {
    timer = setTimeout(() => resolve(silent), PATIENCE);
  });
  try {
    return await Promise.race([Promise.resolve().then(check), late]);
  } catch {
    // What it was is logged where it happened; here only that the part is not well.
    return silent;
  } finally {
    clearTimeout(timer);
  }
}
