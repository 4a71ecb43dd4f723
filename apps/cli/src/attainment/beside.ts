import { openRows, SourceRefused } from '#adapters/files';
import { PRIORITIES, type Priority } from '#domain/sla';
import type { House } from '#edge';
import { caseIds, type ImportMapping } from '#engine/import';
import { attainment, type AttainmentRow } from '#engine/views';
import { Refused } from '../program.js';
import { percent } from './table.js';

/** What a log's last row of an incident says. */
interface Stated {
  readonly priority: Priority;
  readonly made: boolean;
}

/** Incidents of one priority: by what the log says and what the desk's own clocks say of the resolution. */
export interface Beside {
  incidents: number;
  readonly log: { made: number };
  readonly desk: { met: number; missed: number; open: number };
  /** Of those the desk has decided. */
  readonly alike: { made: number; missed: number };
  readonly only: { log: number; desk: number };
}

const COLUMNS = ['number', 'sys_mod_count', 'priority', 'made_sla'] as const;
const LOADED = 2_000;

/**
 * Sets what a ServiceNow log says in its own column made_sla beside what became of each imported incident's
 * resolution here, by the priority of its last row. Incidents that are not among the desk's tickets are refused.
 *
 * @throws SourceRefused; Refused
 */
export async function besideLog(
  house: House,
  mapping: ImportMapping,
  file: string,
): Promise<ReadonlyMap<Priority, Beside>> {
  const stated = await statedIn(file, mapping);
  const ids = caseIds(house.identities, mapping.source);
  const found = new Map<Priority, Beside>(PRIORITIES.map((priority) => [priority, nothing()]));
  const incidents = [...stated];
  for (let i = 0; i < incidents.length; i += LOADED) {
    const some = incidents.slice(i, i + LOADED).map(([number, said]) => ({ id: ids.ticket(number), said }));
    const rows = await house.views.store.load(
      attainment,
      some.map(({ id }) => id),
    );
    for (const { id, said } of some) {
      const row = rows.get(id) as AttainmentRow | undefined;
      if (!row) throw new Refused(`${file} is not imported here, or not all of it: import it first`);
      add(found.get(said.priority)!, said, row);
    }
  }
  return found;
}

const nothing = (): Beside => ({
  incidents: 0,
  log: { made: 0 },
  desk: { met: 0, missed: 0, open: 0 },
  alike: { made: 0, missed: 0 },
  only: { log: 0, desk: 0 },
});

function add(of: Beside, { made }: Stated, { cycles }: AttainmentRow): void {
  const outcomes = cycles.filter(({ clock }) => clock === 'resolution').map(({ outcome }) => outcome);
  const missed = outcomes.some((outcome) => outcome === 'missed' || outcome === 'open-breached');
  of.incidents++;
  if (made) of.log.made++;
  if (missed) {
    of.desk.missed++;
    if (made) of.only.log++;
    else of.alike.missed++;
  } else if (outcomes.every((outcome) => outcome === 'met')) {
    of.desk.met++;
    if (made) of.alike.made++;
    else of.only.desk++;
  } else of.desk.open++;
}

/** The last row of each incident, by its count of updates. */
async function statedIn(file: string, mapping: ImportMapping): Promise<ReadonlyMap<string, Stated>> {
  const rows = await openRows(file, {
    ...(mapping.delimiter !== undefined && { delimiter: mapping.delimiter }),
  });
  const [number, updates, priority, made] = COLUMNS.map((column) => {
    const place = rows.columns.indexOf(column);
    if (place < 0) throw new SourceRefused(file, `has no column ${column}`);
    return place;
  }) as [number, number, number, number];
  const last = new Map<string, Stated & { readonly updates: number }>();
  for await (const batch of rows.batches)
    for (const { cells, line } of batch.rows) {
      const key = cells[number]!.trim();
      const count = Number(cells[updates]);
      if (count < (last.get(key)?.updates ?? -1)) continue;
      const said = MADE[cells[made]!.trim()];
      const level = PRIORITIES.find((each) => String(each) === cells[priority]!.trim()[0]);
      if (said === undefined || level === undefined)
        throw new SourceRefused(file, `line ${line} states no priority or no made_sla`);
      last.set(key, { updates: count, priority: level, made: said });
    }
  return last;
}

const MADE: Readonly<Record<string, boolean>> = { true: true, false: false };

/** As a Markdown table, with the sum of all priorities last. */
export function* besideAsMarkdown(found: ReadonlyMap<Priority, Beside>): Generator<string> {
  yield '| priority | incidents | log: made | log: share | desk: met | desk: missed | desk: open | desk: share | both met | both missed | only the log | only the desk |';
  yield '| --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: |';
  const all = nothing();
  for (const [priority, one] of found) {
    yield row(String(priority), one);
    all.incidents += one.incidents;
    all.log.made += one.log.made;
    for (const key of ['met', 'missed', 'open'] as const) all.desk[key] += one.desk[key];
    for (const key of ['made', 'missed'] as const) all.alike[key] += one.alike[key];
    for (const key of ['log', 'desk'] as const) all.only[key] += one.only[key];
  }
  yield row('all', all);
}

function row(title: string, { incidents, log, desk, alike, only }: Beside): string {
  const decided = desk.met + desk.missed;
  const cells = [
    title,
    incidents,
    log.made,
    percent(incidents === 0 ? null : log.made / incidents),
    desk.met,
    desk.missed,
    desk.open,
    percent(decided === 0 ? null : desk.met / decided),
    alike.made,
    alike.missed,
    only.log,
    only.desk,
  ];
  return `| ${cells.join(' | ')} |`;
}
