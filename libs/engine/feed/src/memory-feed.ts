import type { DeadLetter, Delivery, Feed, Following } from './port.js';

/** The twin: keeps the promises of Feed in memory, for tests. */
export interface MemoryFeed extends Feed {
  /** Puts a record at the end of the partition that its key belongs to. */
  publish(topic: string, key: string, value: string): void;
  readonly buried: readonly (DeadLetter & { readonly consumer: string })[];
}

const BATCH = 50;

/** Tells everybody who waits that something has changed. */
class Bell {
  private readonly waiting = new Set<() => void>();

  ring(): void {
    for (const wake of [...this.waiting]) wake();
  }

  /** Resolves at the next ring, or when the signal aborts. */
  heard(signal: AbortSignal): Promise<void> {
    if (signal.aborted) return Promise.resolve();
    return new Promise((resolve) => {
      const done = (): void => {
        this.waiting.delete(done);
        signal.removeEventListener('abort', done);
        resolve();
      };
      this.waiting.add(done);
      signal.addEventListener('abort', done);
    });
  }
}

/**
 * Followers of one consumer share the partitions, as processes do. When one comes or goes they are shared out
 * anew at once: what was under way with one that has lost its partition goes on, as in a process that was
 * stopped and does not know.
 *
 * @param partitions of each topic
 */
export function memoryFeed(partitions = 3): MemoryFeed {
  const topics = new Map<string, Delivery[][]>();
  const groups = new Map<string, Following[]>();
  const buried: (DeadLetter & { readonly consumer: string })[] = [];
  const bell = new Bell();

  const partitionsOf = (topic: string): Delivery[][] => {
    let found = topics.get(topic);
    if (!found) topics.set(topic, (found = Array.from({ length: partitions }, () => [])));
    return found;
  };

  const deliver = async (
    { from, take }: Following,
    topic: string,
    partition: number,
    until: AbortSignal,
  ): Promise<void> => {
    const records = partitionsOf(topic)[partition]!;
    let next = Number((await from(topic, partition)) ?? 0);
    while (!until.aborted) {
      const batch = records.slice(next, next + BATCH);
      if (batch.length === 0) {
        await bell.heard(until);
        continue;
      }
      next += batch.length;
      await take({ topic, partition, records: batch, next: String(next), behind: records.length - next });
    }
  };

  return {
    kind: 'memory',
    reachable: true,
    buried,
    publish: (topic, key, value) => {
      const all = partitionsOf(topic);
      const partition = partitionOf(key, partitions);
      const records = all[partition]!;
      records.push({ topic, partition, offset: String(records.length), key, value });
      bell.ring();
    },
    follow: async (following) => {
      const { consumer, signal } = following;
      const group = groups.get(consumer) ?? [];
      groups.set(consumer, group);
      group.push(following);
      bell.ring();
      const end = new AbortController();
      const failures: unknown[] = [];
      const under = new Set<Promise<void>>();
      try {
        while (!signal.aborted && failures.length === 0) {
          const members = [...group];
          const lost = new AbortController();
          const until = AbortSignal.any([signal, end.signal, lost.signal]);
          for (const { name } of following.topics)
            for (let partition = 0; partition < partitions; partition++) {
              if (members[partition % members.length] !== following) continue;
              const one: Promise<void> = deliver(following, name, partition, until)
                .catch((error: unknown) => {
                  failures.push(error);
                  bell.ring();
                })
                .finally(() => under.delete(one));
              under.add(one);
            }
          const unchanged = (): boolean =>
            members.length === group.length && members.every((member, i) => member === group[i]);
          while (!signal.aborted && failures.length === 0 && unchanged()) await bell.heard(signal);
          lost.abort();
        }
      } finally {
        end.abort();
        group.splice(group.indexOf(following), 1);
        bell.ring();
      }
      await Promise.all(under);
      if (failures.length > 0) throw failures[0];
    },
    bury: async (consumer, letters) => {
      buried.push(...letters.map((letter) => ({ ...letter, consumer })));
    },
    close: async () => {},
  };
}

function partitionOf(key: string, partitions: number): number {
  let sum = 0;
  for (let i = 0; i < key.length; i++) sum = (sum * 31 + key.charCodeAt(i)) % 65_521;
  return sum % partitions;
}
