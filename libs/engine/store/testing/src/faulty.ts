import { LogUnavailable, NotAppended, UnknownOutcome, type EventStore } from '#engine/store';

/**
 * What happens to one append: nothing, the request is lost on the way there, the answer on the way back, or
 * the log refuses because it cannot now.
 */
export type Fault = 'none' | 'request-lost' | 'answer-lost' | 'unable' | 'unreachable';

/** A store whose appends meet these faults in turn, and then none. */
export function faulty(store: EventStore, faults: readonly Fault[]): EventStore & { readonly asked: number } {
  const plan = [...faults];
  let asked = 0;
  return {
    ...store,
    get asked() {
      return asked;
    },
    append: async (append) => {
      asked++;
      const fault = plan.shift() ?? 'none';
      switch (fault) {
        case 'none':
          return store.append(append);
        case 'request-lost':
          throw new UnknownOutcome('the request was lost');
        case 'answer-lost':
          await store.append(append);
          throw new UnknownOutcome('the answer was lost');
        case 'unable':
          throw new NotAppended('not now');
        case 'unreachable':
          throw new LogUnavailable('not there');
      }
    },
  };
}
