import type { Logger } from '#kernel';
import { LogUnavailable } from '#engine/store';
import { hasCredentials, shown, whatAnswers } from './address.js';
import { CallFailed, type Connection } from './connection.js';
import { told, type Trouble } from './trouble.js';

/** Why a log will not do, however long one waits. */
export type Refusal =
  | 'address'
  | 'untrusted-certificate'
  | 'plain-text-to-tls'
  | 'tls-to-plain-text'
  | 'credentials-wrong'
  | 'credentials-missing'
  | 'may-not-read-all';

/** The server is there, and will not do until somebody changes it or the address. */
export class LogRefused extends LogUnavailable {
  constructor(
    readonly reason: Refusal,
    message: string,
  ) {
    super(message);
  }
}

const LOOK_MS = 250;

/**
 * Waits, bounded, until the log can be read as the desk reads it; what waiting cannot mend is named at once.
 *
 * Errors: LogRefused, LogUnavailable.
 */
export async function reach(
  connection: Connection,
  url: string,
  { startMs, readMs }: { readonly startMs: number; readonly readMs: number },
  logger: Logger,
): Promise<void> {
  const began = performance.now();
  for (let looks = 0; ; looks++) {
    try {
      await connection.read(readMs, (client) => client.readAll('end', 'backwards', 1));
      return;
    } catch (error) {
      if (!(error instanceof CallFailed)) throw error;
      const { trouble } = error;
      const refusal = refusalOf(trouble, url) ?? (await whatIsWrong(trouble, url, looks));
      if (refusal) throw refusal;
      if (performance.now() - began > startMs)
        throw new LogUnavailable(`${shown(url)} was not reached within ${startMs} ms: ${told(trouble)}`, {
          cause: error,
        });
      if (looks === 0) logger.warn({ problem: told(trouble) }, 'the log is waited for');
      await new Promise((resolve) => setTimeout(resolve, LOOK_MS));
    }
  }
}

/** What no waiting mends, where the trouble itself says so. */
export function refusalOf(trouble: Trouble, url?: string): LogRefused | null {
  switch (trouble.is) {
    case 'credentials-wrong':
      return new LogRefused('credentials-wrong', 'EVENTSTORE_URL: wrong user or password');
    case 'not-permitted':
      return url !== undefined && !hasCredentials(url)
        ? new LogRefused('credentials-missing', 'EVENTSTORE_URL names no user, and the server asks for one')
        : new LogRefused(
            'may-not-read-all',
            'the user of EVENTSTORE_URL may not read $all: an administrator has to name it in the metadata of ' +
              '$all, {"$acl": {"$r": ["$admins", USER]}}',
          );
    case 'untrusted':
      return /wrong version number/i.test(trouble.text)
        ? new LogRefused(
            'tls-to-plain-text',
            'the server speaks plain text, and EVENTSTORE_URL asks for TLS (tls=false says otherwise)',
          )
        : new LogRefused(
            'untrusted-certificate',
            `the certificate of the server is not trusted (tlsCAFile names its authority): ${trouble.text}`,
          );
    case 'conflict':
    case 'stream-missing':
    case 'stream-deleted':
    case 'too-large':
    case 'handler-failed':
    case 'not-leader':
    case 'unable':
    case 'lost':
    case 'silent':
      return null;
  }
}

/** A server that asks for TLS looks, to a client without it, as if it were not there. */
async function whatIsWrong(trouble: Trouble, url: string, looks: number): Promise<LogRefused | null> {
  if (trouble.is !== 'lost' || looks % 8 !== 1 || !/[?&]tls=false/i.test(url)) return null;
  return (await whatAnswers(url)) === 'tls'
    ? new LogRefused('plain-text-to-tls', 'the server asks for TLS, and EVENTSTORE_URL says tls=false')
    : null;
}
