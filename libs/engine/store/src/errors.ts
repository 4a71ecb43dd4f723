/** Base of what a store throws; what it answers in the ordinary course (a conflict) is a value. */
export class StoreError extends Error {
  constructor(message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = new.target.name;
  }
}

/** The append itself is wrong (empty, an id twice, too large); never worth repeating. */
export class InvalidAppend extends StoreError {}

/** An id of the append is already stored elsewhere in the log (ruling 44). */
export class DuplicateEventId extends StoreError {}

/** Surely nothing was written; the caller may repeat later. */
export class NotAppended extends StoreError {}

/** The answer was lost: the append must be repeated with the same ids at the same revision (ruling 10). */
export class UnknownOutcome extends StoreError {}

/** The log cannot be reached now. */
export class LogUnavailable extends StoreError {}

/**
 * A position or an id does not fit this log: it was restored from an older copy, or is another log (ruling 45).
 * Nothing helps but somebody who decides which of the two is right.
 */
export class LogReplaced extends StoreError {}

/** An event type or version that this program does not know: the program is too old (ruling 48). */
export class OlderThanLog extends StoreError {
  constructor(readonly eventType: string) {
    super(`event type ${eventType} is unknown to this version of the program: it is older than the log`);
  }
}

/** The same idempotency key with another body (ruling 11). */
export class KeyReused extends StoreError {}

/** Too many conflicts in a row; nothing was written. */
export class Contention extends StoreError {}

/** The key of a person who is being forgotten: it seals no more, whoever writes later is a new person (ruling 31). */
export class KeyWithdrawn extends StoreError {}

/** Whether the same may succeed later without anybody changing it: an outage, a lost answer, a crowd. */
export function mayPass(error: unknown): boolean {
  return (
    error instanceof NotAppended ||
    error instanceof UnknownOutcome ||
    error instanceof LogUnavailable ||
    error instanceof Contention
  );
}
