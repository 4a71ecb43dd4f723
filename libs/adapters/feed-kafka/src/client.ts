import kafkajs, { type Kafka } from 'kafkajs';
import { KafkaUnavailable } from './trouble.js';

/** Where Kafka is, and as whom. */
export interface KafkaAddress {
  /** `host:port`. */
  readonly brokers: readonly string[];
  /** Absent: plain text. */
  readonly tls?: {
    /** Certificates of the authorities, PEM; absent: those that Node trusts. */
    readonly ca?: string;
  };
  /** SASL, SCRAM-SHA-512. */
  readonly user?: { readonly name: string; readonly password: string };
  /** Before every name of a topic, a group or a transaction; for desks that share a Kafka, and for tests. */
  readonly prefix?: string;
}

/** Milliseconds. */
const CONNECTING = 3_000;
const ANSWERING = 5_000;

/** An admin, a producer or a consumer of kafkajs. */
interface Connecting {
  readonly events: { readonly REQUEST_TIMEOUT: string };
  on(event: string, listener: () => void): () => void;
  connect(): Promise<void>;
}

export interface KafkaClient {
  readonly kafka: Kafka;
  /**
   * Connects clients made of it. Where no broker is found in time, those made from now on turn to another first:
   * kafkajs turns by itself from a broker that refuses a connection, and stays with one that takes it and then
   * says nothing.
   *
   * @throws KafkaUnavailable, and whatever the client does
   */
  connect(...clients: readonly Connecting[]): Promise<void>;
}

/**
 * kafkajs retries little by itself: what it cannot do soon is told to us, and we start over with a client of our
 * own making. It logs every retry as an error; its log is not ours (`trouble.ts` says what there is to say).
 */
export function kafkaClient({ brokers, tls, user }: KafkaAddress, name: string): KafkaClient {
  let first = 0;
  const kafka = new kafkajs.Kafka({
    clientId: name,
    brokers: () => [...brokers.slice(first), ...brokers.slice(0, first)],
    ...(tls && { ssl: tls.ca === undefined ? true : { ca: [tls.ca] } }),
    ...(user && { sasl: { mechanism: 'scram-sha-512', username: user.name, password: user.password } }),
    connectionTimeout: CONNECTING,
    authenticationTimeout: ANSWERING,
    requestTimeout: ANSWERING,
    retry: { retries: 6, initialRetryTime: 100, maxRetryTime: 1_000 },
    logLevel: kafkajs.logLevel.NOTHING,
  });
  return {
    kafka,
    connect: async (...clients) => {
      try {
        await connected(clients);
      } catch (error) {
        first = (first + 1) % brokers.length;
        throw error;
      }
    },
  };
}

/** Milliseconds for finding any broker at all. */
const FINDING = 8_000;

/**
 * kafkajs calls a client connected whose broker took the connection and then said nothing (its second try finds
 * the socket open, and asks no more): whatever is asked of it next fails. So nobody may stay silent meanwhile.
 */
async function connected(clients: readonly Connecting[]): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  let listening: readonly (() => void)[] = [];
  const silence = new Promise<never>((_resolve, reject) => {
    const met = (): void => reject(new KafkaUnavailable('unreachable'));
    timer = setTimeout(met, FINDING);
    listening = clients.map((client) => client.on(client.events.REQUEST_TIMEOUT, met));
  });
  try {
    await Promise.race([Promise.all(clients.map((client) => client.connect())), silence]);
  } finally {
    clearTimeout(timer);
    for (const end of listening) end();
  }
}

/** Milliseconds after which a client that will not close is left to itself. */
const CLOSING = 2_000;

/** kafkajs waits for answers before it closes; a broker that went silent never gives them. */
export async function closed(...clients: readonly { disconnect(): Promise<void> }[]): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<void>((resolve) => {
    timer = setTimeout(resolve, CLOSING);
    timer.unref();
  });
  await Promise.race([Promise.allSettled(clients.map((client) => client.disconnect())), late]);
  clearTimeout(timer);
}
