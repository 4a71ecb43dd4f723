import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { readFile } from 'node:fs/promises';
import { decodeJwt } from 'jose';
import { everyView } from '#engine/views';
import { freshDatabase, type FreshDatabase } from '../../support/database.js';
import { incident, runCovenant, SECRETS, table } from './command-line.js';

jest.setTimeout(60_000);

let database: FreshDatabase;
let folder: string;
let env: Record<string, string>;

beforeAll(async () => {
  database = await freshDatabase();
  folder = await mkdtemp(join(tmpdir(), 'covenant-commands-'));
  env = { DATABASE_URL: database.url, DATA_DIR: folder, ...SECRETS };
});
afterAll(async () => {
  await database.drop();
  await rm(folder, { recursive: true });
});

describe('The command line', () => {
  it('names its commands, says more about each, and its release', async () => {
    const help = await runCovenant(['help']);
    expect(help.code).toBe(0);
    for (const name of ['import', 'token', 'views', 'log', 'explain', 'calendar', 'vectors', 'bench']) {
      expect(help.out).toContain(`  ${name} `);
      expect((await runCovenant([name, '--help'])).out).toContain(`covenant ${name}`);
    }
    const { version } = JSON.parse(await readFile('package.json', 'utf8')) as { version: string };
    expect(await runCovenant(['--version'])).toEqual({ code: 0, out: `${version}\n`, err: '' });
  });

  it.each<[string, readonly string[], RegExp]>([
    ['no command', [], /covenant COMMAND/],
    ['an unknown command', ['destroy'], /there is no command "destroy"/],
    ['a name that every object has', ['constructor'], /there is no command "constructor"/],
    ['an unknown option', ['import', 'servicenow', '--fast', 'x.csv'], /'--fast'/],
    ['an import without a file', ['import', 'servicenow'], /name the files/],
    ['an import of an unknown kind', ['import', 'jira', 'x.csv'], /one of servicenow, log is needed/],
    ['an import without a mapping', ['import', 'log', 'x.csv'], /--map names the mapping/],
    ['standard input twice', ['import', 'servicenow', '-', '-'], /standard input is read once/],
    ['a token without a role', ['token', '--name', 'alice'], /--role and --name are needed/],
    ['a token for an unknown role', ['token', '--name', 'alice', '--role', 'system'], /--role is one of/],
    ['an unknown view', ['views', 'rebuild', 'nothing'], /there is no view nothing; there are tickets/],
    ['a position that is none', ['log', '--after', 'x'], /--after is a position/],
    ['vectors without a file', ['vectors'], /name the files/],
    ['a calendar without a file', ['calendar', 'import'], /name one file, or a country/],
    ['a calendar of both', ['calendar', 'import', 'x.ics', '--country', 'DE'], /name one file, or a country/],
    [
      'a region of no country',
      ['calendar', 'import', 'x.ics', '--region', 'BY'],
      /--region is one of a country/,
    ],
    ['a calendar that is not imported', ['calendar', 'x.ics'], /import is needed/],
    ['a calendar from no date', ['calendar', 'import', 'x.ics', '--from', '2026'], /--from is a date/],
    [
      'a calendar that ends before it begins',
      ['calendar', 'import', 'x.ics', '--from', '2027-01-01', '--to', '2026-01-01'],
      /--to is before --from/,
    ],
    ['an unknown bench', ['bench', 'nothing'], /name one bench/],
  ])('answers %s with the usage and 2', async (_, args, says) => {
    const { code, out, err } = await runCovenant(args, env);
    expect({ code, out }).toEqual({ code: 2, out: '' });
    expect(err).toMatch(says);
    expect(err).not.toContain('    at ');
  });

  it.each<[string, readonly string[], Record<string, string>, RegExp]>([
    ['a wrong setting', ['views', 'status'], { PORT: 'many' }, /^covenant views: PORT must be/],
    [
      'a missing secret',
      ['views', 'status'],
      { AUTH_SECRET: '' },
      /^covenant views: AUTH_SECRET must be given/,
    ],
    [
      'an unknown zone',
      ['import', 'servicenow', '--zone', 'Mars/Base', 'x.csv'],
      {},
      /no time zone "Mars\/Base"/,
    ],
    [
      'an absent file',
      ['import', 'servicenow', 'absent.csv'],
      {},
      /^covenant import: absent.csv: there is no such file/,
    ],
    [
      'an absent mapping',
      ['import', 'log', '--map', 'absent.json', 'x.csv'],
      {},
      /absent.json: there is no such file/,
    ],
    [
      'a database that nobody answers at',
      ['views', 'status'],
      { DATABASE_URL: 'postgres://nobody@127.0.0.1:1/none' },
      /^covenant views: /,
    ],
    [
      'a token where an issuer of its own is named',
      ['token', '--role', 'agent', '--name', 'alice'],
      { OIDC_ISSUER: 'https://issuer.example' },
      /OIDC_ISSUER/,
    ],
    [
      'a token of a vendor that names none',
      ['token', '--role', 'vendor', '--name', 'ann'],
      {},
      /the role vendor needs exactly one vendor/,
    ],
  ])('answers %s with one clear error and 1', async (_, args, settings, says) => {
    const { code, out, err } = await runCovenant(args, { ...env, ...settings });
    expect({ code, out }).toEqual({ code: 1, out: '' });
    expect(err).toMatch(says);
    expect(err).not.toContain('    at ');
  });

  it('prints a token that says who it is for, and needs no database for it', async () => {
    const { code, out } = await runCovenant(
      ['token', '--role', 'customer', '--name', 'Kim', '--customer', 'ACME', '--email', 'kim@acme.example'],
      { ...env, DATABASE_URL: 'postgres://nobody@127.0.0.1:1/none' },
    );
    expect(code).toBe(0);
    const claims = decodeJwt(out.trim());
    expect(claims).toMatchObject({
      iss: 'covenant',
      role: 'customer',
      customer: 'ACME',
      email: 'kim@acme.example',
    });
    expect(claims.exp! - claims.iat!).toBe(12 * 3600);
  });

  it('runs vectors, and fails where one does', async () => {
    const path = join(folder, 'vectors.json');
    await writeFile(
      path,
      JSON.stringify({ vectors: [{ id: 'X', kind: 'unheard-of', input: {}, expected: {} }] }),
    );
    const { code, out } = await runCovenant(['vectors', path]);
    expect(code).toBe(1);
    expect(out).toMatch(/0 passed, 1 failed\n$/);
  });
});

