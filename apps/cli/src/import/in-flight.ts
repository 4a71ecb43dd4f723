/** Work on its way, bounded in number. The first failure is thrown at the next beginning or at the landing. */
export interface InFlight {
  /** Waits until there is room, then begins it. */
  begin(work: () => Promise<void>): Promise<void>;
  /** Resolves when all that was begun has ended. */
  landed(): Promise<void>;
}

export function inFlight(limit: number): InFlight {
  const under = new Set<Promise<void>>();
  const failures: unknown[] = [];
  const landed = async (): Promise<void> => {
    await Promise.all(under);
    if (failures.length > 0) throw failures[0];
  };
  return {
    begin: async (work) => {
      while (under.size >= limit) await Promise.race(under);
      if (failures.length > 0) return landed();
      const one = work()
        .catch((error: unknown) => {
          failures.push(error);
        })
        .finally(() => under.delete(one));
      under.add(one);
    },
    landed,
  };
}
