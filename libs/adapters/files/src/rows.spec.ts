import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { gzipSync } from 'node:zlib';
import { SourceRefused } from './bytes.js';
import { CsvRecords, type RejectedRow, type Row } from './csv.js';
import { openRows } from './rows.js';

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'covenant-rows-'));
});
afterAll(async () => {
  await rm(folder, { recursive: true });
});

async function file(name: string, content: string | Uint8Array): Promise<string> {
  const path = join(folder, name);
  await writeFile(path, content);
  return path;
}

async function readAll(path: string, options: Parameters<typeof openRows>[1] = {}) {
  const source = await openRows(path, options);
  const rows: Row[] = [];
  const rejected: RejectedRow[] = [];
  let replaced = 0;
  for await (const batch of source.batches) {
    rows.push(...batch.rows);
    rejected.push(...batch.rejected);
    replaced += batch.replaced;
  }
  return { columns: source.columns, rows, rejected, replaced };
}

/** `a,b` and two rows, made by `xz`: the program may be absent where this runs. */
const XZ = Buffer.from(
  '/Td6WFoAAATm1rRGAgAhARYAAAB0L+WjAQALYSxiCjEsMgozLDQKABBV45YyL5FeAAEkDKYY2NgftvN9AQAAAAAEWVo=',
  'base64',
);

describe('rows of a file', () => {
  it('a plain file gives its header and its rows with their lines', async () => {
    const read = await readAll(await file('plain.csv', 'a,b\n1,2\r\n3,"x ""y"",\nz"\n\n5,6'));
    expect(read.columns).toEqual(['a', 'b']);
    expect(read.rows).toEqual([
      { line: 2, cells: ['1', '2'] },
      { line: 3, cells: ['3', 'x "y",\nz'] },
      { line: 6, cells: ['5', '6'] },
    ]);
    expect(read.rejected).toEqual([]);
  });

  it('what a file is compressed with is told by its first bytes, not by its name', async () => {
    const rows = [
      { line: 2, cells: ['1', '2'] },
      { line: 3, cells: ['3', '4'] },
    ];
    expect((await readAll(await file('misnamed.csv', gzipSync('a,b\n1,2\n3,4\n')))).rows).toEqual(rows);
    expect((await readAll(await file('misnamed.gz', 'a,b\n1,2\n3,4\n'))).rows).toEqual(rows);
    expect((await readAll('-', { stdin: Readable.from([gzipSync('a,b\n1,2\n3,4\n')]) })).rows).toEqual(rows);
    expect((await readAll(await file('rows.txt', XZ))).rows).toEqual(rows);
  });

  it('standard input may come a byte at a time', async () => {
    const text = Buffer.from('\uFEFFa,b\n1,"ü\n2"\n');
    const read = await readAll('-', { stdin: Readable.from([...text].map((byte) => Buffer.from([byte]))) });
    expect(read.columns).toEqual(['a', 'b']);
    expect(read.rows).toEqual([{ line: 2, cells: ['1', 'ü\n2'] }]);
  });

  it('a bad row is told with its line and reason, and the rows after it are read', async () => {
    const read = await readAll(
      await file('bad.csv', 'a,b\n1\n1,2,3\nx"y,2\n"open,2\n"shut"x,2\n4,5\n6,"never closed\n7,8\n'),
    );
    expect(read.rows.map(({ line }) => line)).toEqual([7, 9]);
    expect(read.rejected).toEqual([
      { line: 2, reason: 'has 1 columns where the header has 2' },
      { line: 3, reason: 'has 3 columns where the header has 2' },
      { line: 4, reason: 'a quote stands inside a cell that is not quoted' },
      { line: 5, reason: 'a closing quote is followed by more text' },
      { line: 6, reason: 'a closing quote is followed by more text' },
      { line: 8, reason: 'a quote that is opened here is not closed' },
    ]);
  });

  it('what is overlong is told and dropped without being kept', async () => {
    const limits = { record: 100, cell: 20 };
    const long = 'y'.repeat(300_000);
    const read = await readAll(
      await file('long.csv', `a,b\n${'x'.repeat(30)},1\n${long},2\n"${'z\n'.repeat(80)}",3\n4,5\n${long}`),
      { limits },
    );
    expect(read.rows.map(({ cells }) => cells)).toEqual([['4', '5']]);
    expect(read.rejected.slice(0, 3)).toEqual([
      { line: 2, reason: 'cell 1 is longer than 20 bytes' },
      { line: 3, reason: 'longer than 100 characters' },
      { line: 4, reason: 'a quote that is opened here is not closed' },
    ]);
    expect(read.rejected.at(-1)).toEqual({ line: 86, reason: 'longer than 100 characters' });
  });

  it('characters that are no text become U+FFFD and are counted', async () => {
    const bytes = Buffer.concat([Buffer.from('a,b\n1,x\0y\n2,'), Buffer.from([0xff]), Buffer.from('\n')]);
    const read = await readAll(await file('zero.csv', bytes));
    expect(read.rows.map(({ cells }) => cells[1])).toEqual(['x\uFFFDy', '\uFFFD']);
    expect(read.replaced).toBe(2);
    const utf16 = Buffer.from('\uFEFFa,b\n1,\uD800\n', 'utf16le');
    const wide = await readAll(await file('utf16.csv', utf16));
    expect(wide.rows).toEqual([{ line: 2, cells: ['1', '\uFFFD'] }]);
    expect(wide.replaced).toBe(1);
  });

  it.each([
    ['gz', gzipSync(`a,b\n${'1,2\n'.repeat(50_000)}`), 'the gzip stream ends in the middle'],
    ['xz', XZ, 'the xz stream ends in the middle'],
  ])('a %s file that was cut off is an error that says so', async (name, whole, says) => {
    const path = await file(`cut.${name}`, whole.subarray(0, whole.length - 12));
    await expect(readAll(path)).rejects.toThrow(new RegExp(`^${path}: ${says}`));
    await expect(readAll(path)).rejects.toBeInstanceOf(SourceRefused);
  });

  it('a damaged file, an absent one, a folder, an empty one and one without a header are told apart', async () => {
    const damaged = Buffer.from(gzipSync(`a,b\n${'1,2\n'.repeat(50_000)}`));
    damaged.fill(0x55, 60, 90);
    await expect(readAll(await file('damaged.gz', damaged))).rejects.toThrow(/gzip stream is damaged/);
    await expect(readAll(join(folder, 'absent.csv'))).rejects.toThrow(/there is no such file/);
    await expect(readAll(folder)).rejects.toThrow(/is a folder/);
    await expect(readAll(await file('empty.csv', ''))).rejects.toThrow(/is empty/);
    await expect(readAll(await file('twice.csv', 'a,a\n'))).rejects.toThrow(/names the column a twice/);
    await expect(readAll(await file('header.csv', 'a"b,c\n1,2\n'))).rejects.toThrow(
      /header line cannot be read/,
    );
  });

  it('nothing is read ahead of who consumes it', async () => {
    let made = 0;
    async function* endless() {
      yield Buffer.from('a,b\n');
      for (;;) {
        made += 1;
        yield Buffer.from('1,2\n'.repeat(1_000));
      }
    }
    const source = await openRows('-', { stdin: Readable.from(endless(), { objectMode: false }) });
    let taken = 0;
    for await (const _ of source.batches) if (++taken === 5) break;
    expect(made).toBeLessThan(50);
  });
});

