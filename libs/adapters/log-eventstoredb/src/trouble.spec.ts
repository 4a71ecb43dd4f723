import { describe, expect, test } from '@jest/globals';
import { Silence, told, troubleOf, type Trouble } from './trouble.js';

const error = (fields: object, message = ''): Error => Object.assign(new Error(message), fields);

/** What the client was seen to throw (recordings of a real server), and what it means. */
const seen: readonly (readonly [string, unknown, Trouble])[] = [
  [
    'a conflict with a stream',
    error({ type: 'wrong-expected-version', actualVersion: 3n }),
    { is: 'conflict', actual: 3 },
  ],
  [
    'a conflict with no stream',
    error({ type: 'wrong-expected-version', actualVersion: 'no_stream' }),
    { is: 'conflict', actual: -1 },
  ],
  ['a stream that there is not', error({ type: 'stream-not-found' }), { is: 'stream-missing' }],
  ['a tombstone', error({ type: 'stream-deleted', code: 9 }), { is: 'stream-deleted' }],
  ['an oversized append', error({ type: 'maximum-append-size-exceeded' }), { is: 'too-large' }],
  [
    'a wrong password',
    error({ type: 'access-denied', code: 16 }, '16 UNAUTHENTICATED: '),
    { is: 'credentials-wrong' },
  ],
  ['a wrong password, told by the call for the features', error({ code: 16 }), { is: 'credentials-wrong' }],
  ['no credentials', error({ type: 'access-denied', code: 7 }), { is: 'not-permitted' }],
  ['an append without permission', error({ type: 'access-denied' }), { is: 'not-permitted' }],
  [
    'a position that is no record',
    error({ type: 'unknown', code: 2 }, '2 UNKNOWN: Exception was thrown by handler.'),
    { is: 'handler-failed' },
  ],
  [
    'the same, as later servers say it',
    error({ type: 'unknown', code: 3 }, '3 INVALID_ARGUMENT: Trying to read from an invalid position.'),
    { is: 'handler-failed' },
  ],
  ['a follower', error({ type: 'not-leader', code: 5 }), { is: 'not-leader' }],
  ['features that could not be told', error({ code: 2 }, '2 UNKNOWN: …'), { is: 'unable', code: 2 }],
  [
    'a killed server',
    error({ type: 'unavailable', code: 14 }, '14 UNAVAILABLE: read ECONNRESET'),
    { is: 'lost', text: '14 UNAVAILABLE: read ECONNRESET' },
  ],
  [
    'a server that is down, as a plain error',
    error({ code: 14 }, '14 UNAVAILABLE: No connection established. Resolution note: '),
    { is: 'lost', text: '14 UNAVAILABLE: No connection established.' },
  ],
  [
    'an orderly stop',
    error({ type: 'unknown', code: 13 }, '13 INTERNAL: Received RST_STREAM with code 0'),
    { is: 'lost', text: '13 INTERNAL: Received RST_STREAM with code 0' },
  ],
  ['a deadline that passed', error({ type: 'deadline-exceeded' }), { is: 'lost', text: 'deadline-exceeded' }],
  ['a timeout of the server', error({ type: 'timeout', code: 10 }, 'late'), { is: 'lost', text: 'late' }],
  [
    'a client that was made anew',
    error({ type: 'cancelled', code: 1 }, 'gone'),
    { is: 'lost', text: 'gone' },
  ],
  ['an unknown result of a write', error({ type: 'unknown' }, 'odd'), { is: 'lost', text: 'odd' }],
  [
    'an aborted loop',
    Object.assign(new Error('The operation was aborted'), { code: 'ABORT_ERR' }),
    { is: 'lost', text: 'The operation was aborted' },
  ],
  [
    'an untrusted certificate',
    error({ type: 'unavailable', code: 14 }, 'Last error: Error: unable to verify the first certificate.'),
    { is: 'untrusted', text: 'Last error: Error: unable to verify the first certificate.' },
  ],
  [
    'plain text from a server asked for TLS',
    error({ code: 14 }, 'SSL routines:ssl3_get_record:wrong version number'),
    { is: 'untrusted', text: 'SSL routines:ssl3_get_record:wrong version number' },
  ],
  ['our own timer', new Silence('no answer within 5 ms'), { is: 'silent', text: 'no answer within 5 ms' }],
];

describe('an error of the client', () => {
  test.each(seen)('%s is told from all others', (_, thrown, trouble) => {
    expect(troubleOf(thrown)).toEqual(trouble);
    expect(told(trouble)).not.toBe('');
  });

  test.each([[undefined], [null], ['a text'], [{}]])(
    'that is none (%p) leaves the outcome open',
    (thrown) => {
      expect(troubleOf(thrown).is).toBe('lost');
    },
  );
});
