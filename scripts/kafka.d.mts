export declare const VERSIONS: Readonly<Record<string, string>>;
export declare const DEFAULT_VERSION: string;

/** There is no Kafka to be had on this machine; the message says why, in one line. */
export declare class KafkaAbsent extends Error {}

export interface KafkaNode {
  readonly id: number;
  readonly address: string;
  readonly securedAddress?: string;
  /** Everything that it has said since it was first started. */
  output(): string;
  /** On the same ports and data as before. */
  start(): Promise<void>;
  /** SIGTERM: it hands its partitions over first. */
  stop(): Promise<void>;
  /** SIGKILL. */
  kill(): Promise<void>;
  /** SIGSTOP: connections stay, nothing answers. */
  freeze(): void;
  thaw(): void;
}

export interface Kafka {
  readonly version: string;
  /** `127.0.0.1:9092,…`, as KAFKA_BROKERS takes it. */
  readonly brokers: string;
  /** The listener with TLS and password; absent where none was asked for. */
  readonly securedBrokers?: string;
  /** The brokers; a controller apart is none. */
  readonly nodes: readonly KafkaNode[];
  /** An orderly stop, then all is removed. */
  stop(): Promise<void>;
  /** All is killed and removed. */
  remove(): Promise<void>;
}

export interface KafkaOptions {
  /** A key of VERSIONS, or `X.Y.Z`. */
  readonly version?: string;
  readonly brokers?: number;
  /** Paths of PEM files: a second listener, TLS with SCRAM-SHA-512. */
  readonly secured?: {
    readonly certificate: string;
    readonly key: string;
    readonly user: string;
    readonly password: string;
  };
  /** More lines of server.properties. */
  readonly settings?: Readonly<Record<string, string | number>>;
}

/** @throws KafkaAbsent */
export declare function resolveKafka(
  version?: string,
): Promise<{ readonly version: string; readonly jars: string }>;

/** @throws KafkaAbsent */
export declare function startKafka(options?: KafkaOptions): Promise<Kafka>;
