import type { Readable } from 'node:stream';
import { openRows, openSpool, type Rows, type Spool } from '#adapters/files';
import { MappingMismatch, type CaseReader, type PersonOf, type RawRow, type Rejected } from '#engine/import';
import type { Instant } from '#kernel';
import { Refused } from '../program.js';

/** All rows of all sources, by case, outside of memory. */
export interface Gathered {
  readonly reader: CaseReader;
  readonly rows: number;
  /** Cases in the order in which they first appear. */
  readonly cases: readonly string[];
  /** Characters that became U+FFFD. */
  readonly replaced: number;
  /** Everybody named, and the first update that names them. */
  readonly persons: ReadonlyMap<string, { readonly person: PersonOf; readonly since: Instant }>;
  rowsOf(key: string): Promise<readonly RawRow[]>;
  close(): Promise<void>;
}

export interface GatheringWatch {
  /** Bytes of the sources read so far; null where their size is not known. */
  readonly read: (progress: {
    readonly rows: number;
    readonly bytes: number;
    readonly size: number | null;
  }) => void;
  readonly rejected: (row: Rejected) => Promise<void>;
}

/**
 * Reads all sources to their end before anything is taken in: rows of one case need not stand together, nor
 * in one file, and of a source that is cut off nothing is taken. Only where each case's rows lie stays in
 * memory (some 100 bytes a run of rows, 24,918 cases: 3 MB); the rows themselves go into a spool.
 *
 * @param reading makes the reader once the columns of the first source are known
 * @throws SourceRefused, MappingMismatch
 */
export async function gather(
  files: readonly string[],
  options: {
    readonly delimiter?: string;
    readonly folder: string;
    readonly stdin: () => Readable;
    readonly reading: (columns: readonly string[]) => CaseReader;
    readonly signal: AbortSignal;
  },
  watch: GatheringWatch,
): Promise<Gathered> {
  const spool = await openSpool(options.folder);
  try {
    return await gatherInto(spool, files, options, watch);
  } catch (error) {
    await spool.close();
    throw error;
  }
}

async function gatherInto(
  spool: Spool,
  files: readonly string[],
  options: Parameters<typeof gather>[1],
  watch: GatheringWatch,
): Promise<Gathered> {
  /** By case the runs of its rows: at, length, at, length … */
  const places = new Map<string, number[]>();
  const persons = new Map<string, { person: PersonOf; since: Instant }>();
  let columns: readonly string[] | undefined;
  let reader: CaseReader | undefined;
  let rows = 0;
  let replaced = 0;
  let bytesBefore = 0;
  const opened: Rows[] = [];
  for (const file of files)
    opened.push(
      await openRows(file, {
        ...(options.delimiter !== undefined && { delimiter: options.delimiter }),
        ...(file === '-' && { stdin: options.stdin() }),
      }),
    );
  const sizes = opened.map(({ size }) => size);
  const size = sizes.every((known) => known !== null) ? sizes.reduce((a, b) => a + b, 0) : null;

  for (const [source, table] of opened.entries()) {
    columns ??= table.columns;
    reader ??= options.reading(columns);
    const order = inOrderOf(columns, table);
    for await (const batch of table.batches) {
      if (options.signal.aborted) throw new Refused('stopped while reading; nothing was taken in');
      replaced += batch.replaced;
      for (const { line, reason } of batch.rejected) await watch.rejected({ source, line, reason });
      for (const { line, cells } of batch.rows) {
        const ordered = order ? order.map((i) => cells[i]!) : cells;
        const key = reader.caseOf(ordered);
        if (key === null) {
          await watch.rejected({ source, line, reason: `${reader.mapping.columns.case} names no case` });
          continue;
        }
        rows += 1;
        const since = reader.updatedAt(ordered);
        if (since !== null)
          for (const person of reader.persons(ordered)) {
            const known = persons.get(person.id);
            if (!known) persons.set(person.id, { person, since });
            else if (since < known.since) known.since = since;
          }
        const record = Buffer.from(`${JSON.stringify([source, line, ...ordered])}\n`);
        const runs = places.get(key);
        const at = spool.length;
        if (!runs) places.set(key, [at, record.length]);
        else if (runs.at(-2)! + runs.at(-1)! === at) runs[runs.length - 1]! += record.length;
        else runs.push(at, record.length);
        await spool.write(record);
      }
      watch.read({ rows, bytes: bytesBefore + table.read(), size });
    }
    bytesBefore += table.read();
  }
  await spool.flush();
  return {
    reader: reader!,
    rows,
    cases: [...places.keys()],
    replaced,
    persons,
    rowsOf: async (key) => {
      const runs = places.get(key) ?? [];
      const found: RawRow[] = [];
      for (let i = 0; i < runs.length; i += 2) {
        const text = (await spool.read({ at: runs[i]!, length: runs[i + 1]! })).toString();
        for (const record of text.split('\n')) {
          if (record === '') continue;
          const [source, line, ...cells] = JSON.parse(record) as [number, number, ...string[]];
          found.push({ source, line, cells });
        }
      }
      return found;
    },
    close: () => spool.close(),
  };
}

/** Where the columns of the first source stand in another one; null where they stand alike. */
function inOrderOf(columns: readonly string[], { name, columns: own }: Rows): readonly number[] | null {
  if (own.length === columns.length && own.every((column, i) => column === columns[i])) return null;
  const absent = columns.filter((column) => !own.includes(column));
  if (absent.length > 0)
    throw new MappingMismatch(`${name} lacks columns that the first file has: ${absent.join(', ')}`);
  return columns.map((column) => own.indexOf(column));
}
