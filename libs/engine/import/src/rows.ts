import type { Channel, Resolution, StatedTime } from '#domain/desk';
import type { Priority, Zone } from '#domain/sla';
import type { Identities, TermKind } from '#engine/identity';
import type { Instant, PersonId, Term, Uuid } from '#kernel';
import { mappedColumns, type ImportMapping, type NamedColumn, type StateMeaning } from './mapping.js';
import { placed, timeFormat } from './times.js';

/** A row as it lay in a source. */
export interface RawRow {
  /** Which of the sources, and the physical line in it. */
  readonly source: number;
  readonly line: number;
  readonly cells: readonly string[];
}

export interface PersonOf {
  readonly id: PersonId;
  readonly name: string;
}

/**
 * What a row says of its case. Undefined: it says nothing, so it is as before; null: it says that there is
 * none.
 */
export interface Snapshot {
  readonly state?: StateMeaning;
  readonly priority?: Priority;
  readonly channel?: Channel;
  readonly resolution?: Resolution;
  readonly requester?: PersonOf;
  readonly agent?: PersonOf | null;
  readonly group?: Term | null;
  readonly vendor?: Term | null;
  readonly category?: Term | null;
  readonly subcategory?: Term | null;
  readonly service?: Term | null;
}

export interface CaseRow {
  /** Keyed identity: of the source's own update identity, else of its cells and their occurrence (ruling 17). */
  readonly id: Uuid;
  readonly raw: RawRow;
  readonly at: Instant;
  readonly by?: PersonOf;
  readonly says: Snapshot;
}

export interface Rejected {
  readonly source: number;
  readonly line: number;
  readonly reason: string;
}

/** The rows of one case, in the order of their updates. */
export interface CaseRows {
  readonly key: string;
  readonly rows: readonly CaseRow[];
  readonly rejected: readonly Rejected[];
  /** The same row again. */
  readonly duplicates: number;
  /** Rows whose update time and order columns disagree; the update time decided. */
  readonly outOfOrder: number;
  readonly stated: readonly { readonly what: StatedTime; readonly at: Instant }[];
}

/** What was met while reading, told to whoever counts. */
export interface Noticed {
  unmapped(column: string, value: string): void;
  doubtful(column: string, doubt: 'skipped' | 'repeated' | 'not-a-time'): void;
}

export interface CaseReader {
  readonly mapping: ImportMapping;
  /** Null where the row names no case. */
  caseOf(cells: readonly string[]): string | null;
  /** Null where the row says none that can be read. */
  updatedAt(cells: readonly string[]): Instant | null;
  /** Everybody whom the row names. */
  persons(cells: readonly string[]): readonly PersonOf[];
  read(key: string, raw: readonly RawRow[]): CaseRows;
  /** What the row that opens a case says of it. */
  opening(key: string, row: CaseRow): CaseOpening;
  /** Columns that changed between two rows and that no event tells of. */
  untold(before: CaseRow, after: CaseRow): readonly string[];
}

export interface CaseOpening {
  /** Where the source does not say who asked: a person of this case alone. */
  readonly requester: PersonOf;
  /** The source's own number (ruling 15). */
  readonly externalReference: Term;
  readonly subject: string;
  readonly text: string;
}

export class MappingMismatch extends Error {
  override readonly name = 'MappingMismatch';
}

/**
 * Reads rows by a mapping. `columns` names the cells of every raw row.
 *
 * @throws MappingMismatch where the mapping names columns that there are not.
 */
