import { openHouse, openLog, readSettings, type House } from '#edge';
import type { Surroundings } from './program.js';

/**
 * Opens the desk's house for a command, and closes it whatever happens. Where a desk is running on the data
 * folder the command attaches to its database; else it starts the embedded one itself and stops it at the
 * end. Nothing is ever seeded (ruling 35).
 *
 * Errors: SettingsRefused, and those of openHouse.
 */
export async function withHouse<T>(around: Surroundings, work: (house: House) => Promise<T>): Promise<T> {
  const settings = readSettings(around.env);
  // Standard output is the command's; what the rooms say of their running matters only where something is wrong.
  const logger = openLog(settings.logLevel === 'info' ? 'warn' : settings.logLevel, 'covenant', 2);
  const house = await openHouse(settings, { as: 'command', logger });
  try {
    return await work(house);
  } finally {
    await house.close();
    logger.flush();
  }
}
