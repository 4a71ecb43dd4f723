// breaks no-restricted-syntax: A test waits for a condition
import { it } from '@jest/globals';

it('hopes that a second is enough', async () => {
  await new Promise((resolve) => setTimeout(resolve, 1_000));
});
