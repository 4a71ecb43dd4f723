import type { DynamicModule, Type } from '@nestjs/common';
import { EmbeddedRefused } from '#adapters/embedded-postgres';
import { SecretRefused } from '#adapters/files';
import { TablesUnavailable } from '#engine/feed';
import { StoreError } from '#engine/store';
import { openHouse } from '../house/open-house.js';
import { openPremises } from '../house/open-premises.js';
import type { House } from '../house/house.js';
import type { Premises } from '../house/premises.js';
import { failureOf } from '../observe/failure.js';
import { openLog, type ProcessLog } from '../observe/log.js';
import { readSettings, SettingsRefused, type Reader, type Settings } from '../settings/settings.js';
import { bootstrap, StartRefused, type BootstrapOptions, type Running } from './bootstrap.js';

/** Milliseconds for all of stopping; then the process ends as it is. */
const LAST_MOMENT = 30_000;

export interface Program<P extends Premises = House> extends BootstrapOptions, Reader {
  readonly module: (premises: P) => Type | DynamicModule;
  /** Once it answers: what is to be told or seeded; only then is it ready. */
  readonly started?: (premises: P, running: Running) => Promise<void>;
}

/** Errors whose message is for people: one line each, no stack. */
const EXPECTED = [
  SettingsRefused,
  SecretRefused,
  EmbeddedRefused,
  StoreError,
  TablesUnavailable,
  StartRefused,
] as const;

/** A process of the desk, with a house. Ends the process: 0 after a signal, 1 after anything else. */
export const run = (program: Program, env: NodeJS.ProcessEnv): Promise<void> =>
  live(program, env, (settings, logger) => openHouse(settings, { as: 'desk', logger }));

/** A process that lives on public messages alone; ends as `run` does. */
export const runOnMessages = (program: Program<Premises>, env: NodeJS.ProcessEnv): Promise<void> =>
  live(program, env, openPremises);

/**
 * The life of a process: settings, premises, server, until SIGTERM or SIGINT; then in reverse. A signal that
 * comes again while it stops changes nothing.
 */
async function live<P extends Premises>(
  program: Program<P>,
  env: NodeJS.ProcessEnv,
  open: (settings: Settings, logger: ProcessLog) => Promise<P>,
): Promise<void> {
  const signalled = new Promise<NodeJS.Signals>((resolve) => {
    for (const signal of ['SIGTERM', 'SIGINT'] as const) process.on(signal, () => resolve(signal));
  });
  // Whoever read the output may go away (`npm start | head`); the desk goes on without.
  for (const stream of [process.stdout, process.stderr]) stream.on('error', () => undefined);
  let log: ProcessLog | undefined;
  let premises: P | undefined;
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
    premises = await open(settings, log);
    let told = false;
    premises.readiness.add('start', 'starting', () => (told ? null : 'starting'));
    running = await bootstrap(program.module(premises), premises, program);
    await program.started?.(premises, running);
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
  for (const close of [running?.close, premises && (() => premises.close())]) await close?.().catch(failed);
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
