import type { Readable } from 'node:stream';
import { TextDecoder } from 'node:util';
import { openBytes, SourceRefused, type Bytes } from './bytes.js';
import { CsvRecords, type CsvLimits, type Parsed, type RejectedRow, type Row } from './csv.js';

/** Ruling 16: no text is longer than 64 KiB; a record may hold many. */
const LIMITS: CsvLimits = { delimiter: ',', record: 1024 * 1024, cell: 64 * 1024 };

export interface RowBatch {
  readonly rows: readonly Row[];
  readonly rejected: readonly RejectedRow[];
  /** Characters in this batch that are no text (U+0000, lone surrogates, broken UTF-8) and became U+FFFD (ruling 49). */
  readonly replaced: number;
}

/** Rows of a table with a header line, read as they are asked for. */
export interface Rows {
  readonly name: string;
  readonly columns: readonly string[];
  /** Bytes of the source, null for standard input, and how many are read: for telling progress. */
  readonly size: number | null;
  read(): number;
  /** Can be iterated once. @throws SourceRefused where the source ends in the middle or is damaged. */
  readonly batches: AsyncIterable<RowBatch>;
}

/**
 * A CSV file (plain, gzip or xz; UTF-8, or UTF-16 by its mark), or standard input for `-`. A row that cannot
 * be read is told in `rejected` and does not stop the rest.
 *
 * @throws SourceRefused where there is no such file, or no header line in it.
 */
export async function openRows(
  path: string,
  options: {
    readonly delimiter?: string;
    readonly limits?: Partial<CsvLimits>;
    readonly stdin?: Readable;
  } = {},
): Promise<Rows> {
  const bytes = await openBytes(path, options.stdin);
  const limits = { ...LIMITS, ...options.limits, ...(options.delimiter && { delimiter: options.delimiter }) };
  const batches = parsed(bytes, limits);
  // The header is the first record, in whichever batch it comes.
  let first: RowBatch = { rows: [], rejected: [], replaced: 0 };
  while (first.rows.length === 0 && first.rejected.length === 0) {
    const next = await batches.next();
    if (next.done) throw new SourceRefused(bytes.name, 'is empty; its first line must name the columns');
    first = { ...next.value, replaced: first.replaced + next.value.replaced };
  }
  const header = first.rows[0];
  if (!header || (first.rejected[0] && first.rejected[0].line < header.line))
    throw new SourceRefused(bytes.name, `the header line cannot be read: ${first.rejected[0]!.reason}`);
  const columns = header.cells.map((cell) => cell.trim());
  const twice = columns.find((column, i) => columns.indexOf(column) !== i);
  if (twice !== undefined) throw new SourceRefused(bytes.name, `the header names the column ${twice} twice`);

  async function* body(): AsyncGenerator<RowBatch> {
    yield ofWidth({ ...first, rows: first.rows.slice(1) }, columns.length);
    for await (const batch of batches) yield ofWidth(batch, columns.length);
  }
  return { name: bytes.name, columns, size: bytes.size, read: () => bytes.read(), batches: body() };
}

async function* parsed(bytes: Bytes, limits: CsvLimits): AsyncGenerator<RowBatch> {
  const records = new CsvRecords(limits);
  let decoder: TextDecoder | undefined;
  let replaced = 0;
  const clean = (text: string): string => {
    const without = text.includes('\0') ? text.replaceAll('\0', '\uFFFD') : text;
    for (let at = without.indexOf('\uFFFD'); at >= 0; at = without.indexOf('\uFFFD', at + 1)) replaced += 1;
    return without;
  };
  const batch = ({ rows, rejected }: Parsed): RowBatch => {
    const one = { rows, rejected, replaced };
    replaced = 0;
    return one;
  };
  for await (const chunk of bytes.chunks) {
    decoder ??= new TextDecoder(encodingOf(chunk));
    yield batch(records.push(clean(decoder.decode(chunk, { stream: true }))));
  }
  if (decoder) yield batch(records.push(clean(decoder.decode())));
  yield batch(records.end());
}

function encodingOf(start: Uint8Array): string {
  if (start[0] === 0xff && start[1] === 0xfe) return 'utf-16le';
  if (start[0] === 0xfe && start[1] === 0xff) return 'utf-16be';
  return 'utf-8';
}

function ofWidth(batch: RowBatch, width: number): RowBatch {
  if (batch.rows.every(({ cells }) => cells.length === width)) return batch;
  const rejected = [...batch.rejected];
  const rows = batch.rows.filter(({ line, cells }) => {
    if (cells.length === width) return true;
    rejected.push({ line, reason: `has ${cells.length} columns where the header has ${width}` });
    return false;
  });
  return { ...batch, rows, rejected: rejected.sort((a, b) => a.line - b.line) };
}
