import { expect, jest, test } from '@jest/globals';
import { killRun } from '../../support/eventstoredb-kills.js';

jest.setTimeout(120_000);

test('three kills of the log under writers lose nothing, double nothing, and are seen by nobody who reads', async () => {
  const { followed, read, sealed, ...counts } = await killRun({ kills: 3, writers: 8, apart: 500 });
  expect(counts).toMatchObject({ conflicts: 0, lost: 0, doubled: 0, unasked: 0 });
  expect(counts.acknowledged).toBeGreaterThan(0);
  expect(followed).toEqual(read);
  expect(sealed).toBe(read.length);
});
