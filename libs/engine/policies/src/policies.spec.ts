import { describe, expect, test } from '@jest/globals';
import { createHash } from 'node:crypto';
import { activation, builtIn, policyEvents, UnknownPolicy, UnknownZone } from '#domain/sla';
import { codec, memoryLog, memoryVault, UnknownOutcome, type EventStore, type Means } from '#engine/store';
import { HOUSE, instant, uuidV7 } from '#kernel';
import { policyBook, recordBuiltIn } from './index.js';

/** Counting, so that a failure repeats. */
function chance(seed: string): Means['chance'] {
  let count = 0;
  return {
    bytes: (length) => createHash('sha512').update(`${seed} ${count++}`).digest().subarray(0, length),
  };
}

function means(store: EventStore = memoryLog(), seed = 'one', now = Date.UTC(2026, 10, 2, 9)): Means {
  return {
    store,
    codec: codec({
      catalogue: policyEvents,
      vault: memoryVault(chance(`vault ${seed}`)),
      chance: chance(`codec ${seed}`),
    }),
    chance: chance(seed),
    clock: { now: () => now },
    engine: '1',
  };
}

const stored = async (of: Means, name = 'default'): Promise<number> =>
  (await of.store.readStream(`policy-${name}`)).length;

describe('built-in policies', () => {
  test('a built-in policy is recorded once, however often the desk starts', async () => {
    const desk = means();
    expect(await recordBuiltIn(desk, 'default', 'Europe/Berlin')).toBe('default@1');
    expect(await recordBuiltIn(desk, 'default', 'Europe/Berlin')).toBe('default@1');
    expect(await stored(desk)).toBe(1);
  });

  test('several processes that start at once record it once', async () => {
    const log = memoryLog();
    const desks = ['one', 'two', 'three', 'four'].map((seed) => means(log.another(), seed));
    const refs = await Promise.all(desks.map((desk) => recordBuiltIn(desk, 'default', 'UTC')));
    expect(refs).toEqual(['default@1', 'default@1', 'default@1', 'default@1']);
    expect(await stored(desks[0]!)).toBe(1);
  });

  test('an answer that is lost once does not record it twice', async () => {
    const desk = means();
    const { append } = desk.store;
    let lost = 0;
    const store: EventStore = {
      ...desk.store,
      append: async (request) => {
        const appended = await append.call(desk.store, request);
        if (lost++ === 0) throw new UnknownOutcome('the answer was lost');
        return appended;
      },
    };
    expect(await recordBuiltIn({ ...desk, store }, 'default', 'UTC')).toBe('default@1');
    expect(await stored(desk)).toBe(1);
  });

  test('another desk zone is the next version, in force from now on, and going back is the one after', async () => {
    const desk = means();
    await recordBuiltIn(desk, 'default', 'UTC');
    expect(await recordBuiltIn(desk, 'default', 'Asia/Tokyo')).toBe('default@2');
    const book = await policyBook(desk.store, desk.codec, ['default']);
    const before = book.current().inForce('default', instant('2020-01-01T00:00:00Z'));
    const after = book.current().inForce('default', instant('2026-11-02T09:00:00Z'));
    expect([before.ref, before.calendar.zone]).toEqual(['default@1', 'UTC']);
    expect([after.ref, after.calendar.zone]).toEqual(['default@2', 'Asia/Tokyo']);
    expect(after.effective >= instant('2026-11-02T09:00:00Z')).toBe(true);
    expect(await recordBuiltIn(desk, 'default', 'UTC')).toBe('default@3');
  });

  test('an import finds the version of its zone again, whatever was recorded between', async () => {
    const desk = means();
    expect(await recordBuiltIn(desk, 'import-default', 'Europe/Rome')).toBe('import-default@1');
    expect(await recordBuiltIn(desk, 'import-default', 'UTC')).toBe('import-default@2');
    expect(await recordBuiltIn(desk, 'import-default', 'Europe/Rome')).toBe('import-default@1');
    expect(await stored(desk, 'import-default')).toBe(2);
    const book = await policyBook(desk.store, desk.codec, ['import-default']);
    const long = instant('2001-01-01T00:00:00Z');
    expect(book.current().inForce('import-default@1', long).calendar.zone).toBe('Europe/Rome');
    expect(book.current().version('import-default@2').effective).toBe('1970-01-01T00:00:00Z');
  });

  test('a version that the desk made itself is not overridden at the next start', async () => {
    const desk = means();
    await recordBuiltIn(desk, 'default', 'UTC');
    const own = activation(
      { ...builtIn('UTC'), reopenWithinDays: 3 },
      { name: 'default', version: 2, source: 'desk', effective: instant('2026-12-01T00:00:00Z') },
    );
    const [prepared] = await desk.codec.prepare([own], [uuidV7(1, Buffer.alloc(10))], {
      occurredAt: instant('2026-11-02T10:00:00Z'),
      actor: { id: HOUSE, role: 'system' },
      correlation: 'test',
      engine: '1',
    });
    await desk.store.append({ stream: 'policy-default', expected: 0, events: [prepared!.event] });
    expect(await recordBuiltIn(desk, 'default', 'Asia/Tokyo')).toBe('default@2');
    expect(await stored(desk)).toBe(2);
  });

  test('an unknown zone is refused and records nothing', async () => {
    const desk = means();
    await expect(recordBuiltIn(desk, 'default', 'Europe/Atlantis')).rejects.toThrow(UnknownZone);
    expect(await stored(desk)).toBe(0);
  });
});

describe('the policy book', () => {
  test('it shows what other processes record once it is refreshed, and the value taken before stays', async () => {
    const log = memoryLog();
    const desk = means(log);
    const book = await policyBook(log, desk.codec, ['default', 'import-default']);
    const empty = book.current();
    expect(() => empty.inForce('default', instant('2026-01-01T00:00:00Z'))).toThrow(UnknownPolicy);
    await recordBuiltIn(means(log.another(), 'other'), 'import-default', 'UTC');
    expect(() => book.current().version('import-default@1')).toThrow(UnknownPolicy);
    const filled = await book.refresh();
    expect(filled.version('import-default@1').targets[3].resolution).toBe(27 * 3600);
    expect(book.current()).toBe(filled);
    expect(await book.refresh()).toBe(filled);
    expect(() => empty.version('import-default@1')).toThrow(UnknownPolicy);
  });

  test('refreshes at once end with each version once', async () => {
    const log = memoryLog();
    const desk = means(log);
    const book = await policyBook(log, desk.codec, ['default']);
    await recordBuiltIn(desk, 'default', 'UTC');
    await recordBuiltIn(desk, 'default', 'Asia/Tokyo');
    await Promise.all([book.refresh(), book.refresh(), book.refresh()]);
    expect(book.current().version('default@2').calendar.zone).toBe('Asia/Tokyo');
    expect(book.current().inForce('default', instant('2020-01-01T00:00:00Z')).ref).toBe('default@1');
  });
});
