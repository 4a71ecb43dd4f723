import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { mintToken, type TokenClaims } from '#edge';
import { eventually } from '../../support/eventually.js';
import { DeskProcess, freshFolder } from '../edge/desk-process.js';
import { runCovenant, type Said } from './command-line.js';

const AUTH_SECRET = 'an auth secret for tests, and tests only';
const PATIENCE = { within: 30_000, every: 100 } as const;

describe('covenant explain beside a running desk', () => {
  let folder: Awaited<ReturnType<typeof freshFolder>>;
  let desk: DeskProcess;
  let address: string;
  let env: Record<string, string>;

  beforeAll(async () => {
    folder = await freshFolder();
    env = { DATA_DIR: folder.path, AUTH_SECRET };
    // Open 09:00 to 18:00 in Berlin.
    desk = DeskProcess.start({ env: { ...env, SEED: 'off', DESK_ZONE: 'Europe/Berlin' } });
    address = await desk.address();
  }, 120_000);
  afterAll(async () => {
    await desk.stop();
    await folder.remove();
  }, 60_000);

  const post = async (claims: TokenClaims, path: string, body: object): Promise<any> => {
    const token = await mintToken(Buffer.from(AUTH_SECRET), claims);
    const headers = { authorization: `Bearer ${token}`, 'content-type': 'application/json' };
    const answer = await fetch(new URL(path, address), {
      method: 'POST',
      headers,
      body: JSON.stringify(body),
    });
    expect(answer.status).toBeLessThan(300);
    return answer.json();
  };
  const gateway = { role: 'integration', name: 'gateway' } as const;
  const alice = { role: 'agent', name: 'alice' } as const;
  const explain = (...args: readonly string[]): Promise<Said> => runCovenant(['explain', ...args], env);
  const rowsOf = (out: string, clock: string): readonly string[] =>
    out
      .slice(out.indexOf(`${clock}, cycle`))
      .split('\n')
      .slice(4)
      .map((line) => line.trim().split(/ {2,}/).join(' | '));

  it('tells every stretch of time in the reader’s zone and in the calendar’s, by number and by id', async () => {
    const opened = await post(gateway, '/v1/tickets', {
      subject: 'Dark projector',
      text: 'Room 12.',
      channel: 'phone',
      priority: 2,
      occurredAt: '2026-03-27T15:00:00Z',
    });
    const { id, number } = opened;
    await post(gateway, `/v1/tickets/${id}/hold`, {
      reason: 'requester',
      occurredAt: '2026-03-27T16:00:00Z',
    });
    await post(gateway, `/v1/tickets/${id}/messages`, {
      kind: 'received',
      text: 'Here I am.',
      occurredAt: '2026-03-30T08:00:00Z',
    });
    await post(gateway, `/v1/tickets/${id}/resolve`, { occurredAt: '2026-03-30T09:00:00Z' });

    // Known by its number once the read models have passed its opening.
    const said = await eventually(async () => {
      const said = await explain(number, '--zone', 'Asia/Shanghai');
      return said.code === 0 && said;
    }, PATIENCE);
    expect(said.err).toBe('');
    expect(said.out).toContain(`${number} (${id}) at `);
    // Priority 2: 9 h. An hour on Friday; paused from 17:00 in Berlin to Monday 10:00, over the night in which
    // clocks go forward; an hour on Monday. Seven are left, up to that day's closing time.
    expect(rowsOf(said.out, 'resolution').slice(0, 9)).toEqual([
      'from (Asia/Shanghai) | to | from (Europe/Berlin) | to | what | counted | sum | event',
      '2026-03-27T23:00:00+08:00 | 2026-03-27T16:00:00+01:00 | started: 9:00:00 promised | 0:00:00 | #0 desk.ticket-opened.v1',
      '2026-03-27T23:00:00+08:00 | 2026-03-28T00:00:00+08:00 | 2026-03-27T16:00:00+01:00 | 2026-03-27T17:00:00+01:00 | open | 1:00:00 | 1:00:00 | #0 desk.ticket-opened.v1',
      expect.stringMatching(
        /^2026-03-28T00:00:00\+08:00 \| 2026-03-30T16:00:00\+08:00 \| 2026-03-27T17:00:00\+01:00 \| 2026-03-30T10:00:00\+02:00 \| paused for requester by .*\(integration\); 2:00:00 of it open \| 1:00:00 \| #\d+ desk\.ticket-held\.v1$/,
      ),
      expect.stringMatching(
        /^2026-03-30T16:00:00\+08:00 .* \| open \| 1:00:00 \| 2:00:00 \| #\d+ desk\.ticket-resumed\.v1$/,
      ),
      expect.stringMatching(/ \| ended: met \| 2:00:00 \| #\d+ desk\.ticket-resolved\.v1$/),
      expect.stringMatching(
        /^> \| 2026-03-30T17:00:00\+08:00 \| .* \| 2026-03-30T18:00:00\+02:00 \| open \| 7:00:00 \| 9:00:00 \| /,
      ),
      '> follows if nothing else happens',
      '',
    ]);
    expect(said.out).toContain('due 2026-03-31T00:00:00+08:00');
    expect(said.out).not.toContain('NOTE');
    const byId = await explain(id, '--zone', 'Asia/Shanghai');
    expect(byId.out.split('\n').slice(1)).toEqual(said.out.split('\n').slice(1));
    const once = await explain(id, '--zone', 'Europe/Berlin');
    expect(rowsOf(once.out, 'resolution')[0]).toBe(
      'from (Europe/Berlin) | to | what | counted | sum | event',
    );
  }, 60_000);

  it('names who paused a clock, and gives all of it to machines as JSON', async () => {
    const { id } = await post(alice, '/v1/tickets', { subject: 'x', text: 'y', channel: 'phone' });
    await post(alice, `/v1/tickets/${id}/hold`, { reason: 'requester' });
    await eventually(
      async () => /paused for requester by alice \(agent\)/.test((await explain(id)).out),
      PATIENCE,
    );
    const { code, out } = await explain(id, '--json');
    expect(code).toBe(0);
    const { clocks } = JSON.parse(out);
    expect(clocks.map(({ standing, agrees }: any) => [standing.clock, standing.state, agrees])).toEqual([
      ['first-response', 'running', true],
      ['resolution', 'paused', true],
    ]);
    for (const { standing, lines } of clocks) {
      const counted = lines.filter(({ ahead }: any) => !ahead).map((line: any) => line.counted);
      expect(counted.reduce((a: number, b: number) => a + b, 0)).toBe(standing.consumed);
    }
  }, 60_000);

  it.each<[string, readonly string[], number, RegExp]>([
    ['no ticket', [], 2, /name one ticket/],
    ['two tickets', ['T-1', 'T-2'], 2, /name one ticket/],
    ['an unknown number', ['T-1'], 1, /there is no ticket T-1/],
    ['an unknown id', ['01893f5a-0000-7000-8000-000000000000'], 1, /there is no ticket 01893f5a/],
    ['an unknown zone', ['T-1', '--zone', 'Mars/Base'], 1, /no time zone "Mars\/Base"/],
  ])('refuses %s in one line', async (_, args, code, says) => {
    const said = await explain(...args);
    expect([said.code, said.out]).toEqual([code, '']);
    expect(said.err).toMatch(says);
    expect(said.err).not.toContain('    at ');
  });
});
