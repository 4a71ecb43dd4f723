import { describe, expect, it } from '@jest/globals';
import { memoryConsumerStore, Undigestible } from '#engine/feed';
import { freshId, Told } from '#engine/feed/testing';
import { knowledge, noted, type Candidate } from './index.js';

async function told(happens: (told: Told) => void) {
  const log = new Told();
  happens(log);
  const store = memoryConsumerStore<Candidate>('knowledge');
  await store.transact(({ tables }) => knowledge.digest(log.messages, tables, {}));
  const candidates = Object.values(store.rows()).filter(({ candidate }) => candidate);
  return { candidates: candidates.map(({ ticket }) => ticket), counts: store.counts() };
}

const [id, other, hardware, network] = [freshId(), freshId(), freshId(), freshId()];

describe('A resolved ticket', () => {
  it('is a candidate under its category, and stays one when it is closed', async () => {
    const found = await told((log) => {
      log.opens(id);
      log.classifies(id, hardware);
      log.resolves(id, 60);
      log.tell(id, 'covenant.ticket-closed.v1', 90, { late: false });
    });
    expect(found).toEqual({ candidates: [id], counts: { [hardware]: 1 } });
  });

  it('is counted under none where it has no category, and moves when it gets one', async () => {
    const before = await told((log) => {
      log.opens(id);
      log.resolves(id, 60);
    });
    expect(before.counts).toEqual({ none: 1 });
    const after = await told((log) => {
      log.opens(id);
      log.resolves(id, 60);
      log.classifies(id, hardware);
      log.classifies(id, network);
    });
    expect(after.counts).toEqual({ [network]: 1 });
  });

  it('keeps its category where an older classification is told late', async () => {
    const { counts } = await told((log) => {
      log.opens(id);
      log.classifies(id, hardware);
      log.classifies(id, network, 0, true);
      log.resolves(id, 60);
    });
    expect(counts).toEqual({ [hardware]: 1 });
  });

  it('is withdrawn when reopened, and comes back when resolved again', async () => {
    const reopened = (log: Told): void => {
      log.opens(id);
      log.resolves(id, 60);
      log.reopens(id, 90);
    };
    expect(await told(reopened)).toEqual({ candidates: [], counts: {} });
    const again = await told((log) => {
      reopened(log);
      log.resolves(id, 120, 'workaround');
    });
    expect(again.candidates).toEqual([id]);
  });

  it('is gone when it goes on in another, which stands for itself', async () => {
    const found = await told((log) => {
      log.opens(id);
      log.opens(other);
      log.resolves(id, 60);
      log.merges(id, other, 90);
      log.resolves(other, 120);
    });
    expect(found).toEqual({ candidates: [other], counts: { none: 1 } });
  });

  it.each([
    ['solved', 1],
    ['workaround', 1],
    ['unspecified', 1],
    ['not-reproducible', 0],
    ['withdrawn', 0],
    ['duplicate', 0],
    ['a-later-code', 0],
  ])('as %s teaches so many: %i', async (resolution, teaches) => {
    const { candidates } = await told((log) => {
      log.opens(id);
      log.resolves(id, 60, resolution as 'solved');
    });
    expect(candidates).toHaveLength(teaches);
  });
});

it('a message that cannot be is refused with numbers alone', () => {
  const log = new Told();
  log.opens(id);
  log.resolves(id, 60);
  const [opening, resolving] = log.messages;
  expect(() => noted(null, resolving!)).toThrow(new Undigestible('revision 1 without an opening'));
  const row = noted(noted(null, opening!), resolving!);
  expect(() => noted(row, opening!)).toThrow(new Undigestible('revision 0 opens what stands at 1'));
  expect(() => noted(row, resolving!)).toThrow(new Undigestible('revision 1 after 1'));
});
