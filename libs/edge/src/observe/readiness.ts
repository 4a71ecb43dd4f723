/** Why a process is not ready; never a text of somebody else's. */
export type Unready =
  | 'starting'
  | 'stopping'
  | 'log-unavailable'
  | 'views-unavailable'
  | 'clock-untrusted'
  | 'older-than-log'
  | 'other-log'
  | 'loop-stopped';

/** A part's answer: `null` when it is well. */
export type Check = () => Promise<Unready | null> | Unready | null;

/** Milliseconds a check may take before its part counts as unreachable. */
const PATIENCE = 2_000;

/**
 * Whether this process should be given work (ruling 52): the log and the read models reachable at the needed
 * schema, the clock right, no event met that it does not know. Lag and parked streams are metrics, never this.
 */
export class Readiness {
  private readonly checks = new Map<string, { check: Check; silent: Unready }>();

  /** @param silent what is said of a part that does not answer in time or throws */
  add(part: string, silent: Unready, check: Check): void {
    this.checks.set(part, { check, silent });
  }

  async state(): Promise<{
    readonly ready: boolean;
    readonly parts: Readonly<Record<string, Unready | 'ok'>>;
  }> {
    const parts = await Promise.all(
      [...this.checks].map(
        async ([part, { check, silent }]) => [part, (await asked(check, silent)) ?? 'ok'] as const,
      ),
    );
    return { ready: parts.every(([, state]) => state === 'ok'), parts: Object.fromEntries(parts) };
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
