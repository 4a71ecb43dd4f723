// breaks no-restricted-syntax: A test waits for a condition
import { setTimeout as sleep } from 'node:timers/promises';
import { it } from '@jest/globals';

it('hopes that a second is enough', async () => {
  await sleep(1_000);
});
