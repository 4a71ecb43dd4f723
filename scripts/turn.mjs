import { mkdirSync, renameSync, rmSync, statSync, utimesSync } from 'node:fs';
import { randomUUID } from 'node:crypto';

const BEAT = 1_000;
const DEAD_AFTER = 15_000;

/**
 * Runs `work` while no other process does, on the word of a folder that only one of them can make. Its holder
 * touches it every second; one untouched for 15 s belonged to a process that was killed, and is taken away.
 */
export async function inTurn(folder, work) {
  let told = false;
  while (!take(folder)) {
    const age = ageOf(folder);
    if (age !== undefined && age > DEAD_AFTER) {
      discard(folder);
      continue;
    }
    if (!told) console.error('another process of this checkout installs or builds: waiting for it');
    told = true;
    await new Promise((resolve) => setTimeout(resolve, 200));
  }
  const beat = setInterval(() => utimesSync(folder, new Date(), new Date()), BEAT);
  try {
    return await work();
  } finally {
    clearInterval(beat);
    rmSync(folder, { recursive: true, force: true });
  }
}

function take(folder) {
  try {
    mkdirSync(folder);
    return true;
  } catch (error) {
    if (error.code === 'EEXIST') return false;
    throw error;
  }
}

/** Milliseconds since the holder's last sign; undefined where nobody holds it any more. */
function ageOf(folder) {
  const found = statSync(folder, { throwIfNoEntry: false });
  return found && Date.now() - found.mtimeMs;
}

/** A rename has one winner, so two that find a dead turn do not both remove it. */
function discard(folder) {
  const aside = `${folder}.${randomUUID()}`;
  try {
    renameSync(folder, aside);
  } catch (error) {
    if (error.code === 'ENOENT') return;
    throw error;
  }
  rmSync(aside, { recursive: true, force: true });
}
