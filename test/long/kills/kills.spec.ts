import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { everyView, rebuild, type Noted } from '#engine/views';
import { pause } from '#edge';
import { silent, toOrdinal } from '#kernel';
import { Client, type Command, type Done } from '../support/clients.js';
import { everything, LongDesk } from '../support/desk.js';
import { seeded } from '../support/chance.js';
import { consumersCameToTheEnd, expectTablesAsRebuilt } from '../../support/consumer-kills.js';
import { eventually } from '../../support/eventually.js';

/** Half of them hit the desk, half PostgreSQL, in random order; and some more hit both at once. */
const KILLS = 20;
const OF_BOTH = 2;
const WRITERS = 12;

const chance = seeded();
const done: Done[] = [];
let desk: LongDesk;
let events: Noted[];
/** Answered once more after it all. */
let repeated: { readonly first: Done; readonly again: Done }[];
let differing: Readonly<Record<string, readonly string[]>>;

beforeAll(async () => {
  desk = await LongDesk.prepare();
  desk.start();
  await desk.ready();
  const token = await desk.token({ role: 'supervisor', name: 'sam' });
  const client = new Client(desk, token);

  const stop = new AbortController();
  const writers = Array.from({ length: WRITERS }, (_, n) => write(client, n, stop.signal));
  const kills = shuffled([
    ...Array.from({ length: KILLS }, (_, n) => (n % 2 === 0 ? ('desk' as const) : ('postgres' as const))),
    ...Array.from({ length: OF_BOTH }, () => 'both' as const),
  ]);
  for (const victim of kills) {
    await someProgress();
    await new Promise((resolve) => setTimeout(resolve, chance.int(900)));
    if (victim !== 'desk') await desk.killPostgres();
    if (victim === 'postgres') continue;
    await desk.kill();
    desk.start();
  }
  await someProgress();
  stop.abort();
  await Promise.all(writers);

  repeated = [];
  for (let n = 0; n < 100; n++) {
    const first = chance.pick(done);
    repeated.push({ first, again: await client.patiently(first) });
  }
  await allSettled();
  await desk.stop();
  await desk.inside(async (inside) => {
    const { url, log, views, decode } = inside;
    events = await everything(inside);
    differing = {};
    const projecting = {
      store: log,
      decode,
      views: everyView,
      into: views.store,
      logger: silent,
      pause,
    };
    for (const view of everyView) {
      const { position, comparison } = await rebuild(projecting, view, new AbortController().signal);
      if (position !== events.at(-1)!.position) throw new Error(`${view.name} stood at ${position}`);
      differing = { ...differing, [view.name]: comparison?.differing ?? ['not compared'] };
    }
    await expectTablesAsRebuilt(log, url);
  });
}, 600_000);

afterAll(async () => {
  await desk?.remove();
});

/** A handful of commands that were begun and acknowledged after this moment. */
async function someProgress(): Promise<void> {
  const before = done.length;
  await eventually(() => done.length >= before + 2 * WRITERS, {
    within: 90_000,
    what: 'clients are being answered again',
  });
}

interface Merge {
  readonly stream: string;
  readonly merge: string;
}

const mergesIn = (all: readonly Noted[], ...types: readonly string[]): Merge[] =>
  all.flatMap(({ type, stream, data }) =>
    types.includes(type) ? [{ stream, merge: (data as { merge: string }).merge }] : [],
  );
const ENDS = ['desk.merge-completed.v1', 'desk.merge-withdrawn.v1'] as const;

/** Every merge has come to an end, and the read models have seen it. A command attaches to the running desk. */
async function allSettled(): Promise<void> {
  await desk.ready();
  await desk.inside(async (inside) => {
    await eventually(
      async () => {
        const all = await everything(inside);
        if (mergesIn(all, ...ENDS).length < mergesIn(all, 'desk.merge-begun.v1').length) return false;
        const figures = await inside.views.figures(await inside.log.head());
        return figures.every(({ behind }) => behind === 0);
      },
      {
        within: 90_000,
        every: 300,
        what: 'every merge came to its end, and the views to the end of the log',
      },
    );
    await consumersCameToTheEnd(inside.log, inside.url);
  });
}

let keys = 0;
const command = (path: string, body: object): Command => ({
  path,
  key: `key-${chance.seed}-${keys++}`,
  body,
});
const opening = (subject: string): object => ({
  subject,
  text: 'It burns.',
  channel: 'phone',
  priority: 1 + chance.int(4),
  requester: { email: `customer${chance.int(40)}@example.com` },
});

