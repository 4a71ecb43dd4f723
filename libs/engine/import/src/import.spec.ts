import { describe, expect, it } from '@jest/globals';
import {
  ticket,
  ticketStream,
  type TicketCommand,
  type TicketEvent,
  type TicketFact,
  type TicketRefusal,
  type TicketState,
} from '#domain/desk';
import { zoneOf } from '#domain/sla';
import { builtInPolicies } from '#domain/sla/testing';
import { everyEvent } from '#engine/catalogue';
import { identities } from '#engine/identity';
import { codec, foldStream, memoryLog, memoryVault, transactor } from '#engine/store';
import { ENGINE } from '#domain/sla';
import { instant, START, type Recorded } from '#kernel';
import fc from 'fast-check';
import type { ImportMapping } from './mapping.js';
import { caseIds } from './plan.js';
import { caseReader, type Rejected } from './rows.js';
import { casesSoFar, takeIn, type ImportDesk } from './take-in.js';
import { Tally } from './tally.js';

const MAPPING: ImportMapping = {
  name: 'small',
  version: 1,
  source: 'elsewhere',
  missing: ['?'],
  time: { format: 'd/M/yyyy HH:mm' },
  carriesMessages: false,
  identity: ['n', 'at'],
  order: ['n'],
  columns: {
    case: 'case',
    updatedAt: 'at',
    state: 'state',
    updatedBy: { column: 'by', label: 'Updater {}' },
    requester: { column: 'caller' },
    agent: { column: 'agent', missing: 'none' },
    group: { column: 'group', label: 'Group {}', missing: 'none' },
    category: { column: 'category' },
    vendor: { column: 'vendor', missing: 'none' },
    priority: 'priority',
    channel: 'channel',
  },
  values: {
    state: {
      New: { is: 'open' },
      Active: { is: 'open' },
      'Awaiting User': { is: 'held', reason: 'requester' },
      'Awaiting Vendor': { is: 'held', reason: 'vendor' },
      Resolved: { is: 'resolved' },
      Closed: { is: 'closed' },
    },
    priority: { '1': 1, '3': 3 },
    channel: { Phone: 'phone' },
  },
  texts: { subject: 'Case {case}', text: 'About {note}' },
  stated: { opened: 'openedAt', resolved: 'resolvedAt' },
};

const COLUMNS = [
  'case',
  'n',
  'at',
  'state',
  'by',
  'caller',
  'agent',
  'group',
  'category',
  'vendor',
  'priority',
  'channel',
  'note',
  'openedAt',
  'resolvedAt',
] as const;
type Cells = Partial<Record<(typeof COLUMNS)[number], string>>;

type Given = Cells & { readonly at: string };

/** Rows of the case 7: cells not given are those of the row before. 29 February 2016 was a Monday. */
function rows(...given: readonly Given[]): readonly Cells[] {
  let before: Cells = {
    case: '7',
    state: 'New',
    by: '1',
    caller: '21',
    agent: '?',
    group: 'A',
    category: 'net',
    vendor: '?',
    priority: '3',
    channel: 'Phone',
    note: 'x',
    openedAt: '29/2/2016 09:00',
    resolvedAt: '?',
  };
  return given.map(
    (cells, i) => (before = { ...before, n: String(i), ...cells, at: `29/2/2016 ${cells.at}` }),
  );
}

const secret = Buffer.alloc(32, 7);
const ids = identities(secret);
const policies = builtInPolicies('UTC');
const POLICY = 'import-default@1';

