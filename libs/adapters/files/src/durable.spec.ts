import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { mkdtemp, readFile, readdir, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { keptSecret, openSecrets } from './secrets.js';
import { writeDurably, writeOnce } from './durable.js';

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'covenant-durable-'));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

describe('A file written durably', () => {
  it('replaces what was there, with its mode, and leaves no draft', async () => {
    const path = join(folder, 'file');
    await writeFile(path, 'old', { mode: 0o644 });
    await writeDurably(path, 'new');
    expect(await readFile(path, 'utf8')).toBe('new');
    expect((await stat(path)).mode & 0o777).toBe(0o600);
    expect(await readdir(folder)).toEqual(['file']);
  });

  it('leaves what was there where it cannot be written', async () => {
    await expect(writeDurably(join(folder, 'absent', 'file'), 'new')).rejects.toMatchObject({
      code: 'ENOENT',
    });
    expect(await readdir(folder)).toEqual([]);
  });
});

describe('A file written once', () => {
  it('is one writer’s, whole, however many write it at the same time', async () => {
    const path = join(folder, 'file');
    const contents = Array.from({ length: 20 }, (_, n) => `content ${n} `.repeat(1000));
    const written = await Promise.all(contents.map((content) => writeOnce(path, content)));
    expect(written.filter(Boolean)).toHaveLength(1);
    expect(await readFile(path, 'utf8')).toBe(contents[written.indexOf(true)]);
    expect(await readdir(folder)).toEqual(['file']);
  });
});

describe('Secrets that several processes make at once', () => {
  it('are the same for all of them', async () => {
    const all = await Promise.all(
      Array.from({ length: 8 }, () => openSecrets({ dataDir: folder, given: {}, make: true })),
    );
    for (const secrets of all) expect(secrets).toEqual(all[0]);
    const passwords = await Promise.all(
      Array.from({ length: 8 }, () => keptSecret({ dataDir: folder, file: 'password', make: true })),
    );
    expect(new Set(passwords).size).toBe(1);
  });
});
