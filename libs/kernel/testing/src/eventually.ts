export interface Patience {
  /** Milliseconds until it counts as never; 10 s unless given. */
  readonly within?: number;
  /** Milliseconds between looks; 20 unless given. */
  readonly every?: number;
  /** What is waited for, for the message. */
  readonly what?: string;
}

/**
 * Waits for something to become true instead of sleeping: asks `condition` until it answers anything but
 * undefined, null or false, and answers that. An assertion that throws counts as "not yet". At the limit the
 * error names what was waited for and how the last look went.
 */
export async function eventually<T>(
  condition: () => T | Promise<T>,
  { within = 10_000, every = 20, what = 'it' }: Patience = {},
): Promise<Exclude<T, undefined | null | false | void>> {
  const end = performance.now() + within;
  for (;;) {
    const look = await lookOnce(condition);
    if ('seen' in look) return look.seen as Exclude<T, undefined | null | false | void>;
    if (performance.now() >= end) {
      throw new Error(`${what} did not become true within ${within} ms; at the last look: ${look.missed}`, {
        cause: look.cause,
      });
    }
    await new Promise((resolve) => setTimeout(resolve, every));
  }
}

type Look = { seen: unknown } | { missed: string; cause?: unknown };

async function lookOnce(condition: () => unknown): Promise<Look> {
  try {
    const seen = await condition();
    return seen === undefined || seen === null || seen === false ? { missed: String(seen) } : { seen };
  } catch (cause) {
    return { missed: cause instanceof Error ? cause.message : String(cause), cause };
  }
}
