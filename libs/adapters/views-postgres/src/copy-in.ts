import type pg from 'pg';

/** What `pg` gives a query of its own kind to speak to the server with. */
interface Wire {
  query(text: string): void;
  sendCopyFromChunk(chunk: Buffer): void;
  endCopyFrom(): void;
}

/**
 * One `COPY … FROM STDIN` in text format (PostgreSQL, COPY, File Formats): per row half the server's time of
 * any INSERT. A bad value fails it all, with its SQLSTATE.
 *
 * @param chunks whole lines; the server takes one while the next is laid out
 */
export function copyIn(client: pg.ClientBase, statement: string, chunks: Iterable<string>): Promise<void> {
  return new Promise((resolve, reject) => {
    const copying = {
      submit: (wire: Wire): void => wire.query(statement),
      handleCopyInResponse: (wire: Wire): void => {
        for (const chunk of chunks) wire.sendCopyFromChunk(Buffer.from(chunk, 'utf8'));
        wire.endCopyFrom();
      },
      handleCommandComplete: (): void => undefined,
      handleReadyForQuery: (): void => resolve(),
      handleError: (error: Error): void => reject(error),
    };
    client.query(copying as unknown as pg.Submittable);
  });
}

const SPECIAL = /[\\\t\n\r]/;
const EACH_SPECIAL = /[\\\t\n\r]/g;
const ESCAPED: Readonly<Record<string, string>> = { '\\': '\\\\', '\t': '\\t', '\n': '\\n', '\r': '\\r' };

/** A column's value as a row has it. */
export type Field = string | number | boolean | object | null | undefined;

/** A field as COPY takes it; objects as JSON. */
export function copyField(value: Field): string {
  if (value === null || value === undefined) return '\\N';
  const text = typeof value === 'object' ? JSON.stringify(value) : String(value);
  return SPECIAL.test(text) ? text.replace(EACH_SPECIAL, (special) => ESCAPED[special]!) : text;
}