function desk(zone = 'UTC', mapping: ImportMapping = MAPPING) {
  let drawn = 0;
  const chance = { bytes: (count: number) => Buffer.alloc(count, (drawn += 1)) };
  const store = memoryLog();
  const keeper = codec({ catalogue: everyEvent, vault: memoryVault(chance), chance });
  const tickets = transactor<TicketState, TicketCommand, TicketFact, TicketEvent, TicketRefusal>({
    store,
    codec: keeper,
    chance,
    clock: { now: () => Date.parse('2026-11-24T12:00:00Z') },
    engine: ENGINE,
    decider: ticket,
  });
  const tally = new Tally();
  const reader = caseReader(mapping, COLUMNS, {
    identities: ids,
    zone: zoneOf(zone),
    now: instant('2026-11-24T12:00:00Z'),
    noticed: tally,
  });
  const of: ImportDesk = {
    store,
    codec: keeper,
    tickets,
    ids: caseIds(ids, mapping.source),
    importer: ids.person('covenant', 'import'),
    policies,
    policy: POLICY,
    number: async () => `T-${++numbers}`,
  };
  let numbers = 100_000;
  const read = (cells: readonly Cells[], key = '7') =>
    reader.read(
      key,
      cells.map((row, i) => ({ source: 0, line: i + 2, cells: COLUMNS.map((column) => row[column] ?? '?') })),
    );
  const takes = async (cells: readonly Cells[]) => {
    const soFar = (await casesSoFar(of, ['7'])).get('7')!;
    const taken = await takeIn(of, reader, read(cells), soFar);
    tally.planned(taken.plan);
    return taken;
  };
  const events = async () =>
    (await store.readStream(ticketStream(of.ids.ticket('7')))).map(keeper.decode) as Recorded<TicketEvent>[];
  const state = async () => foldStream<TicketState, TicketEvent>(ticket, await events()).state;
  return { takes, events, state, read, tally, of, reader, store };
}

/** `ticket-opened 09:00` for short. */
const told = (events: readonly Recorded<TicketEvent>[]): readonly string[] =>
  events.map(
    ({ type, occurredAt }) => `${type.replace(/^\w+\.(.*)\.v\d+$/, '$1')} ${occurredAt.slice(11, 16)}`,
  );

async function history(...given: readonly Given[]) {
  const { takes, events } = desk();
  const { rejected } = await takes(rows(...given));
  expect(rejected).toEqual([]);
  return told(await events());
}

