import { access } from 'node:fs/promises';
import { dirname, join } from 'node:path';

let found: Promise<string> | undefined;

/** The folder of package.json, from the sources as from what was built of them. */
export function projectFolder(): Promise<string> {
  return (found ??= search(import.meta.dirname));
}

async function search(folder: string): Promise<string> {
  try {
    await access(join(folder, 'package.json'));
    return folder;
  } catch {
    if (dirname(folder) === folder) throw new Error('there is no package.json above the program');
    return search(dirname(folder));
  }
}
