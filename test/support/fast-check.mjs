/**
 * What `fast-check` means to a spec (moduleNameMapper in jest.config.mjs): fast-check itself, with the seed
 * that scripts/jest.mjs printed. Without one, as in an editor, fast-check draws its own and prints it where a
 * property fails.
 */
import fc from '../../node_modules/fast-check/lib/fast-check.js';

const seed = process.env.COVENANT_SEED;
if (seed !== undefined) fc.configureGlobal({ ...fc.readConfigureGlobal(), seed: Number(seed) });

export * from '../../node_modules/fast-check/lib/fast-check.js';
export default fc;
