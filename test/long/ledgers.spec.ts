import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { existsSync } from 'node:fs';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { explainPromises, type TicketEvent } from '#domain/desk';
import { openHouse, openLog, readSettings } from '#edge';
import { categoryOf } from '#engine/catalogue';
import { START, toInstant, type Instant, type Recorded } from '#kernel';
import { incident, runCovenant, SECRETS, table } from '../e2e/cli/command-line.js';
import { freshDatabase, type FreshDatabase } from '../support/database.js';

jest.setTimeout(20 * 60_000);

/** A company's log lies beside the clone, and is not part of it. */
const REAL = fileURLToPath(new URL('../../../shared/data/servicenow-incidents.csv.xz', import.meta.url));
const isThere = existsSync(REAL);
if (!isThere)
  process.stderr.write(`\n*** ${REAL} IS NOT THERE: ledgers of an invented log only are looked at ***\n\n`);

/** Waits, a change of priority, a resolve and a reopen, all on 29 February 2016, a Monday. */
const INVENTED = table(
  ...incident('0000001', { at: '09:10' }, { at: '17:00', incident_state: 'Resolved' }),
  ...incident(
    '0000002',
    { at: '09:10', priority: '4' },
    { at: '10:00', incident_state: 'Awaiting User Info' },
    { at: '12:30', incident_state: 'Active' },
    { at: '13:00', priority: '1' },
    { at: '14:00', incident_state: 'Resolved' },
    { at: '15:00', incident_state: 'Active', reopen_count: '1' },
    { at: '22:00', incident_state: 'Resolved' },
    { at: '23:00', incident_state: 'Closed' },
  ),
  ...incident('0000003', { at: '20:00', priority: '2' }),
);

const BATCH = 5_000;

describe('The ledgers of a company’s log', () => {
  let database: FreshDatabase;
  let folder: string;
  let env: Record<string, string>;

  beforeAll(async () => {
    database = await freshDatabase();
    folder = await mkdtemp(join(tmpdir(), 'covenant-ledgers-'));
    env = { DATABASE_URL: database.url, DATA_DIR: folder, LOG_LEVEL: 'silent', ...SECRETS };
  });
  afterAll(async () => {
    await database.drop();
    await rm(folder, { recursive: true });
  });

  async function streams(): Promise<ReadonlyMap<string, readonly Recorded<TicketEvent>[]>> {
    const house = await openHouse(readSettings(env), { as: 'command', logger: openLog('silent', 'test') });
    const found = new Map<string, Recorded<TicketEvent>[]>();
    try {
      for (let from = START; ;) {
        const events = await house.store.readAll(from, BATCH);
        const last = events.at(-1);
        if (!last) return found;
        for (const event of events) {
          if (categoryOf(event.stream) !== 'ticket') continue;
          const known = found.get(event.stream) ?? [];
          known.push(house.codec.decode(event) as Recorded<TicketEvent>);
          found.set(event.stream, known);
        }
        from = last.position;
      }
    } finally {
      await house.close();
    }
  }

  async function everyLedgerAddsUp(): Promise<{
    readonly clocks: number;
    readonly cycles: number;
    readonly breached: number;
  }> {
    const house = await openHouse(readSettings(env), { as: 'command', logger: openLog('silent', 'test') });
    const policies = await house.refreshPolicies();
    await house.close();
    const now = toInstant(Date.now() / 1000);
    let clocks = 0;
    let cycles = 0;
    let breached = 0;
    for (const [stream, events] of await streams())
      for (const { standing, lines, agrees } of explainPromises(events, policies, now)) {
        clocks++;
        cycles += standing.cycle;
        let at: Instant = lines[0]!.from;
        let sum = 0;
        for (const line of lines) {
          if (line.kind === 'restarted') sum = 0;
          sum += line.counted;
          if (line.sum !== sum || line.from !== at) throw new Error(`${stream}: ${JSON.stringify(line)}`);
          at = line.to;
        }
        const counted = lines
          .filter(({ cycle, ahead }) => cycle === standing.cycle && !ahead)
          .reduce((total, line) => total + line.counted, 0);
        if (!agrees || counted !== standing.consumed)
          throw new Error(
            `${stream}: the ledger of ${standing.clock} comes to ${counted}: ${JSON.stringify(standing)}`,
          );
        const last = lines.at(-1)!;
        if (last.ahead) expect([stream, last.to, last.sum]).toEqual([stream, standing.due, standing.target]);
        if (standing.breached) {
          breached++;
          const breach = lines.find(({ kind, from }) => kind === 'breached' && from === standing.due);
          // What is still open breached after its last row; no timekeeper has recorded it here.
          const recorded = breach?.source?.type === 'sla.clock-breached.v1';
          if (!breach || recorded !== (standing.breachedAt !== null))
            throw new Error(`${stream}: no breach as it was recorded at ${standing.due}`);
        }
      }
    return { clocks, cycles, breached };
  }

  /** What `covenant attainment` counts; each of its lines adds up. */
  async function attained(): Promise<{ readonly cycles: number; readonly breached: number }> {
    const { items } = JSON.parse((await runCovenant(['attainment', '--json'], env)).out);
    let cycles = 0;
    let breached = 0;
    for (const { met, missed, open, openBreached, notApplicable, notEvidenced, merged, ...line } of items) {
      const sum = met + missed + open + openBreached + notApplicable + notEvidenced + merged;
      if (sum !== line.cycles) throw new Error(`it does not add up: ${JSON.stringify(line)}`);
      cycles += sum;
      breached += missed + openBreached;
    }
    return { cycles, breached };
  }

  it('add up to what was recorded', async () => {
    const path = join(folder, 'invented.csv');
    await writeFile(path, INVENTED);
    expect(await runCovenant(['import', 'servicenow', path], env)).toMatchObject({ code: 0 });
    const { clocks, cycles } = await everyLedgerAddsUp();
    expect([clocks, cycles]).toEqual([6, 6]);
    expect((await attained()).cycles).toBe(6);
  });

  if (isThere)
    it('add up to what was recorded, every one of a real one', async () => {
      const said = await runCovenant(['import', 'servicenow', REAL, '--zone', 'Europe/Rome'], env);
      expect(said).toMatchObject({ code: 0 });
      const { clocks, cycles, breached } = await everyLedgerAddsUp();
      expect(clocks).toBeGreaterThan(49_000);
      expect(breached).toBeGreaterThan(1_000);
      const kept = await attained();
      expect(kept.cycles).toBe(cycles);
      // Ledgers stand for the present cycle of each clock alone.
      expect(kept.breached).toBeGreaterThanOrEqual(breached);
    });

  if (isThere)
    it('say which resolutions were kept, beside what the log itself says, as the page has it', async () => {
      const { code, out } = await runCovenant(['attainment', '--beside', REAL], env);
      expect(code).toBe(0);
      const page = await readFile(new URL('../../docs/attainment.md', import.meta.url), 'utf8');
      expect(page).toContain(`<!-- beside made_sla -->\n\n${out}\n<!-- end of beside made_sla -->`);
      const all = out.trimEnd().split('\n').at(-1)!.slice(2, -2).split(' | ');
      expect(all.slice(0, 3)).toEqual(['all', '24918', '15803']);
    });
});
