/**
 * RFC 4180 with recovery. A quote that opens and never closes swallows the rest of the file in csv-parse
 * (tried with 7.0.3 and `skip_records_with_error`: every later row was lost), so a bad record here costs its
 * first physical line and reading goes on with the next one.
 */
export interface CsvLimits {
  readonly delimiter: string;
  /** Characters of one record, line breaks inside quotes included. */
  readonly record: number;
  /** Bytes of one cell in UTF-8. */
  readonly cell: number;
}

export interface Row {
  /** Physical line on which it begins; the header is on line 1. */
  readonly line: number;
  readonly cells: readonly string[];
}

export interface RejectedRow {
  readonly line: number;
  readonly reason: string;
}

export interface Parsed {
  readonly rows: readonly Row[];
  readonly rejected: readonly RejectedRow[];
}

type Record = { readonly cells: string[]; readonly end: number } | { readonly bad: string } | 'unfinished';

/** Takes text as it comes and answers with the records that are complete; `end` takes what is left. */
export class CsvRecords {
  private text = '';
  private line = 1;
  /** Inside a line that grew over the limit: dropped up to its end. */
  private skipping = false;

  constructor(private readonly limits: CsvLimits) {}

  push(chunk: string): Parsed {
    this.text += chunk;
    return this.take(false);
  }

  end(): Parsed {
    return this.take(true);
  }

  private take(last: boolean): Parsed {
    const rows: Row[] = [];
    const rejected: RejectedRow[] = [];
    let from = 0;
    for (;;) {
      if (this.skipping) {
        const newline = this.text.indexOf('\n', from);
        if (newline < 0) {
          from = this.text.length;
          break;
        }
        this.skipping = false;
        this.line += 1;
        from = newline + 1;
      }
      if (from >= this.text.length) break;
      const record = this.record(from, last);
      if (record === 'unfinished') {
        if (this.text.length - from <= this.limits.record) break;
        from = this.reject(rejected, from, `longer than ${this.limits.record} characters`);
      } else if ('bad' in record) {
        from = this.reject(rejected, from, record.bad);
      } else {
        const { cells, end } = record;
        // A line without any character is no record.
        if (cells.length > 1 || cells[0] !== '') {
          const long = cells.findIndex((cell) => tooLong(cell, this.limits.cell));
          if (long < 0) rows.push({ line: this.line, cells });
          else
            rejected.push({
              line: this.line,
              reason: `cell ${long + 1} is longer than ${this.limits.cell} bytes`,
            });
        }
        this.line += newlines(this.text, from, end);
        from = end;
      }
    }
    this.text = this.text.slice(from);
    return { rows, rejected };
  }

  /** Gives up the physical line at `from`, and answers where the next one begins. */
  private reject(rejected: RejectedRow[], from: number, reason: string): number {
    rejected.push({ line: this.line, reason });
    const newline = this.text.indexOf('\n', from);
    if (newline < 0) {
      this.skipping = true;
      return this.text.length;
    }
    this.line += 1;
    return newline + 1;
  }

  private record(from: number, last: boolean): Record {
    const { text } = this;
    const { delimiter } = this.limits;
    const newline = text.indexOf('\n', from);
    if (newline < 0 && !last) return 'unfinished';
    const lineEnd = newline < 0 ? text.length : newline;
    const line = text.slice(from, text[lineEnd - 1] === '\r' && lineEnd > from ? lineEnd - 1 : lineEnd);
    if (line.length > this.limits.record) return { bad: `longer than ${this.limits.record} characters` };
    if (!line.includes('"')) return { cells: line.split(delimiter), end: Math.min(lineEnd + 1, text.length) };

    const cells: string[] = [];
    let at = from;
    for (;;) {
      if (text[at] === '"') {
        let cell = '';
        let open = at + 1;
        let close: number;
        for (;;) {
          close = text.indexOf('"', open);
          if (close < 0 || close - from > this.limits.record) {
            const whole = last || close >= 0 || text.length - from > this.limits.record;
            return whole ? { bad: 'a quote that is opened here is not closed' } : 'unfinished';
          }
          cell += text.slice(open, close);
          if (text[close + 1] !== '"') break;
          cell += '"';
          open = close + 2;
        }
        cells.push(cell);
        at = close + 1;
        if (at >= text.length && !last) return 'unfinished';
        if (text.startsWith('\r\n', at)) at += 1;
        if (at >= text.length) return { cells, end: text.length };
        if (text[at] === '\n') return { cells, end: at + 1 };
        if (text[at] !== delimiter) {
          // The decisive character may still be under way.
          if (text[at] === '\r' && at + 1 >= text.length && !last) return 'unfinished';
          return { bad: 'a closing quote is followed by more text' };
        }
        at += 1;
      } else {
        const newline = text.indexOf('\n', at);
        if (newline < 0 && !last) return 'unfinished';
        const stop = newline < 0 ? text.length : newline;
        const comma = text.indexOf(delimiter, at);
        const ends = comma < 0 || comma > stop;
        let end = ends ? stop : comma;
        if (ends && end > at && text[end - 1] === '\r') end -= 1;
        const cell = text.slice(at, end);
        if (cell.includes('"')) return { bad: 'a quote stands inside a cell that is not quoted' };
        cells.push(cell);
        if (ends) return { cells, end: newline < 0 ? text.length : newline + 1 };
        at = comma + 1;
      }
    }
  }
}

function newlines(text: string, from: number, to: number): number {
  let count = 0;
  for (let at = text.indexOf('\n', from); at >= 0 && at < to; at = text.indexOf('\n', at + 1)) count += 1;
  return count;
}

/** At most three bytes a UTF-16 unit: most cells are settled without counting. */
function tooLong(cell: string, limit: number): boolean {
  return cell.length * 3 > limit && Buffer.byteLength(cell) > limit;
}
