import pg from 'pg';

/** What `pg` gives a query of its own kind to speak to the server with. */
interface Wire {
  query(text: string): void;
  sendCopyFromChunk(chunk: Buffer): void;
  endCopyFrom(): void;
}

/** Rows of one table as COPY gives and takes them, cut into as many pieces as the log has pages. */
interface Rows {
  readonly table: string;
  readonly pieces: readonly Buffer[];
}

/**
 * Reading the log and bulk-writing the rows of all views with nothing in between: the rows are laid out
 * beforehand, in their last form, and go in by COPY, one transaction for each page of the log, while the next
 * page is on its way.
 */
export class BulkWrite {
  private constructor(
    private readonly client: pg.Client,
    private readonly rows: readonly Rows[],
  ) {}

  /** @param tables views already projected, with the order in which their rows come in the log */
  static async of(url: string, tables: Readonly<Record<string, string>>, pages: number): Promise<BulkWrite> {
    const client = new pg.Client({ connectionString: url });
    await client.connect();
    await client.query('DROP SCHEMA IF EXISTS bulk CASCADE; CREATE SCHEMA bulk');
    const rows: Rows[] = [];
    for (const [table, order] of Object.entries(tables)) {
      await client.query(`CREATE TABLE bulk.${table} (LIKE views.${table} INCLUDING ALL)`);
      const lines = await copyOut(client, `COPY (SELECT * FROM views.${table} ORDER BY ${order}) TO STDOUT`);
      const each = Math.ceil(lines.length / pages);
      const pieces = Array.from({ length: pages }, (_, i) =>
        Buffer.concat(lines.slice(i * each, (i + 1) * each)),
      );
      rows.push({ table, pieces });
    }
    return new BulkWrite(client, rows);
  }

  async empty(): Promise<void> {
    await this.client.query(`TRUNCATE ${this.rows.map(({ table }) => `bulk.${table}`).join(', ')}`);
  }

  /** Answers how many events were read. */
  async run(pages: AsyncIterable<{ readonly length: number }>): Promise<number> {
    let events = 0;
    let page = 0;
    let writing = Promise.resolve();
    for await (const read of pages) {
      events += read.length;
      await writing;
      writing = this.write(page++);
    }
    await writing;
    return events;
  }

  async close(): Promise<void> {
    await this.client.end();
  }

  private async write(page: number): Promise<void> {
    await this.client.query('BEGIN');
    for (const { table, pieces } of this.rows) {
      const piece = pieces[page];
      if (piece && piece.length > 0) await copyIn(this.client, `COPY bulk.${table} FROM STDIN`, piece);
    }
    await this.client.query('COMMIT');
  }
}

function copyOut(client: pg.Client, statement: string): Promise<Buffer[]> {
  const lines: Buffer[] = [];
  return copying(client, {
    submit: (wire: Wire): void => wire.query(statement),
    handleCopyData: ({ chunk }: { chunk: Buffer }): void => void lines.push(Buffer.from(chunk)),
  }).then(() => lines);
}

const copyIn = (client: pg.Client, statement: string, rows: Buffer): Promise<void> =>
  copying(client, {
    submit: (wire: Wire): void => wire.query(statement),
    handleCopyInResponse: (wire: Wire): void => {
      wire.sendCopyFromChunk(rows);
      wire.endCopyFrom();
    },
  });

function copying(client: pg.Client, steps: object): Promise<void> {
  return new Promise((resolve, reject) => {
    client.query({
      ...steps,
      handleCommandComplete: () => undefined,
      handleReadyForQuery: () => resolve(),
      handleError: (error: Error) => reject(error),
    } as unknown as pg.Submittable);
  });
}
