import { describe, expect, it } from '@jest/globals';
import kafkajs from 'kafkajs';
import { isConcurrent, isFenced, KafkaUnavailable, troubleOf, type KafkaTrouble } from './trouble.js';

const { KafkaJSConnectionError, KafkaJSNumberOfRetriesExceeded, KafkaJSProtocolError } = kafkajs;

/** As the protocol's errors come, wrapped by the retries that gave up. */
const protocol = (type: string): Error =>
  new KafkaJSNumberOfRetriesExceeded(
    new KafkaJSProtocolError({ name: '', message: 'SENTINEL', type, code: 1, retriable: true } as never),
    { retryCount: 0, retryTime: 0 },
  );
const connection = (code: string, message = 'SENTINEL'): Error =>
  new KafkaJSConnectionError(message, { broker: 'one:9092', code });

describe('What an error of kafkajs means', () => {
  it.each<[string, unknown, KafkaTrouble]>([
    ['nobody listens', connection('ECONNREFUSED'), 'unreachable'],
    ['no such host', connection('ENOTFOUND'), 'unreachable'],
    ['no answer', new kafkajs.KafkaJSRequestTimeoutError('SENTINEL', {} as never), 'unreachable'],
    ['a broker that takes the connection and says nothing', new Error('Broker not connected'), 'unreachable'],
    ['a strange certificate', connection('SELF_SIGNED_CERT_IN_CHAIN'), 'untrusted'],
    ['a certificate of another host', connection('ERR_TLS_CERT_ALTNAME_INVALID'), 'untrusted'],
    ['an expired certificate', connection('CERT_HAS_EXPIRED'), 'untrusted'],
    ['an answer that is no TLS', connection('ERR_SSL_WRONG_VERSION_NUMBER'), 'no-tls'],
    [
      'an end before TLS',
      connection(
        'ECONNRESET',
        'Client network socket disconnected before secure TLS connection was established',
      ),
      'no-tls',
    ],
    [
      'a wrong password',
      Object.assign(new Error('SENTINEL'), { name: 'KafkaJSSASLAuthenticationError' }),
      'credentials-wrong',
    ],
    ['a right that is missing', protocol('TRANSACTIONAL_ID_AUTHORIZATION_FAILED'), 'not-permitted'],
    ['a topic that is missing', protocol('UNKNOWN_TOPIC_OR_PARTITION'), 'topic-missing'],
    ['anything else of the protocol', protocol('NOT_ENOUGH_REPLICAS'), 'failed'],
    ['what nobody foresaw', new TypeError('SENTINEL'), 'failed'],
  ])('%s', (_what, error, trouble) => {
    expect(troubleOf(error)).toBe(trouble);
    // Messages of others may quote anything (ruling 31).
    expect(new KafkaUnavailable(trouble, { cause: error }).message).not.toContain('SENTINEL');
  });

  it('names the protocol’s error where nothing better is known', () => {
    const error = protocol('NOT_ENOUGH_REPLICAS');
    expect(new KafkaUnavailable(troubleOf(error), { cause: error }).message).toBe(
      'Kafka could not do what was asked (NOT_ENOUGH_REPLICAS)',
    );
  });

  it('tells who was fenced from who only came early', () => {
    for (const type of ['INVALID_PRODUCER_EPOCH', 'PRODUCER_FENCED']) {
      expect(isFenced(protocol(type))).toBe(true);
      expect(isConcurrent(protocol(type))).toBe(false);
    }
    expect(isConcurrent(protocol('CONCURRENT_TRANSACTIONS'))).toBe(true);
    expect(isFenced(protocol('CONCURRENT_TRANSACTIONS'))).toBe(false);
  });
});
