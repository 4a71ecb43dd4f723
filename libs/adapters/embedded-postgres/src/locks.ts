import pg from 'pg';
import { EmbeddedRefused } from './refused.js';

/**
 * Who uses the embedded server is known by advisory locks inside it, never by files of process ids: a lock
 * ends with its connection, and a connection with its process, however that one died.
 *
 * `users`: held shared by everybody for life, and exclusively by the one who stops the server.
 * `desk`: held exclusively by the one desk.
 */
const LOCKS = { users: '1131376229, 1', desk: '1131376229, 2' } as const;

export type Purpose = 'desk' | 'command';

/** What a connection attempt came to; only what time may heal is a value. */
export type Connected =
  | { readonly connected: true; readonly holder: Holder }
  /** Not there yet, or leaving. */
  | { readonly connected: false; readonly detail: string };

/** A connection whose life is the right to the server. */
export class Holder {
  private gone: string | null = null;
  private readonly onGone: Promise<string>;

  private constructor(private readonly client: pg.Client) {
    this.onGone = new Promise((resolve) => {
      const lose = (why: string): void => {
        this.gone ??= why;
        resolve(this.gone);
      };
      client.on('error', (error) => lose(error.message));
      client.on('end', () => lose('the connection ended'));
    });
  }

  /** @throws EmbeddedRefused where the password is not this database's. */
  static async connect(url: string, purpose: Purpose): Promise<Connected> {
    const client = new pg.Client({
      connectionString: url,
      application_name: applicationName(purpose),
      connectionTimeoutMillis: 10_000,
      keepAlive: true,
    });
    const holder = new Holder(client);
    try {
      await client.connect();
      // Waits while somebody stops the server; then the connection ends, and it is started anew.
      await client.query(`SELECT pg_advisory_lock_shared(${LOCKS.users})`);
      return { connected: true, holder };
    } catch (error) {
      await client.end().catch(() => undefined);
      const { code, message } = error as { code?: string; message: string };
      if (code === '28P01' || code === '28000')
        throw new EmbeddedRefused(
          'password',
          `the embedded PostgreSQL refuses the password in DATA_DIR/secrets/postgres-password; put back the one that belongs to this database.`,
          { cause: error },
        );
      return { connected: false, detail: message };
    }
  }

  /** Resolves with the reason once the connection is lost. */
  lost(): Promise<string> {
    return this.onGone;
  }

  get isLost(): boolean {
    return this.gone !== null;
  }

  /** True once this is the desk; false while another is. */
  async becomeDesk(): Promise<boolean> {
    const { rows } = await this.client.query<{ got: boolean }>(
      `SELECT pg_try_advisory_lock(${LOCKS.desk}) AS got`,
    );
    return rows[0]!.got;
  }

  /** Who is the desk, in words; null if nobody any more. */
  async whoIsDesk(): Promise<string | null> {
    const [classid, objid] = LOCKS.desk.split(', ');
    const { rows } = await this.client.query<{ name: string; since: Date }>(
      `SELECT a.application_name AS name, a.backend_start AS since
         FROM pg_locks l JOIN pg_stat_activity a USING (pid)
        WHERE l.locktype = 'advisory' AND l.granted AND l.objsubid = 2
          AND l.classid = $1::oid AND l.objid = $2::oid
          AND l.database = (SELECT oid FROM pg_database WHERE datname = current_database())`,
      [classid, objid],
    );
    return rows[0] ? `${rows[0].name}, since ${rows[0].since.toISOString().slice(0, 19)}Z` : null;
  }

  /** True where nobody else is left; whoever comes from now on waits until the server has stopped. */
  async isLast(): Promise<boolean> {
    const { rows } = await this.client.query<{ last: boolean }>(
      `SELECT pg_advisory_unlock_shared(${LOCKS.users}), pg_try_advisory_lock(${LOCKS.users}) AS last`,
    );
    return rows[0]!.last;
  }

  async end(): Promise<void> {
    await this.client.end().catch(() => undefined);
  }
}

/** Names the process to whoever finds the folder held. */
function applicationName(purpose: Purpose): string {
  return `covenant ${purpose}, process ${process.pid}`;
}
