/**
 * Lets a plain node run the sources: `node --conditions=source --import ./test/support/typescript.mjs FILE.ts`.
 * For specs that need processes of their own (to kill them, to have two at once) without a build.
 */
import { transformFile } from '@swc/core';
import { existsSync } from 'node:fs';
import { register } from 'node:module';
import { fileURLToPath } from 'node:url';

/** Imported by --import it registers itself; as the hooks of another thread it only answers. */
export async function resolve(specifier, context, next) {
  const inOurs = context.parentURL?.endsWith('.ts') && /^\.{1,2}\/.*\.js$/.test(specifier);
  // A thread's program has no parent; it is named as it will be built.
  const ours = inOurs || (/^file:.*\.js$/.test(specifier) && !existsSync(new URL(specifier)));
  return next(ours ? specifier.replace(/\.js$/, '.ts') : specifier, context);
}

export async function load(url, context, next) {
  if (!url.endsWith('.ts')) return next(url, context);
  const { code } = await transformFile(fileURLToPath(url), { sourceMaps: 'inline' });
  return { format: 'module', source: code, shortCircuit: true };
}

/** Each thread of a program imports it anew; only as the hooks' own thread it registers nothing. */
const HOOKS = '?hooks';
if (!import.meta.url.endsWith(HOOKS) && !globalThis.covenantSources) {
  globalThis.covenantSources = true;
  register(`${import.meta.url}${HOOKS}`);
}
