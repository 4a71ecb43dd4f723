import { describe, expect, it } from '@jest/globals';
import { startRefused } from './cluster.js';
import { parsePidFile, servesFolder } from './postmaster.js';
import { EmbeddedRefused, fromFileSystem } from './refused.js';

describe('What PostgreSQL says when it does not start', () => {
  it.each([
    ['FATAL:  could not write lock file "postmaster.pid": No space left on device', 'disk-full'],
    ['FATAL:  could not extend file "base/1/2691": wrote only 4096 of 8192 bytes at block 9', 'disk-full'],
    ['initdb: error: could not access directory "/data": Permission denied', 'permission'],
    ['FATAL:  data directory "/data" has wrong ownership', 'permission'],
    ['FATAL:  data directory "/data" has invalid permissions', 'permission'],
    ['FATAL:  could not load server certificate file', 'not-starting'],
  ])('becomes one error of a kind: %s', (said, code) => {
    const refused = startRefused('/data/postgres', `LOG:  starting\n${said}\nLOG:  shut down`);
    expect(refused.code).toBe(code);
    expect(refused.message).toContain('/data/postgres');
    expect(refused.message).not.toContain('\n');
  });

  it('is passed on where it is no known kind, without the noise around it', () => {
    const said = 'LOG:  starting PostgreSQL 18\nFATAL:  the sky has fallen\nHINT:  Look up.\nLOG:  bye';
    expect(startRefused('/data', said).message).toBe(
      'PostgreSQL does not start on /data: FATAL:  the sky has fallen HINT:  Look up.',
    );
  });
});

describe('What the file system refuses', () => {
  it.each([
    ['ENOSPC', 'disk-full'],
    ['EDQUOT', 'disk-full'],
    ['EACCES', 'permission'],
    ['EROFS', 'permission'],
    ['ENOTDIR', 'path'],
    ['ENAMETOOLONG', 'path'],
  ])('becomes one error of a kind: %s', (code, kind) => {
    const error = fromFileSystem(Object.assign(new Error(code), { code }), '/data');
    expect(error).toMatchObject({ code: kind });
    expect((error as Error).message).toContain('/data');
  });

  it('stays what it is where it is something else', () => {
    const [bug, own] = [new TypeError('a bug'), new EmbeddedRefused('password', 'gone')];
    expect(fromFileSystem(bug, '/data')).toBe(bug);
    expect(fromFileSystem(own, '/data')).toBe(own);
  });
});

describe('postmaster.pid', () => {
  const whole = '4711\n/data/postgres\n1795579285\n33673\n\n127.0.0.1\n        0         5\nready   \n';

  it('tells the process, the port and how it is', () => {
    expect(parsePidFile(whole)).toEqual({ pid: 4711, port: 33_673, status: 'ready' });
    expect(parsePidFile(whole.replace('ready   ', 'stopping'))).toMatchObject({ status: 'stopping' });
  });

  it('is read while it is being written, at whatever length', () => {
    for (let length = 0; length < whole.length; length++) {
      const parsed = parsePidFile(whole.slice(0, length));
      if (parsed?.status === 'ready') expect(parsed).toEqual({ pid: 4711, port: 33_673, status: 'ready' });
    }
    expect(parsePidFile('')).toBeNull();
    expect(parsePidFile('4711\n/data/postgres\n')).toEqual({ pid: 4711, port: null, status: 'starting' });
  });
});

describe('A process that serves a folder', () => {
  it('is a postmaster of that very folder, not its child, not another’s, not something else', () => {
    expect(
      servesFolder(['/opt/bin/postgres', '-D', '/data/postgres', '-c', 'port=1'], '/data/postgres'),
    ).toBe(true);
    expect(servesFolder(['postgres: checkpointer '], '/data/postgres')).toBe(false);
    expect(servesFolder(['/opt/bin/postgres', '-D', '/data/other'], '/data/postgres')).toBe(false);
    expect(servesFolder(['vi', '/data/postgres'], '/data/postgres')).toBe(false);
    expect(servesFolder([''], '/data/postgres')).toBe(false);
  });
});
