import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { execFile } from 'node:child_process';
import { chmod, mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { DeskProcess } from '../edge/desk-process.js';

/** Blocks of shell lines, in their order. */
const shellBlocks = (page: string): readonly string[] =>
  [...page.matchAll(/^```sh\n([\s\S]*?)^```$/gm)].map(([, lines]) => lines!);

let folder: string;
let desk: DeskProcess;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'covenant-readme-'));
  // Started by root, the database's user passes through; else the files would go elsewhere (ruling 34) and stay.
  await chmod(folder, 0o711);
  desk = DeskProcess.start({ env: { DATA_DIR: join(folder, 'data') } });
  await desk.address();
}, 90_000);

afterAll(async () => {
  desk.signal('SIGTERM');
  await desk.ended;
  await rm(folder, { recursive: true, force: true });
});

describe('The lines of the README', () => {
  it('open a ticket and find it in the queue, when pasted', async () => {
    const [, lines] = shellBlocks(await readFile('README.md', 'utf8'));
    const { stdout } = await promisify(execFile)('sh', ['-eu', '-c', lines!], {
      cwd: folder,
      env: { PATH: process.env.PATH, no_proxy: '127.0.0.1' },
    });
    const [opened, queue] = stdout
      .trim()
      .split(/\n|(?<=\})(?=\{)/)
      .map((line) => JSON.parse(line));
    expect(opened).toMatchObject({ number: expect.stringMatching(/^T-\d+$/) });
    expect(opened.promises.map(({ clock }: { clock: string }) => clock)).toEqual([
      'first-response',
      'resolution',
    ]);
    expect(queue.items.map(({ number }: { number: string }) => number)).toContain(opened.number);
  });
});