describe('What the rows of a case tell', () => {
  it('the first row opens the ticket, names its group and closes with a note', async () => {
    const { takes, events } = desk();
    await takes(rows({ at: '09:05' }));
    const all = await events();
    expect(told(all)).toEqual([
      'ticket-opened 09:05',
      'ticket-classified 09:05',
      'ticket-assigned 09:05',
      'case-imported 09:05',
    ]);
    expect(all[0]).toMatchObject({
      data: {
        number: 'T-100001',
        channel: 'phone',
        priority: 3,
        policy: POLICY,
        importing: true,
        carriesMessages: false,
        externalReference: ids.termId('external-reference', '7'),
        requester: ids.person('import:elsewhere', 'caller:21'),
      },
      actor: { role: 'integration', onBehalfOf: ids.person('import:elsewhere', 'by:1') },
    });
    expect(all[2]).toMatchObject({ data: { group: ids.termId('group', 'Group A') } });
    expect(all[3]).toMatchObject({
      data: { mapping: 'small@1', stated: [{ what: 'opened', at: '2016-02-29T09:00:00Z' }] },
    });
  });

  it('first response ends as not evidenced, without due, warning or breach', async () => {
    const { takes, events } = desk();
    await takes(rows({ at: '09:05' }, { at: '17:00', state: 'Resolved' }));
    const first = (await events())[0];
    expect(first?.type === 'desk.ticket-opened.v1' && first.data.clocks[0]).toMatchObject({
      clock: 'first-response',
      state: 'not-evidenced',
      due: null,
      breachedAt: null,
    });
    expect(told(await events()).join()).not.toContain('breached');
  });

  it.each<[string, readonly (Cells & { at: string })[], readonly string[]]>([
    ['transferred to another group', [{ at: '10:00', group: 'B' }], ['ticket-assigned 10:00']],
    ['given to an agent', [{ at: '10:00', agent: '5' }], ['ticket-assigned 10:00']],
    ['in no group that has a name', [{ at: '10:00', group: '?' }], ['ticket-assigned 10:00']],
    ['classified anew', [{ at: '10:00', category: 'mail' }], ['ticket-classified 10:00']],
    ['not classified by a missing cell', [{ at: '10:00', category: '?' }], []],
    ['prioritised', [{ at: '10:00', priority: '1' }], ['ticket-prioritised 10:00']],
    [
      'held and resumed',
      [
        { at: '10:00', state: 'Awaiting User' },
        { at: '11:00', state: 'Active' },
      ],
      ['ticket-held 10:00', 'ticket-resumed 11:00'],
    ],
    [
      'held for another reason',
      [
        { at: '10:00', state: 'Awaiting User' },
        { at: '11:00', state: 'Awaiting Vendor' },
      ],
      ['ticket-held 10:00', 'ticket-resumed 11:00', 'ticket-held 11:00'],
    ],
    [
      'handed to a vendor, to another and taken back',
      [
        { at: '10:00', vendor: 'V' },
        { at: '11:00', vendor: 'W' },
        { at: '12:00', vendor: '?' },
      ],
      [
        'ticket-handed-to-vendor 10:00',
        'ticket-taken-back 11:00',
        'ticket-handed-to-vendor 11:00',
        'ticket-taken-back 12:00',
      ],
    ],
    [
      'resolved while held, then closed',
      [
        { at: '10:00', state: 'Awaiting User' },
        { at: '11:00', state: 'Resolved' },
        { at: '12:00', state: 'Closed' },
      ],
      ['ticket-held 10:00', 'ticket-resolved 11:00', 'ticket-closed 12:00'],
    ],
    ['closed at once', [{ at: '11:00', state: 'Closed' }], ['ticket-resolved 11:00', 'ticket-closed 11:00']],
    [
      'reopened into a hold',
      [
        { at: '11:00', state: 'Resolved' },
        { at: '12:00', state: 'Awaiting User' },
      ],
      ['ticket-resolved 11:00', 'ticket-reopened 12:00', 'ticket-held 12:00'],
    ],
    [
      'reopened after closing',
      [
        { at: '11:00', state: 'Closed' },
        { at: '12:00', state: 'Active' },
      ],
      ['ticket-resolved 11:00', 'ticket-closed 11:00', 'ticket-reopened 12:00'],
    ],
    [
      'assigned with the resolving row',
      [{ at: '11:00', state: 'Resolved', agent: '5' }],
      ['ticket-assigned 11:00', 'ticket-resolved 11:00'],
    ],
    [
      'assigned on reopening, where that was changed after resolving',
      [
        { at: '11:00', state: 'Resolved' },
        { at: '12:00', group: 'B' },
        { at: '13:00', state: 'Active' },
      ],
      ['ticket-resolved 11:00', 'ticket-reopened 13:00', 'ticket-assigned 13:00'],
    ],
    ['as before, by a state that is not known', [{ at: '10:00', state: '-100' }], []],
    ['as before, by a cell that no event tells of', [{ at: '10:00', note: 'y' }], []],
  ])('a case is %s', async (_, after, expected) => {
    const all = await history({ at: '09:00' }, ...after);
    expect(all.slice(3, -1)).toEqual(expected);
  });

  it('a breach between two rows is recorded at its due instant', async () => {
    const { takes, events } = desk();
    await takes(rows({ at: '09:00', priority: '1' }, { at: '16:00', state: 'Resolved' }));
    const breach = (await events()).find(({ type }) => type === 'sla.clock-breached.v1');
    expect(breach).toMatchObject({ occurredAt: '2016-02-29T13:00:00Z', actor: { role: 'system' } });
  });

  it('a row that is resolved and a row that says the same are counted by why they are no event', async () => {
    const { takes, tally } = desk();
    await takes(
      rows(
        { at: '09:00' },
        { at: '09:10' },
        { at: '09:20', note: 'y' },
        { at: '09:30', state: '-100' },
        { at: '09:40', state: 'Resolved' },
        { at: '09:50', agent: '9' },
      ),
    );
    expect(tally.nothing.entries()).toEqual([
      ['a state that the mapping does not know', 1],
      ['changed after resolving', 1],
      ['nothing changed', 1],
      ['only columns changed that no event tells of', 1],
    ]);
    expect(tally.leftOut.entries()).toEqual([['assigned: changed after resolving', 1]]);
    expect([...tally.unmappedByColumn.get('state')!.entries()]).toEqual([['-100', 1]]);
  });

  it('a stated time that no update bears out is counted', async () => {
    const { takes, tally } = desk();
    await takes(rows({ at: '09:05' }, { at: '10:00', state: 'Resolved', resolvedAt: '29/2/2016 10:00' }));
    expect(tally.disagreeing.entries()).toEqual([['opened', 1]]);
  });

  it('what a mapping switches off becomes no event, and what follows from the rest still does', async () => {
    const { takes, events, tally } = desk('UTC', { ...MAPPING, events: ['opened', 'resolved', 'closed'] });
    await takes(
      rows({ at: '09:00' }, { at: '10:00', state: 'Awaiting User' }, { at: '11:00', state: 'Closed' }),
    );
    expect(told(await events())).toEqual([
      'ticket-opened 09:00',
      'ticket-resolved 11:00',
      'ticket-closed 11:00',
      'case-imported 11:00',
    ]);
    expect(tally.leftOut.entries()).toContainEqual(['held: switched off by the mapping', 1]);
  });

  it('rows of one minute go by the order columns, as numbers', async () => {
    const { takes, events } = desk();
    const [a, b, c] = rows(
      { at: '09:00' },
      { at: '09:00', state: 'Awaiting User', n: '9' },
      { at: '09:00', state: 'Active', n: '10' },
    );
    await takes([c!, a!, b!]);
    expect(told(await events()).slice(3)).toEqual([
      'ticket-held 09:00',
      'ticket-resumed 09:00',
      'case-imported 09:00',
    ]);
  });
});

