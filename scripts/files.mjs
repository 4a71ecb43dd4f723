import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';

/** Every file under a folder, in an order of its own; none where the folder is absent. */
export function* filesUnder(folder) {
  if (!existsSync(folder)) return;
  const entries = readdirSync(folder, { withFileTypes: true }).sort((a, b) => (a.name < b.name ? -1 : 1));
  for (const entry of entries) {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) yield* filesUnder(path);
    else yield path;
  }
}
