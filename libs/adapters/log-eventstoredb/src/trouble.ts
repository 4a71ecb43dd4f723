/**
 * What an error of the client means. `lost` and `silent` leave open whether an append was done; all others say
 * that surely nothing was written. Texts never hold credentials.
 */
export type Trouble =
  | { readonly is: 'conflict'; readonly actual: number }
  | { readonly is: 'stream-missing' }
  /** A tombstone. The desk never writes one. */
  | { readonly is: 'stream-deleted' }
  | { readonly is: 'too-large' }
  /** The server does not know the user, or the password is wrong. */
  | { readonly is: 'credentials-wrong' }
  /** Known or not, this caller may not do this. */
  | { readonly is: 'not-permitted' }
  /** The server's handler failed: for a read from a position, that no record lies there. */
  | { readonly is: 'handler-failed' }
  /** This node is a follower; the client turns to the leader by itself. */
  | { readonly is: 'not-leader' }
  /** The call that asks what the server can do failed, which the client remembers: nothing was sent, nor will be. */
  | { readonly is: 'unable'; readonly code: number }
  /** The connection is not trusted, or was met with what is no TLS. */
  | { readonly is: 'untrusted'; readonly text: string }
  | { readonly is: 'lost'; readonly text: string }
  /** Nothing came for longer than we wait. */
  | { readonly is: 'silent'; readonly text: string };

/** Our own timer, which is the only one that is sure to go off. */
export class Silence extends Error {
  override readonly name = 'Silence';
}

const UNKNOWN = 2;
const INVALID_ARGUMENT = 3;
const UNAVAILABLE = 14;
const UNAUTHENTICATED = 16;

const UNTRUSTED = /certificate|self[- ]signed|altnames|wrong version number|SSL routines|ERR_TLS/i;

interface ClientError {
  readonly type?: string;
  readonly code?: number | string;
  readonly message?: string;
  readonly actualVersion?: bigint | string;
}

export function troubleOf(error: unknown): Trouble {
  if (error instanceof Silence) return { is: 'silent', text: error.message };
  const { type, code, message = '', actualVersion } = (error ?? {}) as ClientError;
  const text = message
    .replace(/\s+/g, ' ')
    .replace(/ ?Resolution note:.*$/, '')
    .trim();
  switch (type ?? '') {
    case 'wrong-expected-version':
      return { is: 'conflict', actual: typeof actualVersion === 'bigint' ? Number(actualVersion) : -1 };
    case 'stream-not-found':
      return { is: 'stream-missing' };
    case 'stream-deleted':
      return { is: 'stream-deleted' };
    case 'maximum-append-size-exceeded':
      return { is: 'too-large' };
    case 'access-denied':
      return { is: code === UNAUTHENTICATED ? 'credentials-wrong' : 'not-permitted' };
    case 'not-leader':
      return { is: 'not-leader' };
    case 'unknown':
      if (code === UNKNOWN || code === INVALID_ARGUMENT) return { is: 'handler-failed' };
      break;
    // A plain error with a gRPC status is of the call for the server's features.
    case '':
      if (code === UNAUTHENTICATED) return { is: 'credentials-wrong' };
      if (typeof code === 'number' && code !== UNAVAILABLE) return { is: 'unable', code };
      break;
    // Unavailable, cancelled, deadlines, and whatever a later client may say.
    default:
      break;
  }
  return UNTRUSTED.test(text) ? { is: 'untrusted', text } : { is: 'lost', text: text || String(type) };
}

/** One line for people. */
export function told(trouble: Trouble): string {
  switch (trouble.is) {
    case 'conflict':
      return 'the stream stands at another revision';
    case 'stream-missing':
      return 'there is no such stream';
    case 'stream-deleted':
      return 'the stream was deleted for ever, which the desk never does';
    case 'too-large':
      return 'the append is larger than the server takes';
    case 'credentials-wrong':
      return 'the server does not know this user, or the password is wrong';
    case 'not-permitted':
      return 'this user may not do this';
    case 'handler-failed':
      return 'the server failed at this question';
    case 'not-leader':
      return 'the node is not the leader';
    case 'unable':
      return `the server did not say what it can do (gRPC status ${trouble.code})`;
    case 'untrusted':
    case 'lost':
    case 'silent':
      return trouble.text;
  }
}