describe('Rows that cannot be taken', () => {
  const reasons = (rejected: readonly Rejected[]) => rejected.map(({ line, reason }) => `${line} ${reason}`);

  it('are told with line and reason, and the others are taken', async () => {
    const { takes, events } = desk();
    const [first, ...others] = rows(
      { at: '09:00' },
      { at: '10:00' },
      { at: '11:00' },
      { at: '12:00', state: 'Closed' },
    );
    const { rejected } = await takes([
      first!,
      { ...others[0]!, at: '31/2/2016 10:00' },
      { ...others[1]!, at: '29/2/2116 10:00' },
      others[2]!,
      { ...others[2]!, state: 'Active' },
    ]);
    expect(reasons(rejected)).toEqual([
      '3 at is no time of the form d/M/yyyy HH:mm: "31/2/2016 10:00"',
      '4 at lies in the future: "29/2/2116 10:00"',
      '6 differs from line 5, which names the same update (3, 29/2/2016 12:00)',
    ]);
    expect(told(await events()).at(-2)).toBe('ticket-closed 12:00');
  });

  it('a row twice is one row', async () => {
    const { takes, read } = desk();
    const [first, second] = rows({ at: '09:00' }, { at: '10:00', state: 'Closed' });
    expect(read([first!, first!, second!, second!])).toMatchObject({ duplicates: 2, rows: [{}, {}] });
    expect((await takes([first!, first!, second!, second!])).rejected).toEqual([]);
  });
});

