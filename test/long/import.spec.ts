import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { existsSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { gzipSync } from 'node:zlib';
import { incident, table, type IncidentCells } from '../e2e/cli/command-line.js';
import { seeded, type Seeded } from './support/chance.js';
import { ImportStore } from './support/import-run.js';

jest.setTimeout(20 * 60_000);

/** A company's log lies beside the clone, and is not part of it. */
const REAL = fileURLToPath(new URL('../../../shared/data/servicenow-incidents.csv.xz', import.meta.url));
const isThere = existsSync(REAL);
if (!isThere)
  process.stderr.write(
    `\n*** ${REAL} IS NOT THERE: the import is tried on an invented log only, not on the real one ***\n\n`,
  );

const appendedBy = (out: string): number => Number(/^appended (\d+) events$/m.exec(out)![1]);

/** Incidents that wander through groups, waits, vendors, resolutions and reopenings. */
function invented(chance: Seeded, cases: number): string {
  const lines: string[] = [];
  for (let i = 0; i < cases; i++) {
    let minute = 9 * 60;
    const updates: (IncidentCells & { at: string })[] = [];
    const add = (cells: IncidentCells): void => {
      minute += chance.int(40);
      const two = (n: number): string => String(n).padStart(2, '0');
      updates.push({ ...cells, at: `${two(Math.floor(minute / 60))}:${two(minute % 60)}` });
    };
    add({ caller_id: String(chance.int(300)), priority: String(1 + chance.int(4)), assignment_group: '1' });
    for (let n = chance.int(9); n > 0; n--)
      add(
        chance.pick<IncidentCells>([
          { incident_state: 'Active' },
          { incident_state: 'Awaiting User Info' },
          { incident_state: 'Awaiting Vendor', vendor: chance.pick(['8s', 'Vendor 1']) },
          { assignment_group: String(chance.int(5)), assigned_to: '?' },
          { assigned_to: String(chance.int(40)) },
          { priority: String(1 + chance.int(4)) },
          { category: String(chance.int(9)) },
          { vendor: '?' },
          { incident_state: 'Resolved' },
          { knowledge: 'true' },
        ]),
      );
    if (chance.int(5) > 0) add({ incident_state: 'Resolved' });
    if (chance.int(5) > 0) add({ incident_state: 'Closed' });
    lines.push(...incident(String(i).padStart(7, '0'), ...updates));
  }
  return table(...lines);
}

const stores: ImportStore[] = [];
let folder: string;
async function store(): Promise<ImportStore> {
  const one = await ImportStore.prepare();
  stores.push(one);
  return one;
}
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'covenant-invented-'));
});
afterAll(async () => {
  for (const one of stores) await one.remove();
  await rm(folder, { recursive: true });
});

/** Undisturbed in one store; killed and run again in the other; then both are compared. */
async function killedLike(log: string, chance: Seeded, kills: number): Promise<string> {
  const [undisturbed, killed] = [await store(), await store()];
  const out = await undisturbed.covenant('import', 'servicenow', log);
  const total = appendedBy(out);

  // Each kill comes later in the log than the one before, never after its end.
  const marks = Array.from({ length: kills }, () => 1 + chance.int(Math.floor(total * 0.9))).sort(
    (a, b) => a - b,
  );
  let held = 0;
  for (const mark of marks) held = Math.max(held, await killed.killedAt(Math.max(mark, held), log));
  expect(held).toBeLessThan(total);
  const rest = appendedBy(await killed.covenant('import', 'servicenow', log));
  expect(rest).toBeGreaterThan(0);

  expect(await killed.events()).toEqual(await undisturbed.events());
  const [rows, expected] = [await killed.rows(), await undisturbed.rows()];
  for (const view of Object.keys(expected)) expect([view, rows[view]]).toEqual([view, expected[view]]);
  expect(appendedBy(await killed.covenant('import', 'servicenow', log))).toBe(0);
  return out;
}

describe('An import that is killed and run again', () => {
  it('ends as one that was left alone, wherever it was killed', async () => {
    const chance = seeded();
    const path = join(folder, 'invented.csv.gz');
    await writeFile(path, gzipSync(invented(chance, 1_500)));
    await killedLike(path, chance, 6);
  });

  if (isThere)
    it('does so with the log of a real company: 24,918 tickets', async () => {
      const out = await killedLike(REAL, seeded(), 1);
      expect(out).toContain('141,712 rows, 24,918 cases, 24,918 tickets opened');
      expect(out).toContain('rejected rows: 0');
    });
});
