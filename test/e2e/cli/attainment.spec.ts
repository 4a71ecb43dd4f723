import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { freshDatabase, type FreshDatabase } from '../../support/database.js';
import { incident, runCovenant, SECRETS, table } from './command-line.js';

jest.setTimeout(60_000);

/**
 * 29 February 2016 was a Monday; open 09:00 to 18:00. Priority 1 promises a resolution within 4 h, priority 3
 * within 27 h of open time.
 */
const LOG = table(
  ...incident('0000001', { at: '09:10' }, { at: '17:00', incident_state: 'Resolved' }),
  ...incident(
    '0000002',
    { at: '09:00', priority: '1' },
    { at: '10:00', incident_state: 'Awaiting User Info' },
    { at: '12:00', incident_state: 'Active' },
    { at: '15:00', incident_state: 'Resolved', made_sla: 'false' },
  ),
  ...incident(
    '0000003',
    { at: '09:00', priority: '1' },
    { at: '16:00', incident_state: 'Resolved', made_sla: 'true' },
  ),
  ...incident('0000004', { at: '09:00', priority: '1' }, { at: '10:00', made_sla: 'false' }),
);

describe('covenant attainment', () => {
  let database: FreshDatabase;
  let folder: string;
  let log: string;
  let env: Record<string, string>;

  beforeAll(async () => {
    database = await freshDatabase();
    folder = await mkdtemp(join(tmpdir(), 'covenant-attainment-'));
    env = { DATABASE_URL: database.url, DATA_DIR: folder, LOG_LEVEL: 'silent', ...SECRETS };
    log = join(folder, 'log.csv');
    await writeFile(log, LOG);
    expect(await runCovenant(['import', 'servicenow', log], env)).toMatchObject({ code: 0 });
  });
  afterAll(async () => {
    await database.drop();
    await rm(folder, { recursive: true });
  });

  const told = async (...args: readonly string[]): Promise<string> => {
    const said = await runCovenant(['attainment', ...args], env);
    expect(said).toMatchObject({ code: 0, err: '' });
    return said.out;
  };

  it('prints every promise by month, policy, tier and priority', async () => {
    const cells = (await told('--month', '2016-02', '--clock', 'resolution'))
      .trimEnd()
      .split('\n')
      .map((line) => line.trim().split(/ {2,}/));
    expect(cells).toEqual([
      [
        ...[
          'month',
          'policy',
          'tier',
          'priority',
          'promise',
          'kept',
          'cycles',
          'met',
          'provisional',
          'missed',
        ],
        ...['open', 'open, breached', 'not-applicable', 'not-evidenced', 'merged', 'paused'],
      ],
      // Used: 4 h and 7 h; paused: 2 h. The fourth was due at 13:00; only its timer would say so.
      [
        ...['2016-02', 'import-default@1', 'base', '1', 'resolution', '50.0 %', '3', '1', '0', '1'],
        ...['1', '0', '0', '0', '0', '15.3 %'],
      ],
      [
        ...['2016-02', 'import-default@1', 'base', '3', 'resolution', '100.0 %', '1', '1', '0', '0'],
        ...['0', '0', '0', '0', '0', '0.0 %'],
      ],
    ]);
    const { items } = JSON.parse(await told('--json', '--clock', 'first-response', '--priority', '1'));
    expect(items).toEqual([
      expect.objectContaining({ month: '2016-02', cycles: 3, notEvidenced: 3, attainment: null }),
    ]);
    expect(await told('--month', '2016-01')).toBe('');
  });

  it('sets the log’s own made_sla beside it, by priority, and writes that into a page', async () => {
    const page = join(folder, 'page.md');
    await writeFile(
      page,
      'Before.\n<!-- beside made_sla -->\nold\n<!-- end of beside made_sla -->\nAfter.\n',
    );
    const out = await told('--beside', log, '--into', page);
    const rows = out
      .trimEnd()
      .split('\n')
      .slice(2)
      .map((line) => line.slice(2, -2).split(' | '));
    expect(rows).toEqual([
      ['1', '3', '1', '33.3 %', '1', '1', '1', '50.0 %', '0', '0', '1', '1'],
      ['2', '0', '0', '', '0', '0', '0', '', '0', '0', '0', '0'],
      ['3', '1', '1', '100.0 %', '1', '0', '0', '100.0 %', '1', '0', '0', '0'],
      ['4', '0', '0', '', '0', '0', '0', '', '0', '0', '0', '0'],
      ['all', '4', '2', '50.0 %', '2', '1', '1', '66.6 %', '1', '0', '1', '1'],
    ]);
    const text = await readFile(page, 'utf8');
    expect(text).toBe(
      `Before.\n<!-- beside made_sla -->\n\n${out}\n<!-- end of beside made_sla -->\nAfter.\n`,
    );
    expect(await told('--beside', log, '--into', page)).toBe(out);
    expect(await readFile(page, 'utf8')).toBe(text);
  });

  it.each<[string, readonly string[], number, RegExp]>([
    ['a month that is none', ['--month', '2016-13'], 2, /--month is a month/],
    ['a tier that is none', ['--tier', 'gold'], 2, /--tier is one of base, standard, vip/],
    ['a priority that is none', ['--priority', '0'], 2, /--priority is one of 1, 2, 3, 4/],
    ['a promise that is none', ['--clock', 'lunch'], 2, /--clock is one of first-response/],
    ['a page without a table', ['--into', 'x.md'], 2, /--into needs --beside/],
    ['a part of a log', ['--beside', 'x.csv', '--month', '2016-02'], 2, /--beside is about all of a log/],
    ['a log that is not there', ['--beside', '/nowhere/x.csv'], 1, /\/nowhere\/x\.csv/],
  ])('refuses %s in one line', async (_, args, code, says) => {
    const said = await runCovenant(['attainment', ...args], env);
    expect([said.code, said.out]).toEqual([code, '']);
    expect(said.err).toMatch(says);
    expect(said.err).not.toContain('    at ');
  });

  it('refuses a log that is not imported, or states no made_sla, or a page with no place for the table', async () => {
    const refused = async (text: string, ...more: readonly string[]): Promise<string> => {
      const file = join(folder, 'other.csv');
      await writeFile(file, text);
      const said = await runCovenant(['attainment', '--beside', file, ...more], env);
      expect(said.code).toBe(1);
      expect(said.err).not.toContain('    at ');
      return said.err;
    };
    expect(await refused(table(...incident('0000009', { at: '09:10' })))).toContain('import it first');
    expect(await refused(table(...incident('0000001', { at: '09:10', made_sla: '?' })))).toContain(
      'line 2 states no priority or no made_sla',
    );
    expect(await refused('number,priority\n1,2\n')).toContain('has no column sys_mod_count');
    const page = join(folder, 'bare.md');
    await writeFile(page, 'Nothing.\n');
    expect(await refused(LOG, '--into', page)).toContain('has no place for the table');
    expect(await refused(LOG, '--into', join(folder, 'absent.md'))).toContain('absent.md');
  });
});