export function caseReader(
  mapping: ImportMapping,
  columns: readonly string[],
  world: {
    readonly identities: Identities;
    readonly zone: Zone;
    readonly now: Instant;
    readonly noticed: Noticed;
  },
): CaseReader {
  const absent = mappedColumns(mapping).filter((column) => !columns.includes(column));
  if (absent.length > 0)
    throw new MappingMismatch(
      `the mapping ${mapping.name}@${mapping.version} reads columns that are not there: ${absent.join(', ')}`,
    );

  const { identities, zone, now, noticed } = world;
  const { source, values, otherwise = {} } = mapping;
  const format = timeFormat(mapping.time.format);
  const missing = new Set(mapping.missing);
  const indexOf = (column: string): number => columns.indexOf(column);
  const given = (cells: readonly string[], index: number): string | undefined => {
    const cell = cells[index]!.trim();
    return missing.has(cell) ? undefined : cell;
  };

  const at = {
    case: indexOf(mapping.columns.case),
    updatedAt: indexOf(mapping.columns.updatedAt),
    state: indexOf(mapping.columns.state),
  };
  const identity = mapping.identity?.map(indexOf);
  const order = (mapping.order ?? []).map(indexOf);
  const stated = Object.entries(mapping.stated ?? {}).map(
    ([what, column]) => [what as StatedTime, column, indexOf(column)] as const,
  );

  const labelled = (column: NamedColumn, cell: string): string =>
    (column.label ?? '{}').replaceAll('{}', cell);
  const terms = remembering<Term>();
  const term =
    (kind: TermKind, column: NamedColumn | undefined) =>
    (cells: readonly string[]): Term | null | undefined => {
      if (!column) return undefined;
      const cell = given(cells, indexOf(column.column));
      if (cell === undefined) return column.missing === 'none' ? null : undefined;
      return terms(`${kind} ${cell}`, () => identities.term(kind, labelled(column, cell)));
    };
  const persons = remembering<PersonOf>();
  const person =
    (column: NamedColumn | undefined) =>
    (cells: readonly string[]): PersonOf | null | undefined => {
      if (!column) return undefined;
      const cell = given(cells, indexOf(column.column));
      if (cell === undefined) return column.missing === 'none' ? null : undefined;
      const subject = `${column.space ?? column.column}:${cell}`;
      return persons(subject, () => ({
        id: identities.person(`import:${source}`, subject),
        name: labelled(column, cell),
      }));
    };
  const translated = <V>(column: string | undefined, map: Readonly<Record<string, V>> = {}, rest?: V) => {
    const index = column === undefined ? -1 : indexOf(column);
    return (cells: readonly string[]): V | undefined => {
      if (column === undefined) return rest;
      const cell = given(cells, index);
      if (cell === undefined) return undefined;
      if (Object.hasOwn(map, cell)) return map[cell];
      noticed.unmapped(column, cell);
      return rest;
    };
  };

  const { columns: mapped } = mapping;
  const read = {
    state: translated(mapped.state, values.state),
    priority: translated(mapped.priority, values.priority),
    channel: translated(mapped.channel, values.channel, otherwise.channel),
    resolution: translated(mapped.resolution, values.resolution, otherwise.resolution),
    requester: person(mapped.requester),
    agent: person(mapped.agent),
    updatedBy: person(mapped.updatedBy),
    group: term('group', mapped.group),
    vendor: term('vendor', mapped.vendor),
    category: term('category', mapped.category),
    subcategory: term('subcategory', mapped.subcategory),
    service: term('service', mapped.service),
  };

  function says(cells: readonly string[]): Snapshot {
    const snapshot: Record<string, unknown> = {
      state: read.state(cells),
      priority: read.priority(cells),
      channel: read.channel(cells),
      resolution: read.resolution(cells),
      requester: read.requester(cells) ?? undefined,
      agent: read.agent(cells),
      group: read.group(cells),
      vendor: read.vendor(cells),
      category: read.category(cells),
      subcategory: read.subcategory(cells),
      service: read.service(cells),
    };
    return snapshot;
  }

  function time(column: string, cell: string): Instant | null {
    const read = format(cell);
    if (!read) return null;
    const { at, doubt } = placed(read, zone);
    if (doubt) noticed.doubtful(column, doubt);
    return at;
  }

  function caseRows(key: string, raw: readonly RawRow[]): CaseRows {
    const rejected: Rejected[] = [];
    const reject = ({ source, line }: RawRow, reason: string): void => {
      rejected.push({ source, line, reason });
    };
    const rows: CaseRow[] = [];
    const byIdentity = new Map<string, RawRow>();
    const occurrences = new Map<string, number>();
    let duplicates = 0;
    for (const row of raw) {
      const { cells } = row;
      const cell = given(cells, at.updatedAt);
      const updatedAt = cell === undefined ? null : time(mapped.updatedAt, cell);
      if (updatedAt === null) {
        reject(
          row,
          `${mapped.updatedAt} is no time of the form ${mapping.time.format}: ${quoted(cells[at.updatedAt]!)}`,
        );
        continue;
      }
      if (updatedAt > now) {
        reject(row, `${mapped.updatedAt} lies in the future: ${quoted(cells[at.updatedAt]!)}`);
        continue;
      }
      const named = identity?.map((index) => given(cells, index));
      let id: Uuid;
      if (named && named.every((part) => part !== undefined)) {
        const text = JSON.stringify(named);
        const same = byIdentity.get(text);
        if (same) {
          if (same.cells.every((other, i) => other === cells[i])) duplicates += 1;
          else
            reject(row, `differs from line ${same.line}, which names the same update (${named.join(', ')})`);
          continue;
        }
        byIdentity.set(text, row);
        id = identities.derived('row', source, key, ...named);
      } else {
        const text = JSON.stringify(cells);
        const occurrence = (occurrences.get(text) ?? 0) + 1;
        occurrences.set(text, occurrence);
        id = identities.derived('row', source, key, 'cells', ...cells, String(occurrence));
      }
      const by = read.updatedBy(cells);
      rows.push({ id, raw: row, at: updatedAt, ...(by && { by }), says: says(cells) });
    }
    rows.sort((a, b) => (a.at !== b.at ? (a.at < b.at ? -1 : 1) : byColumns(a.raw.cells, b.raw.cells)));
    let outOfOrder = 0;
    for (let i = 1; i < rows.length; i++)
      if (byColumns(rows[i - 1]!.raw.cells, rows[i]!.raw.cells) > 0) outOfOrder += 1;
    const last = rows.at(-1);
    return {
      key,
      rows,
      rejected,
      duplicates,
      outOfOrder,
      stated: last ? statedBy(last.raw.cells) : [],
    };
  }

  function byColumns(a: readonly string[], b: readonly string[]): number {
    for (const index of order) {
      const [left, right] = [a[index]!, b[index]!];
      if (left === right) continue;
      const difference = Number(left) - Number(right);
      return Number.isNaN(difference) ? (left < right ? -1 : 1) : difference;
    }
    return 0;
  }

  function statedBy(cells: readonly string[]): CaseRows['stated'] {
    return stated.flatMap(([what, column, index]) => {
      const cell = given(cells, index);
      if (cell === undefined) return [];
      const read = format(cell);
      if (!read) {
        noticed.doubtful(column, 'not-a-time');
        return [];
      }
      return [{ what, at: placed(read, zone).at }];
    });
  }

  const filled = (template: string, cells: readonly string[]): string =>
    template.replace(/\{([^{}]+)\}/g, (_, column: string) => cells[indexOf(column)]!);

  // What a row says of itself, of its update, and of what became of it in events.
  const told = new Set(
    [
      ...(mapping.identity ?? []),
      ...(mapping.order ?? []),
      mapped.updatedAt,
      ...Object.entries(mapped)
        .filter(([field]) => field !== 'requester' && field !== 'channel')
        .map(([, column]: [string, string | NamedColumn]) =>
          typeof column === 'string' ? column : column.column,
        ),
    ].map(indexOf),
  );

  return {
    mapping,
    caseOf: (cells) => given(cells, at.case) ?? null,
    updatedAt: (cells) => {
      const cell = given(cells, at.updatedAt);
      const read = cell === undefined ? null : format(cell);
      return read && placed(read, zone).at;
    },
    persons: (cells) =>
      [read.requester(cells), read.agent(cells), read.updatedBy(cells)].filter((person) => person != null),
    read: caseRows,
    opening: (key, { raw: { cells }, says: { requester } }) => ({
      requester: requester ?? {
        id: identities.person(`import:${source}`, `requester of:${key}`),
        name: `Requester of ${key}`,
      },
      externalReference: identities.term('external-reference', key),
      subject: filled(mapping.texts.subject, cells),
      text: filled(mapping.texts.text, cells),
    }),
    untold: (before, after) =>
      columns.filter((_, i) => !told.has(i) && before.raw.cells[i] !== after.raw.cells[i]),
  };
}

/** A cell in an error message: enough to find it by, and no more. */
const quoted = (cell: string): string => JSON.stringify(cell.length > 40 ? `${cell.slice(0, 40)}…` : cell);

/** Keyed ids cost microseconds each and come again and again; forgotten when there are too many. */
function remembering<V>(limit = 50_000): (key: string, make: () => V) => V {
  const known = new Map<string, V>();
  return (key, make) => {
    let value = known.get(key);
    if (value === undefined) {
      value = make();
      if (known.size >= limit) known.clear();
      known.set(key, value);
    }
    return value;
  };
}
