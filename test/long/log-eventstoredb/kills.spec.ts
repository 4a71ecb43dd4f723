import { expect, jest, test } from '@jest/globals';
import { killRun } from '../../support/eventstoredb-kills.js';

jest.setTimeout(400_000);

test('forty kills of the log under sixteen writers lose nothing, double nothing, and are seen by nobody who reads', async () => {
  const { followed, read, sealed, ...counts } = await killRun({ kills: 40, writers: 16, apart: 1_500 });
  expect(counts).toMatchObject({ conflicts: 0, lost: 0, doubled: 0, unasked: 0 });
  expect(counts.unknown).toBeGreaterThan(0);
  expect(followed).toEqual(read);
  expect(sealed).toBe(read.length);
});
