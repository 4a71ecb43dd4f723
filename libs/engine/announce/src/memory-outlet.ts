import type { CloudEvent } from '#contracts';
import { OutletRefused, Superseded, type Hold, type Outlet, type Standing } from './outlet.js';

/** The twin of a real outlet, with what was written readable. */
export interface MemoryOutlet extends Outlet {
  /** Everything put, in the order of the puts. */
  readonly messages: readonly CloudEvent[];
  /** Transactions so far. */
  readonly puts: number;
  /** The next put fails: before anything was written, or with its answer lost. */
  failNext(error: Error, written?: boolean): void;
  /** The standing is gone, the messages stay. */
  forget(): void;
}

export function memoryOutlet(): MemoryOutlet {
  const messages: CloudEvent[] = [];
  const failures: { readonly error: Error; readonly written: boolean }[] = [];
  let standing: Standing | null = null;
  let holder = 0;
  let puts = 0;

  const hold = async (): Promise<Hold> => {
    const token = ++holder;
    if (standing === null && messages.length > 0)
      throw new OutletRefused('there are messages, and no standing');
    let over = false;
    return {
      standing,
      put: async (announcements, next) => {
        if (over) throw new Error('this hold is over');
        over = true;
        if (token !== holder) throw new Superseded('somebody else holds the outlet');
        const failure = failures.shift();
        if (failure && !failure.written) throw failure.error;
        messages.push(...announcements.map(({ message }) => message));
        standing = next;
        puts++;
        if (failure) throw failure.error;
        over = false;
      },
      release: async () => void (over = true),
    };
  };

  return {
    messages,
    get puts() {
      return puts;
    },
    hold,
    standing: async () => standing,
    failNext: (error, written = false) => void failures.push({ error, written }),
    forget: () => void (standing = null),
  };
}
