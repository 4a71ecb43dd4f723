import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { chmod, mkdtemp, readFile, readdir, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { keptSecret, openSecrets, SecretRefused } from './secrets.js';

let dataDir: string;
beforeEach(async () => {
  dataDir = await mkdtemp(join(tmpdir(), 'covenant-secrets-'));
});
afterEach(() => rm(dataDir, { recursive: true, force: true }));

const at = (file: string): string => join(dataDir, 'secrets', file);

describe('The secrets of a desk', () => {
  it('are made once, long enough, and stay the same', async () => {
    const first = await openSecrets({ dataDir, given: {}, make: true });
    expect(first.masterKey).toHaveLength(32);
    expect(first.authSecret.length).toBeGreaterThanOrEqual(32);
    expect(first.identitySecret.length).toBeGreaterThanOrEqual(32);
    expect(await openSecrets({ dataDir, given: {}, make: true })).toEqual(first);
    expect(await openSecrets({ dataDir, given: {}, make: false })).toEqual(first);
  });

  it('are readable by their owner alone', async () => {
    await openSecrets({ dataDir, given: {}, make: true });
    expect((await stat(join(dataDir, 'secrets'))).mode & 0o777).toBe(0o700);
    for (const file of await readdir(join(dataDir, 'secrets'))) {
      expect((await stat(at(file))).mode & 0o777).toBe(0o600);
    }
  });

  it('mean the same as a file and as a variable', async () => {
    const made = await openSecrets({ dataDir, given: {}, make: true });
    const given = {
      MASTER_KEY: await readFile(at('master-key'), 'utf8'),
      AUTH_SECRET: await readFile(at('auth-secret'), 'utf8'),
      IDENTITY_SECRET: await readFile(at('identity-secret'), 'utf8'),
    };
    expect(await openSecrets({ dataDir: join(dataDir, 'other'), given, make: false })).toEqual(made);
  });

  it('that are given win over those that were made', async () => {
    await openSecrets({ dataDir, given: {}, make: true });
    const opened = await openSecrets({ dataDir, given: { MASTER_KEY: '00'.repeat(32) }, make: true });
    expect(opened.masterKey).toEqual(Buffer.alloc(32));
  });

  it.each([
    ['MASTER_KEY', 'c2hvcnQ='],
    ['AUTH_SECRET', 'x'.repeat(31)],
    ['IDENTITY_SECRET', 'too short'],
  ])('are refused when too short, by name: %s', async (variable, text) => {
    await expect(openSecrets({ dataDir, given: { [variable]: text }, make: true })).rejects.toThrow(variable);
  });

  it('must be given where none are to be made', async () => {
    await expect(openSecrets({ dataDir, given: {}, make: false })).rejects.toThrow(
      'MASTER_KEY must be given',
    );
    expect(await readdir(dataDir)).toEqual([]);
  });

  it('in files do not count where only given ones do', async () => {
    await openSecrets({ dataDir, given: {}, make: true });
    await expect(openSecrets({ dataDir, given: {}, make: false, files: false })).rejects.toThrow(
      SecretRefused,
    );
  });

  it('are not made anew once lost', async () => {
    await openSecrets({ dataDir, given: {}, make: true });
    await rm(at('identity-secret'));
    await expect(openSecrets({ dataDir, given: {}, make: true })).rejects.toThrow('identity-secret is gone');
  });

  it('are completed when a first start was cut off half-way', async () => {
    const first = await openSecrets({ dataDir, given: {}, make: true });
    await rm(at('made'));
    await rm(at('identity-secret'));
    const second = await openSecrets({ dataDir, given: {}, make: true });
    expect(second.masterKey).toEqual(first.masterKey);
    expect(second.identitySecret.length).toBeGreaterThanOrEqual(32);
  });

  it('that others can read are refused', async () => {
    await openSecrets({ dataDir, given: {}, make: true });
    await chmod(at('auth-secret'), 0o644);
    await expect(openSecrets({ dataDir, given: {}, make: true })).rejects.toThrow('chmod 600');
  });

  it('that are damaged are refused, never replaced', async () => {
    await openSecrets({ dataDir, given: {}, make: true });
    await writeFile(at('master-key'), '');
    await expect(openSecrets({ dataDir, given: {}, make: true })).rejects.toThrow(
      'master-key must be exactly 32',
    );
  });

  it('of other rooms are kept beside them', async () => {
    expect(await keptSecret({ dataDir, file: 'postgres-password', make: false })).toBeNull();
    const made = await keptSecret({ dataDir, file: 'postgres-password', make: true });
    expect(made).toMatch(/^[A-Za-z0-9_-]{43}$/);
    expect(await keptSecret({ dataDir, file: 'postgres-password', make: true })).toBe(made);
  });
});
