import { readFile } from 'node:fs/promises';
import { X509Certificate } from 'node:crypto';
import type { KafkaAddress, KafkaTrouble } from '#adapters/feed-kafka';
import type { Unready } from '../observe/readiness.js';
import { SettingsRefused, type Settings } from '../settings/settings.js';

/**
 * Where Kafka is, and as whom.
 *
 * @throws SettingsRefused where the file of KAFKA_CA_FILE is no certificate, or KAFKA_BROKERS is absent
 */
export async function kafkaAddress({ kafka }: Pick<Settings, 'kafka'>): Promise<KafkaAddress> {
  if (!kafka) throw new SettingsRefused(['KAFKA_BROKERS must be given.']);
  const { brokers, tls, caFile, user } = kafka;
  const ca = caFile === undefined ? undefined : await certificates(caFile);
  return {
    brokers,
    ...(tls && { tls: { ...(ca !== undefined && { ca }) } }),
    ...(user && { user }),
  };
}

async function certificates(path: string): Promise<string> {
  const text = await readFile(path, 'utf8').catch(() => {
    throw new SettingsRefused([`KAFKA_CA_FILE must be a file that can be read; ${path} is none.`]);
  });
  try {
    new X509Certificate(text);
  } catch {
    throw new SettingsRefused([`KAFKA_CA_FILE must hold certificates (PEM); ${path} holds none.`]);
  }
  return text;
}

/** What readiness says of Kafka. */
export function unreadyOf(trouble: KafkaTrouble | null): Unready | null {
  switch (trouble) {
    case null:
      return null;
    case 'untrusted':
      return 'feed-untrusted';
    case 'credentials-wrong':
      return 'feed-credentials-wrong';
    case 'not-permitted':
      return 'feed-not-permitted';
    case 'unreachable':
    case 'no-tls':
    case 'topic-missing':
    case 'topic-unfit':
    case 'failed':
      return 'feed-unavailable';
  }
}
