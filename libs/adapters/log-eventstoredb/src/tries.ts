import type { Uuid } from '#kernel';

/** How long an append is remembered at least; an id made longer ago may have been tried by anybody. */
const MEMORY_MS = 15_000;

/**
 * Which ids this process has tried to append lately. The server answers a repeat as it answers the first try,
 * so whether this try wrote has to be read back wherever there may have been another: everywhere but for ids
 * made freely, just now, and tried by nobody here (UUIDv7 tells its making; derived ids, UUIDv8, anybody may
 * have derived).
 */
export class Tries {
  private young = new Map<Uuid, number>();
  private old = new Map<Uuid, number>();
  private turned: number;

  constructor(
    /** Milliseconds since 1970. */
    private readonly now: () => number = Date.now,
  ) {
    this.turned = now();
  }

  /** Notes one more try. @returns whether it is surely the first */
  begin(ids: readonly Uuid[]): boolean {
    const now = this.now();
    if (Math.abs(now - this.turned) > MEMORY_MS) {
      this.old = this.young;
      this.young = new Map();
      this.turned = now;
    }
    let first = true;
    for (const id of ids) {
      const count = this.count(id);
      first &&= count === 0 && isFresh(id, now);
      this.young.set(id, count + 1);
    }
    return first;
  }

  /** Whether nobody else here has tried these since. */
  isAlone(ids: readonly Uuid[]): boolean {
    return ids.every((id) => this.count(id) <= 1);
  }

  private count(id: Uuid): number {
    return this.young.get(id) ?? this.old.get(id) ?? 0;
  }
}

function isFresh(id: Uuid, now: number): boolean {
  if (id[14] !== '7') return false;
  const made = Number.parseInt(id.slice(0, 8) + id.slice(9, 13), 16);
  return Math.abs(now - made) < MEMORY_MS;
}
