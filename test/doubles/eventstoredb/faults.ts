/** What the double does wrong on purpose; switched while it runs, over its control address. */
export interface Faults {
  /**
   * Calls that get no answer, while the connection's pings do: `requests` are not even looked at, `answers` are
   * held back of what was done. The call for the server's features falls silent with either.
   */
  silent: 'no' | 'requests' | 'answers';
  /** So many appends are stored, their connection is dropped, and each repeat is told a wrong expected version. */
  lostThenWrong: number;
  /** So many appends are answered with Timeout; `stored` says whether they were done. */
  timeouts: number;
  timeoutsStored: boolean;
  /** Milliseconds that an append's answer is held back. */
  delay: number;
  /** gRPC status that the call for the server's features fails with; 0 is none. */
  capabilities: number;
  /** Checkpoints come before the events of their window. */
  earlyCheckpoints: boolean;
  /** Subscriptions bring nothing more, and stay open. */
  stalled: boolean;
  /** gRPC status of every call: 16 as for a wrong password, 7 as without one; 0 is none. */
  denied: number;
  /** `$all` may not be read. */
  allDenied: boolean;
  /** Milliseconds that the server's clock is off. */
  clockOffset: number;
}

export const NO_FAULTS: Faults = {
  silent: 'no',
  lostThenWrong: 0,
  timeouts: 0,
  timeoutsStored: true,
  delay: 0,
  capabilities: 0,
  earlyCheckpoints: false,
  stalled: false,
  denied: 0,
  allDenied: false,
  clockOffset: 0,
};

/** @throws Error naming what is no fault, or no value of one */
export function faultsOf(before: Faults, wishes: Readonly<Record<string, unknown>>): Faults {
  for (const [name, value] of Object.entries(wishes)) {
    const known = NO_FAULTS[name as keyof Faults];
    if (known === undefined)
      throw new Error(`no fault ${name}; there are ${Object.keys(NO_FAULTS).join(', ')}`);
    if (typeof value !== typeof known) throw new Error(`${name} is a ${typeof known}`);
  }
  return { ...before, ...wishes };
}
