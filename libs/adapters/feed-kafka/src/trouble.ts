/** Why Kafka cannot be used now, as far as it matters to somebody who could mend it. */
export type KafkaTrouble =
  /** Nobody answers, or not in time. */
  | 'unreachable'
  /** The connection ended before TLS was agreed on. */
  | 'no-tls'
  | 'untrusted'
  | 'credentials-wrong'
  | 'not-permitted'
  /** A topic is not there, which the relay makes. */
  | 'topic-missing'
  /** A topic was made by somebody else, and cannot be used. */
  | 'topic-unfit'
  /** It answers, and not as hoped; most pass by themselves. */
  | 'failed';

/** It cannot be used now; the message is ours. */
export class KafkaUnavailable extends Error {
  override readonly name = 'KafkaUnavailable';
  constructor(
    readonly trouble: KafkaTrouble,
    options?: ErrorOptions,
  ) {
    const detail = trouble === 'failed' ? ` (${kindOf(options?.cause)})` : '';
    super(`${told(trouble)}${detail}`, options);
  }
}

export function told(trouble: KafkaTrouble): string {
  switch (trouble) {
    case 'unreachable':
      return 'none of KAFKA_BROKERS answers (those that ask for TLS answer nobody without: KAFKA_TLS=on)';
    case 'no-tls':
      return 'a broker ends the connection where TLS begins: it speaks none there (KAFKA_TLS=off), or is stopping';
    case 'untrusted':
      return 'the certificate of a broker is not trusted (KAFKA_CA_FILE names its authority)';
    case 'credentials-wrong':
      return 'KAFKA_USER or KAFKA_PASSWORD is wrong, or the brokers ask for none';
    case 'not-permitted':
      return 'the user of KAFKA_USER may not do this: an administrator has to permit it';
    case 'topic-missing':
      return 'the topics are not there yet: the relay makes them when it starts';
    case 'topic-unfit':
      return 'a topic has another number of partitions than the relay makes it with: the relay says which';
    case 'failed':
      return 'Kafka could not do what was asked';
  }
}

interface ClientError {
  readonly name?: string;
  readonly message?: string;
  /** Name of the protocol's error. */
  readonly type?: string;
  /** Of the socket, of TLS, or the protocol's number. */
  readonly code?: string | number;
  readonly cause?: unknown;
  /** Of an AggregateError. */
  readonly errors?: readonly unknown[];
}

/** The error and what caused it, outermost first. */
function* causes(error: unknown): Generator<ClientError> {
  for (let at = error as ClientError | undefined, depth = 0; at && depth < 8; depth++) {
    yield at;
    if (at.errors) for (const each of at.errors) yield* causes(each);
    at = at.cause as ClientError | undefined;
  }
}

/** Codes of OpenSSL's verification, and of Node's own. */
const UNTRUSTED = /CERT|SELF_SIGNED|UNABLE_TO_|ERR_TLS|ISSUER|CRL/;
/** Of a handshake that met no TLS. */
const NO_TLS = /ERR_SSL|EPROTO/;
/** Node gives the end of a connection during a handshake no code of its own. */
const CUT_OFF = /before secure TLS connection was established/;

export function troubleOf(error: unknown): KafkaTrouble {
  const all = [...causes(error)];
  const some = (test: (each: ClientError) => boolean): boolean => all.some(test);
  if (error instanceof KafkaUnavailable) return error.trouble;
  if (some(({ code }) => typeof code === 'string' && UNTRUSTED.test(code))) return 'untrusted';
  if (some(({ code, message = '' }) => NO_TLS.test(String(code)) || CUT_OFF.test(message))) return 'no-tls';
  if (some(({ name, type = '' }) => /SASL/.test(name ?? '') || /SASL/.test(type))) return 'credentials-wrong';
  if (some(({ type = '' }) => type.endsWith('_AUTHORIZATION_FAILED'))) return 'not-permitted';
  if (some(({ type }) => type === 'UNKNOWN_TOPIC_OR_PARTITION')) return 'topic-missing';
  if (some(({ name = '' }) => /Connection|RequestTimeout|BrokerNotFound|NoBrokerAvailable/.test(name)))
    return 'unreachable';
  // A plain error of kafkajs's, where a broker takes the connection and says nothing.
  if (some(({ message }) => message === 'Broker not connected')) return 'unreachable';
  return 'failed';
}

/** Name of the innermost error that has a telling one; never a message, which may quote anything. */
function kindOf(error: unknown): string {
  const all = [...causes(error)];
  return all.findLast(({ type }) => typeof type === 'string')?.type ?? all.at(-1)?.name ?? 'unknown';
}

/**
 * Another producer has taken over the transactions since: the epoch of this one is of the past. The coordinator
 * also raises it when it gives up a transaction that lasted too long.
 */
export const isFenced = (error: unknown): boolean =>
  [...causes(error)].some(({ type }) => type === 'INVALID_PRODUCER_EPOCH' || type === 'PRODUCER_FENCED');

/** The last transaction is not quite over; nothing was sent. */
export const isConcurrent = (error: unknown): boolean =>
  [...causes(error)].some(({ type }) => type === 'CONCURRENT_TRANSACTIONS');

const UNSETTLED: readonly (string | undefined)[] = [
  'NOT_LEADER_FOR_PARTITION',
  'LEADER_NOT_AVAILABLE',
  'UNKNOWN_TOPIC_OR_PARTITION',
];

/** Who leads a partition, or that there is a topic, has not come round to every broker yet. */
export const isUnsettled = (error: unknown): boolean =>
  [...causes(error)].some(({ type }) => UNSETTLED.includes(type));
