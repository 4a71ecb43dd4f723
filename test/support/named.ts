import { test } from '@jest/globals';

/** What a suite of test/cluster says, in one line that nobody overlooks, where its server is not named. */
export function notNamed(variable: string, server: string): void {
  test(`${variable} names no ${server}: NOTHING was tested against a real one`, () => {
    process.stderr.write(`\n!!! ${variable} names no ${server}: NOTHING was tested against a real one\n`);
  });
}