/** One client: mostly opens tickets, and does this and that to those it opened before. */
async function write(client: Client, writer: number, signal: AbortSignal): Promise<void> {
  const own: string[] = [];
  const does = async (path: string, body: object): Promise<Done> => {
    const answered = await client.patiently(command(path, body));
    done.push(answered);
    return answered;
  };
  while (!signal.aborted) {
    const what = own.length < 4 ? 0 : chance.int(20);
    const on = (verb: string): string => `/v1/tickets/${chance.pick(own)}/${verb}`;
    if (what < 9) {
      const { answer } = await does('/v1/tickets', opening(`of writer ${writer}`));
      own.push(answer.body.id);
    } else if (what < 12)
      await does(on('messages'), { text: 'We are on it.', kind: 'sent', channel: 'e-mail' });
    else if (what < 13) await does(on('prioritise'), { priority: 1 + chance.int(4) });
    else if (what < 14) await does(on('assign'), { group: `group ${chance.int(5)}` });
    else if (what < 15) await does(on('hold'), { reason: 'requester' });
    else if (what < 16) await does(on('resume'), {});
    else if (what < 17) await does(on('resolve'), { resolution: 'solved' });
    else if (what < 18) await does(on('reopen'), {});
    else if (what < 19) {
      const [survivor, duplicate] = [chance.pick(own), chance.pick(own)];
      if (survivor !== duplicate) await does(`/v1/tickets/${survivor}/merge`, { duplicate });
    } else {
      const [one, other] = [chance.pick(own), chance.pick(own)];
      if (one === other) continue;
      await Promise.all([
        does(`/v1/tickets/${one}/merge`, { duplicate: other }),
        does(`/v1/tickets/${other}/merge`, { duplicate: one }),
      ]);
    }
  }
}

function shuffled<T>(list: readonly T[]): T[] {
  const left = [...list];
  return list.map(() => left.splice(chance.int(left.length), 1)[0]!);
}

const acknowledged = (): Done[] => done.filter(({ answer }) => answer.status < 300);

describe(`After ${KILLS} kills with -9 under write load, half of the desk and half of PostgreSQL`, () => {
  it('there was load, and some of it met the kills', () => {
    expect(acknowledged().length).toBeGreaterThan(20 * KILLS);
    expect(done.filter(({ asked }) => asked > 1).length).toBeGreaterThan(KILLS / 2);
    expect(Client.broken).toEqual([]);
    process.stderr.write(
      `${acknowledged().length} acknowledged, ${done.length - acknowledged().length} refused, ` +
        `${done.filter(({ asked }) => asked > 1).length} asked more than once, ${events.length} events\n`,
    );
  });

  it('the ordinals are gapless, the revisions too, and the time of recording never falls', () => {
    expect(events.map(({ position }) => toOrdinal(position))).toEqual(events.map((_, n) => n + 1));
    const revisions = new Map<string, number>();
    let recordedAt = 0;
    for (const event of events) {
      expect(event.revision).toBe((revisions.get(event.stream) ?? -1) + 1);
      revisions.set(event.stream, event.revision);
      expect(event.recordedAt).toBeGreaterThanOrEqual(recordedAt);
      recordedAt = event.recordedAt;
    }
    expect(new Set(events.map(({ id }) => id)).size).toBe(events.length);
  });

  it('every acknowledged command is in the log once, where its answer said', () => {
    const at = new Map(events.map((event) => [`${event.stream} ${event.revision}`, event]));
    const ofKey = new Map<string, Noted[]>();
    for (const event of events)
      if (event.key) ofKey.set(event.key.id, [...(ofKey.get(event.key.id) ?? []), event]);
    const seen = new Set<string>();
    for (const { path, answer } of acknowledged()) {
      const event = at.get(`ticket-${answer.body.id} ${answer.body.revision}`);
      if (!event?.key)
        throw new Error(`${path}: nothing at revision ${answer.body.revision} of ${answer.body.id}`);
      const together = ofKey.get(event.key.id)!;
      // One append: in one stream, one after the other, the last of them named in the answer.
      expect(together.map(({ stream }) => stream)).toEqual(together.map(() => event.stream));
      expect(together.map(({ revision }) => revision)).toEqual(
        together.map((_, n) => event.revision - together.length + 1 + n),
      );
      expect(seen.has(event.key.id)).toBe(false);
      seen.add(event.key.id);
    }
  });

  it('nothing was opened that nobody asked for, and a number was given once', () => {
    const opened = events.filter(({ type }) => type === 'desk.ticket-opened.v1');
    const asked = acknowledged().filter(({ path }) => path === '/v1/tickets');
    expect(opened).toHaveLength(asked.length);
    const numbers = opened.map(({ data }) => (data as { number: string }).number);
    expect(new Set(numbers).size).toBe(numbers.length);
  });

  it('the same command asked again is answered as it was', () => {
    for (const { first, again } of repeated) {
      if (first.answer.status >= 300) continue;
      expect(again.answer).toEqual(first.answer);
    }
  });

  it('every merge was completed or withdrawn, in both tickets alike', () => {
    const idsOf = (...types: readonly string[]): string[] =>
      mergesIn(events, ...types)
        .map(({ merge }) => merge)
        .sort();
    const begun = idsOf('desk.merge-begun.v1');
    expect(begun.length).toBeGreaterThan(10);
    expect(idsOf(...ENDS)).toEqual(begun);
    expect(idsOf('desk.ticket-merged.v1')).toEqual(idsOf('desk.merge-completed.v1'));
  });

  it('the views equal a rebuild', () => {
    expect(differing).toEqual(Object.fromEntries(everyView.map(({ name }) => [name, []])));
  });
});
