import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { gzipSync } from 'node:zlib';
import pg from 'pg';
import { freshDatabase, type FreshDatabase } from '../../support/database.js';
import { incident, runCovenant, SECRETS, table } from './command-line.js';

jest.setTimeout(60_000);

let database: FreshDatabase;
let folder: string;
let env: Record<string, string>;

beforeEach(async () => {
  database = await freshDatabase();
  folder = await mkdtemp(join(tmpdir(), 'covenant-import-'));
  env = { DATABASE_URL: database.url, DATA_DIR: folder, ...SECRETS };
});
afterEach(async () => {
  await database.drop();
  await rm(folder, { recursive: true });
});

const take = (...files: readonly string[]) => runCovenant(['import', 'servicenow', ...files], env);

async function file(name: string, content: string | Uint8Array): Promise<string> {
  const path = join(folder, name);
  await writeFile(path, content);
  return path;
}

async function rows<R extends object>(query: string): Promise<R[]> {
  const client = new pg.Client({ connectionString: database.url });
  await client.connect();
  try {
    return (await client.query<R>(query)).rows;
  } finally {
    await client.end();
  }
}

async function canonical(): Promise<readonly string[]> {
  const lines: string[] = [];
  for (const category of ['ticket', 'person']) {
    const { out } = await runCovenant(['log', '--canonical', '--category', category], env);
    lines.push(...out.split('\n').filter((line) => line !== ''));
  }
  return lines.sort();
}

const lastLine = (out: string): string | undefined => out.trimEnd().split('\n').at(-1);

const FIRST = incident(
  '0000045',
  { at: '09:10' },
  { at: '10:00', incident_state: 'Awaiting User Info', assigned_to: '89' },
  { at: '13:00', incident_state: 'Active', assignment_group: '24' },
  { at: '17:00', incident_state: 'Resolved' },
);
const SECOND = incident(
  '0000047',
  { at: '09:30' },
  { at: '09:40' },
  { at: '16:00', incident_state: 'Closed' },
);
const CLOSING = incident(
  '0000045',
  { at: '09:10' },
  { at: '10:00', incident_state: 'Awaiting User Info', assigned_to: '89' },
  { at: '13:00', incident_state: 'Active', assignment_group: '24' },
  { at: '17:00', incident_state: 'Resolved' },
  { at: '17:30', incident_state: 'Closed' },
);

