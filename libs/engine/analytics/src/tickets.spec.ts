import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { memoryConsumerStore, Undigestible, type Published } from '#engine/feed';
import { check, freshId, MONDAY, Told } from '#engine/feed/testing';
import { toInstant, type Instant } from '#kernel';
import { analytics, measured, type TicketMeasures } from './index.js';

/** Days begin at noon in UTC: a zone in which nine in the morning is the day before. */
const inNoon = analytics({
  zone: 'Noon',
  tzdb: '2026f',
  dayOf: (_, __, at) => toInstant(Date.parse(at) / 1000 - 12 * 3600).slice(0, 10),
});
const HOUR = 3600;
const DAY = 24 * HOUR;

async function digested(messages: readonly Published[], consumer = inNoon) {
  const store = memoryConsumerStore<TicketMeasures>('analytics');
  await store.transact(({ tables }) => consumer.digest(messages, tables, consumer.pinned));
  return store;
}
const counts = async (told: Told) => (await digested(told.messages)).counts();

describe('Tickets are counted', () => {
  it('on the day on which something happened, in the zone of the tables', async () => {
    const told = new Told();
    const id = told.opens(freshId(), 0, { tier: 'vip', channel: 'web' });
    told.answers(id, 4 * HOUR);
    told.resolves(id, DAY);
    told.reopens(id, DAY + 4 * HOUR);
    expect(await counts(told)).toEqual({
      '2026-11-22/vip/web/opened': 1,
      '2026-11-23/vip/web/answered': 1,
      '2026-11-23/vip/web/resolved': 1,
      '2026-11-24/vip/web/reopened': 1,
    });
  });

  it('as answered once, by the earliest answer that was no automatic one, also where it is told late', async () => {
    const told = new Told();
    const id = told.opens();
    told.answers(id, 60, true);
    told.answers(id, 2 * DAY);
    expect(await counts(told)).toMatchObject({ '2026-11-24/base/phone/answered': 1 });
    told.answers(id, 3 * DAY);
    told.answers(id, DAY);
    expect(await counts(told)).toEqual({
      '2026-11-22/base/phone/opened': 1,
      '2026-11-23/base/phone/answered': 1,
    });
  });

  it('as breached until the breach turns out to be untrue, each promise and cycle by itself', async () => {
    const told = new Told();
    const id = told.opens();
    told.breaches(id, HOUR, 'first-response');
    told.breaches(id, 4 * HOUR, 'resolution');
    expect(await counts(told)).toMatchObject({
      '2026-11-22/base/phone/first-response-breached': 1,
      '2026-11-23/base/phone/resolution-breached': 1,
    });
    told.annuls(id, HOUR, 'first-response');
    told.annuls(id, 2 * HOUR, 'resolution');
    expect(await counts(told)).toEqual({
      '2026-11-22/base/phone/opened': 1,
      '2026-11-23/base/phone/resolution-breached': 1,
    });
  });

  it('as breached under promises that came later than this program', async () => {
    const told = new Told();
    const id = told.opens();
    told.breaches(id, HOUR, 'next-response' as never);
    expect(await counts(told)).toMatchObject({ '2026-11-22/base/phone/other-breached': 1 });
  });

  it('as merged where they were open; one that was done had left already, and the survivor stays as it is', async () => {
    const told = new Told();
    const [survivor, open, done] = [told.opens(), told.opens(), told.opens()];
    told.resolves(done, HOUR);
    told.merges(open, survivor, 2 * HOUR);
    told.merges(done, survivor, 2 * HOUR);
    expect(await counts(told)).toEqual({
      '2026-11-22/base/phone/opened': 3,
      '2026-11-22/base/phone/resolved': 1,
      '2026-11-22/base/phone/merged': 1,
    });
  });

  it('so that what was opened and reopened less what was resolved and merged is what is open', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.integer({ min: 1, max: 15 }), { minLength: 1, maxLength: 4 }),
        async (days) => {
          const told = new Told();
          for (const tickets of days) told.day(tickets);
          const store = await digested(told.messages);
          const all = Object.entries(store.counts());
          const sum = (measure: string): number =>
            all.filter(([name]) => name.endsWith(`/${measure}`)).reduce((n, [, count]) => n + count, 0);
          const open = Object.values(store.rows()).filter(({ standing }) => standing === 'open').length;
          expect(sum('opened') + sum('reopened') - sum('resolved') - sum('merged')).toBe(open);
          expect(all.every(([, count]) => count > 0)).toBe(true);
        },
      ),
    );
  });

  it('only by messages that keep their schema', () => {
    const told = new Told();
    told.day();
    for (const message of told.messages) expect(check(message.type, message)).toBeNull();
  });
});

describe('A message that cannot be', () => {
  const told = new Told();
  const id = told.opens();
  told.resolves(id, HOUR);
  const [opening, resolving] = told.messages as [Published, Published];
  const row = measured(measured(null, opening), resolving);

  it.each([
    ['an opening of what is open', row, opening],
    ['anything of what was never opened', null, resolving],
    ['one that stands before what is known', row, { ...resolving, revision: 1 }],
  ])('is refused with numbers alone: %s', (_, before, message) => {
    expect(() => measured(before, message)).toThrow(Undigestible);
    expect(() => measured(before, message)).toThrow(/^revision \d+ [a-z ]+\d*$/);
  });
});

it('what is not counted leaves a ticket as it was', () => {
  const told = new Told();
  const id = told.opens();
  told.classifies(id, freshId());
  const [opening, classifying] = told.messages as [Published, Published];
  const row = measured(null, opening);
  expect(measured(row, classifying)).toBe(row);
  expect(row.openedAt).toBe(toInstant(MONDAY) satisfies Instant);
});
