import { describe, expect, it } from '@jest/globals';
import { readSettings, SettingsRefused, type Reader } from './settings.js';

const refusal = (env: Record<string, string>, reader?: Reader): SettingsRefused => {
  try {
    readSettings(env, reader);
  } catch (error) {
    if (error instanceof SettingsRefused) return error;
    throw error;
  }
  throw new Error('it was accepted');
};

describe('The settings', () => {
  it('have a default for everything, and stand still', () => {
    const settings = readSettings({});
    expect(settings).toMatchObject({
      port: 3000,
      host: '127.0.0.1',
      deskZone: 'UTC',
      seed: true,
      approvals: 'two',
      pauseLimitDays: 14,
      logLevel: 'info',
    });
    expect(settings.databaseUrl).toBeUndefined();
    expect(Object.isFrozen(settings)).toBe(true);
  });

  it('take what is given, and count a variable set to nothing as absent', () => {
    expect(
      readSettings({ PORT: '8080', HOST: '0.0.0.0', DESK_ZONE: 'europe/berlin', SEED: 'off', LOG_LEVEL: '' }),
    ).toMatchObject({
      port: 8080,
      host: '0.0.0.0',
      deskZone: 'Europe/Berlin',
      seed: false,
      logLevel: 'info',
    });
  });

  it.each([
    ['PORT', '70000', '0 to 65535'],
    ['PORT', '8o80', '0 to 65535'],
    ['DESK_ZONE', 'Berlin', 'IANA'],
    ['SEED', 'no', 'on, off'],
    ['APPROVALS', '1', 'one, two'],
    ['PAUSE_LIMIT_DAYS', '0', '1 to 366'],
    ['PAUSE_LIMIT_DAYS', '7.5', '1 to 366'],
    ['LOG_LEVEL', 'loud', 'trace, debug'],
    ['DATABASE_URL', 'mysql://here/db', 'postgres://'],
    ['KAFKA_BROKERS', 'one', 'host:9092'],
    ['KAFKA_BROKERS', 'one:9092,two:99999', 'host:9092'],
    ['KAFKA_BROKERS', 'kafka://one:9092', 'host:9092'],
    ['KAFKA_USER', 'desk', 'it is absent'],
    ['KAFKA_CA_FILE', '/certs/ca.crt', 'it is absent'],
    ['KAFKA_TLS', 'yes', 'on, off'],
    ['EVENTSTORE_URL', 'http://here:2113', 'esdb://'],
    ['EVENTSTORE_URL', 'esdb://', 'esdb://'],
    ['OIDC_ISSUER', 'https://id.example', 'does not support'],
    ['SMTP_URL', 'smtp://here', 'does not support'],
  ])('refuse %s=%s and say what is allowed', (name, value, allowed) => {
    const { problems } = refusal({ [name]: value });
    expect(problems).toHaveLength(1);
    expect(problems[0]).toContain(name);
    expect(problems[0]).toContain(allowed);
  });

  it('differ by program: its own port, and what it cannot do without', () => {
    expect(readSettings({}, { port: 3001 }).port).toBe(3001);
    expect(readSettings({ PORT: '80' }, { port: 3001 }).port).toBe(80);
    const apart = { needs: ['DATABASE_URL'] } as const;
    expect(refusal({ DATABASE_URL: ' ' }, apart).problems).toEqual([
      'DATABASE_URL must be given: processes apart share one database; only the whole desk (npm start) makes its own.',
    ]);
  });

  it('take what a Kafka of one’s own needs', () => {
    const { kafka } = readSettings({
      KAFKA_BROKERS: 'one:9092, two.example:9093',
      KAFKA_CA_FILE: '/certs/ca.crt',
      KAFKA_USER: 'desk',
      KAFKA_PASSWORD: 's3cret',
    });
    expect(kafka).toEqual({
      brokers: ['one:9092', 'two.example:9093'],
      tls: true,
      caFile: '/certs/ca.crt',
      user: { name: 'desk', password: 's3cret' },
    });
    expect(readSettings({ KAFKA_BROKERS: 'one:9092' }).kafka).toEqual({ brokers: ['one:9092'], tls: false });
    expect(readSettings({ KAFKA_BROKERS: 'one:9092', KAFKA_TLS: 'on' }).kafka!.tls).toBe(true);
  });

  it.each([
    [{ KAFKA_USER: 'desk' }, 'KAFKA_USER and KAFKA_PASSWORD must be given together.'],
    [{ KAFKA_USER: 'de\u0000sk', KAFKA_PASSWORD: 'x' }, 'KAFKA_USER must be the name of a user'],
    [{ KAFKA_PASSWORD: 'x' }, 'KAFKA_USER and KAFKA_PASSWORD must be given together.'],
    [{ KAFKA_CA_FILE: '/certs/ca.crt', KAFKA_TLS: 'off' }, 'KAFKA_TLS is off'],
  ])('refuse %j beside KAFKA_BROKERS', (more, told) => {
    const { problems } = refusal({ KAFKA_BROKERS: 'one:9092', ...more });
    expect(problems).toHaveLength(1);
    expect(problems[0]).toContain(told);
  });

  it('name all problems at once', () => {
    const { problems } = refusal({ PORT: '-1', SEED: 'maybe', IMAP_URL: 'imap://here' });
    expect(problems.map((p) => p.split(' ')[0]).sort()).toEqual(['IMAP_URL', 'PORT', 'SEED']);
  });

  it('never repeat a value, which may be a secret', () => {
    expect(refusal({ DATABASE_URL: 'hunter2' }).message).not.toContain('hunter2');
  });

  it('ask for the secrets where the database is not the embedded one', () => {
    const { problems } = refusal({
      DATABASE_URL: 'postgres://desk@db/covenant',
      AUTH_SECRET: 'x'.repeat(32),
    });
    expect(problems.map((p) => p.split(' ')[0])).toEqual(['MASTER_KEY', 'IDENTITY_SECRET']);
  });
});