describe('An iCalendar file', () => {
  const lines = (...events: readonly string[]): string =>
    ['BEGIN:VCALENDAR', 'VERSION:2.0', 'PRODID:-//test//EN', ...events, 'END:VCALENDAR', ''].join('\r\n');
  const off = (date: string, more = 'TRANSP:TRANSPARENT'): string =>
    ['BEGIN:VEVENT', `UID:${date}`, 'SUMMARY:Day off', `DTSTART;VALUE=DATE:${date}`, more, 'END:VEVENT'].join(
      '\r\n',
    );
  const closed = async (text: string | Buffer): ReturnType<typeof runCovenant> => {
    const path = join(folder, 'days.ics');
    await writeFile(path, text);
    return runCovenant(['calendar', 'import', path, '--from', '2026-01-01', '--to', '2027-12-31'], {});
  };

  it('is printed as the closed days of a calendar, and what closes none is named', async () => {
    const meeting = [
      'BEGIN:VEVENT',
      'UID:m',
      'SUMMARY:Meeting',
      'DTSTART:20260105T090000Z',
      'END:VEVENT',
    ].join('\r\n');
    const { code, out, err } = await closed(lines(off('20261225', 'RRULE:FREQ=YEARLY'), meeting));
    expect(code).toBe(0);
    expect(JSON.parse(out)).toEqual({
      closed: ['2026-12-25', '2027-12-25'],
      called: { '2026-12-25': ['Day off'], '2027-12-25': ['Day off'] },
    });
    expect(err).toBe('left out, not-all-day: "Meeting"\n');
  });

  it.each<[string, string | Buffer, RegExp]>([
    ['that is none', '<html>404</html>', /this is no iCalendar file/],
    [
      'with a date that there is not',
      lines(off('20261225'), off('20260230')),
      /has no DTSTART that is a date/,
    ],
    ['that closes no day then', lines(off('20200101')), /no day from 2026-01-01 to 2027-12-31 is closed/],
    ['of other bytes', Buffer.from([0xff, 0xfe, 0x41]), /it is no UTF-8/],
  ])('%s is refused whole', async (_, text, says) => {
    const { code, out, err } = await closed(text);
    expect([code, out]).toEqual([1, '']);
    expect(err).toMatch(says);
    expect(err).not.toContain('    at ');
  });

  it('that is not there is refused', async () => {
    const said = await runCovenant(['calendar', 'import', join(folder, 'absent.ics')], {});
    expect(said).toMatchObject({ code: 1, out: '' });
    expect(said.err).toContain('absent.ics: there is no such file');
  });
});