describe('covenant import servicenow', () => {
  it('takes a log in to the views, and a second time adds nothing', async () => {
    const path = await file('incidents.csv', table(...FIRST, ...SECOND));
    const first = await take(path);
    expect(first).toMatchObject({ code: 0 });
    const events = Number(/^appended (\d+) events$/.exec(lastLine(first.out)!)![1]);
    expect(events).toBe((await rows<{ n: number }>(`SELECT count(*)::int AS n FROM log.events`))[0]!.n);
    expect(first.out).toContain('7 rows, 2 cases, 2 tickets opened');
    expect(first.out).toMatch(/rows that became no event: 1\n +1 {2}nothing changed/);

    const tickets = await rows<{ number: string; status: string }>(
      'SELECT number, status FROM views.tickets ORDER BY number',
    );
    expect(tickets.map(({ status }) => status).sort()).toEqual(['closed', 'resolved']);
    const before = await canonical();
    const second = await take(path);
    expect(second.code).toBe(0);
    expect(lastLine(second.out)).toBe('appended 0 events');
    expect(second.out).toMatch(/7 {2}taken in before/);
    expect(await canonical()).toEqual(before);
    expect(await rows('SELECT number, status FROM views.tickets ORDER BY number')).toEqual(tickets);
  });

  it('of a longer export takes only what is new, and a case that is repeated keeps its number', async () => {
    await take(await file('january.csv', table(...FIRST)));
    const [before] = await rows<{ number: string }>('SELECT number FROM views.tickets');
    const longer = await take(await file('february.csv', table(...CLOSING, ...SECOND)));
    expect(longer.out).toMatch(/4 {2}taken in before/);
    const numbers = await rows<{ number: string; status: string }>(
      'SELECT number, status FROM views.tickets ORDER BY number',
    );
    expect(numbers).toHaveLength(2);
    expect(numbers[0]).toEqual({ number: before!.number, status: 'closed' });
  });

  it('gives the same log from other files, another order, and standard input', async () => {
    await take(await file('one.csv.gz', gzipSync(table(...CLOSING, ...SECOND))));
    const expected = (await canonical()).filter((line) => !line.includes('case-imported'));
    const other = await freshDatabase();
    try {
      env = { ...env, DATABASE_URL: other.url };
      const lines = [...SECOND, ...CLOSING].reverse();
      const half = await file('half.csv', table(...lines.slice(0, 3)));
      const { code, out, err } = await runCovenant(['import', 'servicenow', half, '-'], env, {
        stdin: Readable.from([Buffer.from(table(...lines.slice(3)))]),
      });
      expect({ code, err }).toMatchObject({ code: 0 });
      expect(out).toContain('8 rows, 2 cases');
      expect((await canonical()).filter((line) => !line.includes('case-imported'))).toEqual(expected);
    } finally {
      env = { ...env, DATABASE_URL: database.url };
      await other.drop();
    }
  });

  it('tells bad rows with line and reason, takes the rest, and keeps all of them where asked', async () => {
    const path = await file(
      'bad.csv',
      table(
        FIRST[0]!,
        'too,short',
        FIRST[1]!.replace('29/2/2016 10:00', '30/2/2016 10:00'),
        `"${FIRST[2]!}`,
        FIRST[3]!,
      ),
    );
    const rejects = join(folder, 'rejects.jsonl');
    const { code, out } = await runCovenant(['import', 'servicenow', '--rejects', rejects, path], env);
    expect(code).toBe(0);
    expect(out).toContain('rejected rows: 3');
    expect(out).toContain(`${path}:3: has 2 columns where the header has 36`);
    expect(out).toContain(
      `${path}:4: sys_updated_at is no time of the form d/M/yyyy HH:mm: "30/2/2016 10:00"`,
    );
    expect(out).toContain(`${path}:5: a quote that is opened here is not closed`);
    const kept = (await readFile(rejects, 'utf8'))
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as object);
    expect(kept).toHaveLength(3);
    expect(await rows('SELECT 1 FROM views.tickets')).toHaveLength(1);
  });

  it('of a file that is cut off takes nothing, and says so', async () => {
    const whole = gzipSync(table(...FIRST, ...SECOND));
    const path = await file('cut.csv.gz', whole.subarray(0, whole.length - 20));
    const { code, out, err } = await take(path);
    expect({ code, out }).toEqual({ code: 1, out: '' });
    expect(err).toContain(`covenant import: ${path}: the gzip stream ends in the middle`);
    expect(err).not.toContain('    at ');
    expect(await rows('SELECT 1 FROM views.tickets')).toHaveLength(0);
  });

  it('replaces U+0000 and counts it, and its neighbours are taken in', async () => {
    const path = await file(
      'zero.csv',
      table(...incident('0000045', { at: '09:10', location: 'x\0y' }), ...SECOND),
    );
    const { code, out } = await take(path);
    expect(code).toBe(0);
    expect(out).toContain('replaced by U+FFFD: 1');
    expect(await rows('SELECT 1 FROM views.tickets')).toHaveLength(2);
  });

  it('refuses a store that holds demonstration data, and says what to do', async () => {
    await runCovenant(['views', 'status'], env);
    const { openHouse, readSettings, openLog, beginDemonstration } = await import('#edge');
    const house = await openHouse(readSettings(env), { as: 'command', logger: openLog('silent', 'test', 2) });
    await beginDemonstration(house.means);
    await house.close();
    const { code, out, err } = await take(await file('incidents.csv', table(...FIRST)));
    expect({ code, out }).toEqual({ code: 1, out: '' });
    expect(err).toContain('this store holds demonstration data');
    expect(err).toContain('DATA_DIR=./data-real');
    expect(await rows(`SELECT 1 FROM views.tickets`)).toHaveLength(0);
  });

  it('pins the policy of the zone it is given, and another one where named', async () => {
    await runCovenant(
      ['import', 'servicenow', '--zone', 'America/Sao_Paulo', await file('a.csv', table(...FIRST))],
      env,
    );
    const { out } = await runCovenant(['log', '--category', 'ticket'], env);
    const opened = JSON.parse(out.split('\n')[0]!) as {
      occurredAt: string;
      data: { policy: string; clocks: { zone: string }[] };
    };
    expect(opened).toMatchObject({
      occurredAt: '2016-02-29T12:10:00Z',
      data: { policy: 'import-default@1' },
    });
    expect(opened.data.clocks[0]!.zone).toBe('America/Sao_Paulo');

    const path = await file('b.csv', table(...SECOND));
    const unknown = await runCovenant(['import', 'servicenow', '--policy', 'none@7', path], env);
    expect(unknown).toMatchObject({ code: 1, err: expect.stringContaining('there is no policy none@7') });
  });

  it('a mapping of one’s own takes other columns, and a bad one is told whole', async () => {
    const map = await file(
      'map.json',
      JSON.stringify({
        name: 'other',
        version: 1,
        source: 'other',
        missing: [''],
        time: { format: 'iso-8601' },
        carriesMessages: false,
        columns: { case: 'id', updatedAt: 'when', state: 'state', group: { column: 'team' } },
        values: { state: { new: { is: 'open' }, done: { is: 'resolved' } } },
        texts: { subject: 'Case {id}', text: '' },
      }),
    );
    const csv = await file(
      'other.csv',
      'id,when,state,team\n1,2020-01-01T10:00:00Z,new,a\n1,2020-01-01T12:00:00Z,done,a\n',
    );
    const { code, out, err } = await runCovenant(['import', 'log', '--map', map, csv], env);
    expect({ code, err }).toMatchObject({ code: 0 });
    expect(out).toContain('mapping other@1');
    expect((await runCovenant(['import', 'log', '--map', map, csv], env)).out).toMatch(
      /appended 0 events\n$/,
    );

    const bad = await file(
      'bad.json',
      JSON.stringify({ name: 'Other', version: 0, columns: { case: 'id' }, more: 1 }),
    );
    const told = await runCovenant(['import', 'log', '--map', bad, csv], env);
    expect(told.code).toBe(1);
    for (const problem of ['name', 'version', 'columns', 'source', 'more'])
      expect(told.err).toContain(problem);
    const absent = await file('absent.csv', 'id,state\n1,new\n');
    expect((await runCovenant(['import', 'log', '--map', map, absent], env)).err).toContain(
      'reads columns that are not there: when, team',
    );
  });
});