describe('csv', () => {
  it('what was written with quotes is read back, however the text is cut into pieces', () => {
    const cell = fc.string({ unit: fc.constantFrom('a', '"', ',', '\n', '\r', 'é'), maxLength: 6 });
    fc.assert(
      fc.property(
        fc.array(fc.array(cell, { minLength: 2, maxLength: 4 }), { minLength: 1, maxLength: 6 }),
        fc.integer({ min: 1, max: 7 }),
        (table, piece) => {
          const text = table
            .map((row) => row.map((cell) => `"${cell.replaceAll('"', '""')}"`).join(','))
            .join('\r\n');
          const records = new CsvRecords({ delimiter: ',', record: 10_000, cell: 10_000 });
          const rows: Row[] = [];
          for (let at = 0; at < text.length; at += piece)
            rows.push(...records.push(text.slice(at, at + piece)).rows);
          rows.push(...records.end().rows);
          expect(rows.map(({ cells }) => cells)).toEqual(table);
        },
      ),
    );
  });

  it('however damaged the text, every line is either read or told of', () => {
    const text = fc.string({ unit: fc.constantFrom('a', '"', ',', '\n'), maxLength: 60 });
    fc.assert(
      fc.property(text, fc.integer({ min: 1, max: 9 }), (given, piece) => {
        const pieces = new CsvRecords({ delimiter: ',', record: 40, cell: 10_000 });
        const parsed: { rows: Row[]; rejected: RejectedRow[] } = { rows: [], rejected: [] };
        const take = ({
          rows,
          rejected,
        }: {
          readonly rows: readonly Row[];
          readonly rejected: readonly RejectedRow[];
        }) => {
          parsed.rows.push(...rows);
          parsed.rejected.push(...rejected);
        };
        for (let at = 0; at < given.length; at += piece) take(pieces.push(given.slice(at, at + piece)));
        take(pieces.end());
        const whole = new CsvRecords({ delimiter: ',', record: 40, cell: 10_000 });
        const [first, rest] = [whole.push(given), whole.end()];
        expect(parsed).toEqual({
          rows: [...first.rows, ...rest.rows],
          rejected: [...first.rejected, ...rest.rejected],
        });
      }),
    );
  });
});