describe('The holidays of a country', () => {
  const holidays = (...args: readonly string[]): ReturnType<typeof runCovenant> =>
    runCovenant(['calendar', 'import', ...args, '--from', '2026-12-24', '--to', '2027-01-06'], {});

  it('are printed as the closed days of a calendar', async () => {
    const { code, out } = await holidays('--country', 'DE', '--region', 'BY');
    expect(code).toBe(0);
    expect(JSON.parse(out).closed).toEqual(['2026-12-25', '2026-12-26', '2027-01-01', '2027-01-06']);
  });

  it('that nobody knows are refused', async () => {
    const { code, out, err } = await holidays('--country', 'Atlantis');
    expect([code, out]).toEqual([1, '']);
    expect(err).toMatch(/^covenant calendar: the holidays of "Atlantis" are not known/);
  });
});

describe('A log that was taken in', () => {
  beforeAll(async () => {
    const path = join(folder, 'incidents.csv');
    await writeFile(
      path,
      table(...incident('0000045', { at: '09:10' }, { at: '17:00', incident_state: 'Resolved' })),
    );
    expect(await runCovenant(['import', 'servicenow', path], env)).toMatchObject({ code: 0 });
  });

  interface Line {
    readonly type: string;
    readonly stream: string;
    readonly position: string;
    readonly texts?: Readonly<Record<string, Readonly<Record<string, string>>>>;
    readonly data: Readonly<Record<string, unknown>>;
  }
  const log = async (...args: readonly string[]): Promise<readonly Line[]> => {
    const { code, out } = await runCovenant(['log', ...args], env);
    expect(code).toBe(0);
    return out.split('\n').flatMap((line) => (line === '' ? [] : [JSON.parse(line) as Line]));
  };

  it('is printed in its order, a stream or a category of it, and what follows a position', async () => {
    const all = await log();
    expect(all.map(({ position }) => position)).toEqual([...all.map(({ position }) => position)].sort());
    const opened = all.find(({ type }) => type === 'desk.ticket-opened.v1')!;
    const stream = await log('--stream', opened.stream);
    expect(stream[0]).toEqual(opened);
    expect(await log('--category', 'ticket')).toEqual(stream);
    expect(await log('--stream', opened.stream, '--after', opened.position)).toEqual(stream.slice(1));
  });

  it('is printed with its texts only where they are asked for', async () => {
    const closed = (await runCovenant(['log'], env)).out;
    expect(closed).not.toContain('Incident 0000045');
    expect(closed).not.toContain('Caller 2403');
    const [opened] = await log('--category', 'ticket', '--open');
    expect(Object.values(opened!.texts!)).toContainEqual(
      expect.objectContaining({ subject: 'Incident 0000045' }),
    );
    const [common] = await log('--category', 'ticket', '--canonical');
    expect(common).not.toHaveProperty('position');
    expect(common).not.toHaveProperty('recordedAt');
    expect(common!.data).not.toHaveProperty('number');
  });

  it('has views that stand at its end, and are equal when they are rebuilt', async () => {
    const status = await runCovenant(['views', 'status', '--json'], env);
    const { position, views } = JSON.parse(status.out) as {
      position: string;
      views: Record<string, unknown>[];
    };
    expect(views).toHaveLength(everyView.length);
    for (const view of views) expect(view).toMatchObject({ position, behind: 0, parkedStreams: 0 });
    const rebuilt = await runCovenant(['views', 'rebuild'], env);
    expect(rebuilt).toMatchObject({ code: 0 });
    expect(rebuilt.out.match(/equal to the ones before/g)).toHaveLength(everyView.length);
    expect(await runCovenant(['views', 'retry'], env)).toMatchObject({ code: 0 });
  });
});
