import { StoreError } from '#engine/store';

/** An error as it may be logged: never with a message that somebody else made, which may quote what a person typed (ruling 31). */
export interface Failure {
  readonly error: string;
  /** SQLSTATE or system code. */
  readonly code?: string;
  /** Only of errors whose messages this house makes. */
  readonly message?: string;
  /** Frames of the stack, innermost first. */
  readonly at: readonly string[];
  readonly cause?: Failure;
}

export function failureOf(error: unknown): Failure {
  if (!(error instanceof Error)) return { error: typeof error, at: [] };
  const { code } = error as { code?: unknown };
  const frames = (error.stack ?? '')
    .split('\n')
    .filter((line) => /^ {4}at [^'"]*$/.test(line))
    .slice(0, 12)
    .map((line) => line.trim().replace(/^at /, ''));
  return {
    error: error.name,
    ...(typeof code === 'string' && /^[A-Za-z0-9_-]{1,64}$/.test(code) && { code }),
    ...(error instanceof StoreError && { message: error.message }),
    at: frames,
    ...(error.cause instanceof Error && { cause: failureOf(error.cause) }),
  };
}