describe('Taking in again', () => {
  const year = rows(
    { at: '09:00' },
    { at: '09:30', agent: '5' },
    { at: '10:00', state: 'Awaiting User' },
    { at: '10:30', state: 'Active' },
    { at: '11:00', group: 'B' },
    { at: '15:00', state: 'Resolved' },
    { at: '16:00', state: 'Active' },
    { at: '16:30', state: 'Resolved' },
    { at: '17:00', state: 'Closed' },
  );

  it('adds nothing', async () => {
    const { takes, events } = desk();
    await takes(year);
    const before = await events();
    const { events: appended } = await takes(year);
    expect(appended).toEqual([]);
    expect(await events()).toEqual(before);
  });

  it('of a longer export adds what is new, and in the end all is as if it had come at once', async () => {
    for (let cut = 1; cut < year.length; cut++) {
      const [atOnce, inTwo] = [desk(), desk()];
      await atOnce.takes(year);
      await inTwo.takes(year.slice(0, cut));
      await inTwo.takes(year);
      const facts = (events: readonly Recorded<TicketEvent>[]) =>
        events.flatMap(({ id, type, occurredAt }) =>
          type === 'desk.case-imported.v1' ? [] : [{ id, type, occurredAt }],
        );
      expect(facts(await inTwo.events())).toEqual(facts(await atOnce.events()));
    }
  });

  it('of the new rows alone goes on from what the ticket says', async () => {
    const { takes, events } = desk();
    await takes(year.slice(0, 3));
    const { rejected } = await takes(year.slice(3));
    expect(rejected).toEqual([]);
    expect(told(await events()).filter((line) => !line.startsWith('case-imported'))).toEqual(
      (await history(...year.map(({ at, ...cells }) => ({ ...cells, at: at!.slice(-5) })))).slice(0, -1),
    );
  });

  it('in another order gives the same events with the same ids', async () => {
    const inOrder = desk();
    await inOrder.takes(year);
    const expected = (await inOrder.events()).map(({ id, type }) => [id, type]);
    await fc.assert(
      fc.asyncProperty(fc.shuffledSubarray([...year], { minLength: year.length }), async (shuffled) => {
        const other = desk();
        await other.takes(shuffled);
        expect((await other.events()).map(({ id, type }) => [id, type])).toEqual(expected);
      }),
      { numRuns: 20 },
    );
  });

  it('a late row is a back-dated fact, and so is what it makes of the rows after it', async () => {
    const { takes, events, state } = desk();
    const [a, hold, c, d] = rows(
      { at: '09:00' },
      { at: '10:00', state: 'Awaiting User' },
      { at: '13:00', state: 'Active' },
      { at: '16:00', agent: '5' },
    );
    await takes([a!, c!, d!]);
    expect(told(await events()).slice(3, -1)).toEqual(['ticket-assigned 16:00']);
    const { rejected, events: late } = await takes([a!, hold!, c!, d!]);
    expect(rejected).toEqual([]);
    expect(told(late)).toEqual(['ticket-held 10:00', 'ticket-resumed 13:00', 'case-imported 10:00']);
    // Three hours of waiting do not count.
    const now = await state();
    expect(now.status === 'open' && now.clocks.resolution.due).toBe('2016-03-03T12:00:00Z');
    expect((await takes([a!, hold!, c!, d!])).events).toEqual([]);
  });

  it('a late row that the ticket refuses is told, and the rest is taken', async () => {
    const { takes, events } = desk();
    const [a, early, resolved, closed] = rows(
      { at: '09:00' },
      { at: '10:00', state: 'Resolved' },
      { at: '11:00', state: 'Resolved' },
      { at: '12:00', state: 'Closed' },
    );
    await takes([a!, resolved!]);
    const { rejected } = await takes([a!, early!, resolved!, closed!]);
    expect(rejected).toMatchObject([{ line: 3, reason: expect.stringMatching(/^already-resolved: /) }]);
    expect(told(await events()).slice(3)).toEqual([
      'ticket-resolved 11:00',
      'case-imported 11:00',
      'ticket-closed 12:00',
      'case-imported 12:00',
    ]);
  });

  it('a row before the opening that is recorded is told', async () => {
    const { takes } = desk();
    const [a, b] = rows({ at: '09:00' }, { at: '10:00' });
    await takes([b!]);
    expect((await takes([a!, b!])).rejected).toMatchObject([
      { line: 2, reason: expect.stringContaining('an opening that is recorded does not move') },
    ]);
  });

  it('identical rows without an update identity are told apart by their number in the case', async () => {
    const { identity: _, ...hashed } = MAPPING;
    const { read, takes } = desk('UTC', hashed);
    const [a, b] = rows({ at: '09:00' }, { at: '10:00', state: 'Awaiting User' });
    const twice = read([a!, b!, b!]).rows;
    expect(new Set(twice.map(({ id }) => id)).size).toBe(3);
    expect(read([b!, a!, b!]).rows.map(({ id }) => id)).toEqual(twice.map(({ id }) => id));
    await takes([a!, b!, b!]);
    expect((await takes([a!, b!, b!])).events).toEqual([]);
  });
});

describe('A case beyond the size of one append', () => {
  const many = Array.from({ length: 2_500 }, (_, i): Cells => {
    const [first] = rows({ at: '09:00' });
    const [day, minute] = [1 + Math.floor(i / 1440), i % 1440];
    return {
      ...first,
      n: String(i),
      at: `${day}/3/2016 ${[Math.floor(minute / 60), minute % 60].map((n) => String(n).padStart(2, '0')).join(':')}`,
      group: i % 2 === 0 ? 'A' : 'B',
    };
  });

  it('is cut between rows, and its note comes last', async () => {
    const { takes, events, state } = desk();
    const { events: appended } = await takes(many);
    const all = await events();
    expect(appended.length).toBe(all.length);
    expect(all.filter(({ type }) => type === 'desk.case-imported.v1')).toHaveLength(1);
    expect(all.at(-1)?.type).toBe('desk.case-imported.v1');
    expect(await state()).toMatchObject({ importing: false });
    expect(new Set(all.map(({ recordedAt }) => recordedAt)).size).toBeGreaterThan(1);
    expect((await takes(many)).events).toEqual([]);
  });
});

describe('Times', () => {
  it('on a wall clock are instants by the zone of the import', async () => {
    const { takes, events } = desk('America/Sao_Paulo');
    await takes(rows({ at: '09:00' }));
    expect((await events())[0]?.occurredAt).toBe('2016-02-29T12:00:00Z');
  });

  it('everything that was taken in stands behind START', async () => {
    const { takes, store } = desk();
    await takes(rows({ at: '09:00' }));
    expect(await store.readAll(START, 10)).toHaveLength(4);
  });
});
