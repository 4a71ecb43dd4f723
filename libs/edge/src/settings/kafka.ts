import { resolve } from 'node:path';

export interface KafkaSettings {
  /** `host:port`. */
  readonly brokers: readonly string[];
  readonly tls: boolean;
  /** Absolute; certificates of the authorities, PEM. Absent: those that Node trusts. */
  readonly caFile?: string;
  /** SCRAM-SHA-512. */
  readonly user?: { readonly name: string; readonly password: string };
}

/** A variable's value, or what it is where it is absent; notes a problem where `parse` answers null. */
export type Read = <T>(name: string, absent: T, allowed: string, parse: (text: string) => T | null) => T;

const DETAILS = ['KAFKA_TLS', 'KAFKA_CA_FILE', 'KAFKA_USER', 'KAFKA_PASSWORD'] as const;

/** Host names and IPv4 addresses: kafkajs takes no others. */
const BROKER = /^[A-Za-z0-9][A-Za-z0-9._-]{0,254}:(\d{1,5})$/;

/** KAFKA_BROKERS and what belongs to it; undefined where it is absent. */
export function readKafka(read: Read, problems: string[]): KafkaSettings | undefined {
  const before = problems.length;
  const brokers = read<readonly string[] | undefined>(
    'KAFKA_BROKERS',
    undefined,
    'a list of the form host:9092,host:9092',
    (text) => {
      const list = text.split(',').map((broker) => broker.trim());
      const good = (broker: string): boolean => {
        const port = Number(BROKER.exec(broker)?.[1]);
        return port > 0 && port <= 65_535;
      };
      return list.every(good) ? list : null;
    },
  );
  const given = <T>(name: (typeof DETAILS)[number], allowed: string, parse: (text: string) => T | null) =>
    read<T | undefined>(name, undefined, allowed, parse);
  const tls = given('KAFKA_TLS', 'one of on, off', (text) => (text === 'on' || text === 'off' ? text : null));
  const caFile = given('KAFKA_CA_FILE', 'a file with certificates (PEM)', (text) =>
    text.includes('\0') ? null : resolve(text),
  );
  const name = given('KAFKA_USER', 'the name of a user, without control characters', visible);
  const password = given('KAFKA_PASSWORD', 'a password, without control characters', visible);
  if (problems.length > before) return undefined;

  if (brokers === undefined) {
    if ([tls, caFile, name, password].some((value) => value !== undefined))
      problems.push(`${DETAILS.join(', ')} say how KAFKA_BROKERS are reached, and it is absent.`);
    return undefined;
  }
  if (caFile !== undefined && tls === 'off')
    problems.push('KAFKA_CA_FILE names an authority for TLS, and KAFKA_TLS is off.');
  if ((name === undefined) !== (password === undefined))
    problems.push('KAFKA_USER and KAFKA_PASSWORD must be given together.');
  return {
    brokers,
    tls: tls === 'on' || (tls === undefined && caFile !== undefined),
    ...(caFile !== undefined && { caFile }),
    ...(name !== undefined && password !== undefined && { user: { name, password } }),
  };
}

const visible = (text: string): string | null => (/[\u0000-\u001f\u007f]/.test(text) ? null : text);
