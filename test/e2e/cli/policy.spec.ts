import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { after, LEAST, openCompany, type Company, type Desk } from '../api/desk.js';
import { runCovenant, type Said } from './command-line.js';

describe('covenant policy', () => {
  let company: Company;
  let desk: Desk;
  let folder: string;

  beforeAll(async () => {
    company = await openCompany();
    desk = await company.open();
    folder = await mkdtemp(join(tmpdir(), 'covenant-policy-'));
  });
  afterAll(async () => {
    await company.close();
    await rm(folder, { recursive: true, force: true });
  });

  const policy = (...args: readonly string[]): Promise<Said> => runCovenant(['policy', ...args], company.env);
  const tokenOf = async (role: string, name: string): Promise<string> =>
    (await runCovenant(['token', '--role', role, '--name', name], company.env)).out.trim();
  const written = async (name: string, content: string): Promise<string> => {
    const path = join(folder, name);
    await writeFile(path, content);
    return path;
  };

  it('shows what is in force, takes it back changed, previews it, and lets a second person activate it', async () => {
    const [sam, uma] = await Promise.all([tokenOf('supervisor', 'sam'), tokenOf('supervisor', 'uma')]);
    expect(await policy('list')).toMatchObject({
      code: 0,
      out: expect.stringMatching(
        /^default: default@1 is in force\n {2}default@1 .*built-in\nimport-default: none/,
      ),
    });
    const shown = await policy('show');
    const given = JSON.parse(shown.out);
    for (const row of given.targets) row.target *= 2;
    const file = await written('slower.json', JSON.stringify(given));

    const proposed = await policy('propose', file, '--comment', 'Half the staff is away.', '--token', sam);
    const proposal = /^(\S+) is proposed\n$/.exec(proposed.out)?.[1] ?? '';
    expect([proposed.code, proposed.err, proposal.length]).toEqual([0, '', 36]);

    const alice = await desk.as({ role: 'agent', name: 'alice' });
    const opened = await alice.post('/v1/tickets', { ...LEAST, priority: 4 });
    await alice.get(`/v1/tickets?${after(opened)}`);
    const previewed = await policy('preview', proposal);
    expect(previewed.code).toBe(0);
    expect(previewed.out).toContain('of 1 open tickets with 2 unbroken promises 1 tickets would move');
    expect(previewed.out).toContain('2 due instants, 0 earlier, 2 later');
    expect(previewed.out).toMatch(new RegExp(`${opened.body.number} +4 +resolution +\\S+ → \\S+ +\\+`));
    const json = JSON.parse((await policy('preview', proposal, '--json')).out);
    expect(json.summary).toMatchObject({ tickets: 1, movedDues: 2, later: 2 });

    const own = await policy('activate', proposal, '--open-tickets', 'keep', '--token', sam);
    expect([own.code, own.err]).toEqual([1, expect.stringContaining('a second person does')]);
    const done = await policy('activate', proposal, '--open-tickets', 'keep', '--token', uma);
    expect([done.code, done.out]).toEqual([
      0,
      expect.stringMatching(/^default@2 is in force from \S+, made by two; open tickets: keep\n$/),
    ]);
    expect(JSON.parse((await policy('show', 'default', '--version', '2')).out)).toEqual(given);
    expect((await desk.house.refreshPolicies()).version('default@2').targets[4].resolution).toBe(90 * 3600);
    const again = await policy('withdraw', proposal, '--token', sam);
    expect([again.code, again.err]).toEqual([1, expect.stringContaining('was activated as version 2')]);
  });

  it('proposes a policy with the public holidays of a country, or the closed days of a file', async () => {
    const sam = await tokenOf('supervisor', 'sam');
    const given = JSON.parse((await policy('show', 'default', '--version', '1')).out);
    const closed = ['2026-06-01', '2026-12-25'];
    const file = await written(
      'open.json',
      JSON.stringify({ ...given, calendar: { ...given.calendar, closed } }),
    );
    const ics = await written(
      'closed.ics',
      [
        'BEGIN:VCALENDAR',
        'VERSION:2.0',
        'PRODID:-//test//test//EN',
        'BEGIN:VEVENT',
        'UID:1',
        'DTSTAMP:20260101T000000Z',
        'DTSTART;VALUE=DATE:20260817',
        'SUMMARY:Outing',
        'END:VEVENT',
        'END:VCALENDAR',
        '',
      ].join('\r\n'),
    );
    const between = ['--from', '2026-01-01', '--to', '2026-12-31', '--token', sam];
    const bySupervisor = await desk.as({ role: 'supervisor', name: 'sam' });
    const proposedOf = async ({ out, err }: Said): Promise<string[]> => {
      expect(err).toBe('');
      const id = out.split(' ')[0];
      const { body } = await bySupervisor.get(`/v1/policies/default/proposals/${id}`);
      return body.definition.calendar.closed;
    };
    const byFile = await policy('propose', file, '--closed-by', ics, ...between);
    expect(await proposedOf(byFile)).toEqual(['2026-06-01', '2026-08-17', '2026-12-25']);
    const byCountry = await proposedOf(await policy('propose', file, '--country', 'DE', ...between));
    expect(byCountry).toEqual(
      expect.arrayContaining(['2026-01-01', '2026-06-01', '2026-10-03', '2026-12-25']),
    );
    expect(new Set(byCountry).size).toBe(byCountry.length);
    const both = await policy('propose', file, '--closed-by', ics, '--country', 'DE');
    expect([both.code, both.err]).toEqual([2, expect.stringContaining('one file, or a country')]);
    const noFile = await policy('propose', file, '--closed-by', file, ...between);
    expect(noFile.code).toBe(1);
  });

  it('refuses what may not be, all of it at once, and records nothing', async () => {
    const head = async () => (await desk.house.store.head()).position;
    const before = await head();
    const sam = await tokenOf('supervisor', 'sam');
    const agent = await tokenOf('agent', 'alice');
    const given = JSON.parse((await policy('show')).out);
    const bad = await written(
      'bad.json',
      JSON.stringify({ ...given, calendar: { zone: 'Mars/Base' }, reopenWithinDays: 0 }),
    );
    const wrong = await policy('propose', bad, '--token', sam);
    expect([wrong.code, wrong.err.trim().split('\n').length]).toEqual([1, 2]);
    expect(wrong.err).toContain('calendar.zone');
    expect(wrong.err).toContain('reopenWithinDays');
    const good = await written('good.json', JSON.stringify(given));
    const refusals: readonly (readonly [readonly string[], number, string])[] = [
      [['propose', good], 2, '--token'],
      [['propose', good, '--token', 'x.y.z'], 1, 'the token is not valid'],
      [['propose', good, '--token', agent], 1, 'the role agent has no part in this'],
      [['propose', await written('no.json', 'no'), '--token', sam], 1, 'it is no JSON'],
      [['propose', join(folder, 'none.json'), '--token', sam], 1, 'it cannot be read'],
      [['activate', 'x', '--open-tickets', 'keep'], 2, 'name a proposal'],
      [['activate', '01893f5a-0000-7000-8000-000000000000', '--token', sam], 2, '--open-tickets is one of'],
      [['preview', '01893f5a-0000-7000-8000-000000000000'], 1, 'there is no proposal'],
      [['show', 'gold'], 2, 'there is no policy gold'],
      [['mend'], 2, 'is needed'],
    ];
    for (const [args, code, text] of refusals) {
      const said = await policy(...args);
      expect([args, said.code, said.err]).toEqual([args, code, expect.stringContaining(text)]);
    }
    expect(await head()).toBe(before);
  });
});
