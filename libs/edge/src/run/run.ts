import type { DynamicModule, Type } from '@nestjs/common';
import { EmbeddedRefused } from '#adapters/embedded-postgres';
import { SecretRefused } from '#adapters/files';
import { StoreError } from '#engine/store';
import { openHouse } from '../house/open-house.js';
import type { House } from '../house/house.js';
import { failureOf } from '../observe/failure.js';
import { openLog, type ProcessLog } from '../observe/log.js';
import { readSettings, SettingsRefused, type Reader, type Settings } from '../settings/settings.js';
import { bootstrap, StartRefused, type BootstrapOptions, type Running } from './bootstrap.js';

/** Milliseconds for all of stopping; then the process ends as it is. */
const LAST_MOMENT = 30_000;

export interface Program extends BootstrapOptions, Reader {
  readonly module: (house: House) => Type | DynamicModule;
  /** Once it answers: what is to be told or seeded; only then is it ready. */
  readonly started?: (house: House, running: Running) => Promise<void>;
}

/** Errors whose message is for people: one line each, no stack. */
const EXPECTED = [SettingsRefused, SecretRefused, EmbeddedRefused, StoreError, StartRefused] as const;

/**
 * The life of a process: settings, house, server, until SIGTERM or SIGINT; then in reverse. A signal that
 * comes again while it stops changes nothing. Ends the process: 0 after a signal, 1 after anything else.
 */
export async function run(program: Program, env: NodeJS.ProcessEnv): Promise<void> {
  const signalled = new Promise<NodeJS.Signals>((resolve) => {
    for (const signal of ['SIGTERM', 'SIGINT'] as const) process.on(signal, () => resolve(signal));
  });
  // Whoever read the output may go away (`npm start | head`); the desk goes on without.
  for (const stream of [process.stdout, process.stderr]) stream.on('error', () => undefined);
  let log: ProcessLog | undefined;
  let house: House | undefined;
  let running: Running | undefined;
  let code = 0;
  const failed = (error: unknown): void => {
    code = 1;
    complain(program.name, error, log, running === undefined);
  };
  const surprised = new Promise<void>((resolve) => {
    for (const surprise of ['uncaughtException', 'unhandledRejection'] as const)
      process.on(surprise, (error: unknown) => {
        failed(error);
        resolve();
      });
  });
  try {
    const settings: Settings = readSettings(env, program);
    log = openLog(settings.logLevel, program.name);
    house = await openHouse(settings, { as: 'desk', logger: log });
    let told = false;
    house.readiness.add('start', 'starting', () => (told ? null : 'starting'));
    running = await bootstrap(program.module(house), house, program);
    await program.started?.(house, running);
    told = true;
    log.info({ address: running.address }, 'the desk is open');
    const signal = await Promise.race([signalled, surprised]);
    log.info({ signal }, 'the desk is stopping');
  } catch (error) {
    failed(error);
  }
  setTimeout(() => {
    log?.flush();
    process.exit(1);
  }, LAST_MOMENT).unref();
  for (const close of [running?.close, house && (() => house.close())]) await close?.().catch(failed);
  log?.info({ code }, 'the desk has stopped');
  log?.flush();
  process.exit(code);
}

/** @param early before anybody could have typed anything that a message may quote (ruling 31) */
function complain(name: string, error: unknown, log: ProcessLog | undefined, early: boolean): void {
  if (error instanceof Error && EXPECTED.some((kind) => error instanceof kind)) {
    for (const line of error.message.split('\n')) process.stderr.write(`covenant ${name}: ${line}\n`);
    return;
  }
  const failure = failureOf(error);
  if (log) log.error({ failure }, 'the process failed');
  const reason = early && error instanceof Error ? `${error.name}: ${error.message}` : failure.error;
  process.stderr.write(`covenant ${name}: failed: ${reason}\n    at ${failure.at.join('\n    at ')}\n`);
}
