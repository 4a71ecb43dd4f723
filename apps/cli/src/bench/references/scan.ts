import type { StoredEvent } from '#engine/store';

/** Reads every page and parses every body, and nothing more. */
export async function scan(pages: AsyncIterable<readonly StoredEvent[]>): Promise<number> {
  let count = 0;
  for await (const page of pages)
    for (const { body } of page) {
      const parsed = JSON.parse(body) as object | null;
      if (parsed) count++;
    }
  return count;
}
