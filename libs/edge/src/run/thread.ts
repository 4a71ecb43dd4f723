import { isMainThread, parentPort, Worker, workerData, type MessagePort } from 'node:worker_threads';
import { Module, type DynamicModule, type Type } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { OlderThanLog } from '#engine/store';
import { HouseModule } from '../house/house-module.js';
import type { House } from '../house/house.js';
import { openHouse } from '../house/open-house.js';
import { nestLog, openLog } from '../observe/log.js';
import type { Figure } from '../observe/metrics.js';
import type { Parts } from '../observe/readiness.js';
import type { Settings } from '../settings/settings.js';

/** What the two sides of a thread say to each other. */
type Question = { readonly id: number; readonly ask: 'parts' | 'figures' | 'close' };
type Answer = { readonly id: number; readonly answer?: Parts | readonly Figure[]; readonly failed?: true };
/** Said unasked: an event was met there that this program does not know, so nobody in it decides any more. */
type Met = { readonly olderThan: string };

interface Handed {
  readonly name: string;
  readonly settings: Settings;
  readonly storedIn: string | undefined;
}

/** Of the question that a thread answers without being asked: it is open. */
const OPENED = 0;

/** Modules at work on a thread of their own, beside the server of the same process. */
export interface Thread {
  /** Ends the modules' loops, then the house they had. Safe to call twice. */
  close(): Promise<void>;
}

/**
 * Starts a program file that calls `onThread`, and resolves once its modules have begun. The thread has a
 * house of its own over the same database; its parts count in this process's readiness, its figures stand in
 * /metrics, and whatever it does not catch ends the process, as it would here.
 *
 * @param entry the program file
 * @param name what logs and readiness call it
 */
export async function openThread(house: House, name: string, entry: URL): Promise<Thread> {
  const { settings, secrets, databaseUrl, storedIn } = house;
  const handed: Handed = {
    name,
    storedIn,
    settings: {
      ...settings,
      databaseUrl,
      secrets: {
        MASTER_KEY: secrets.masterKey.toString('base64'),
        AUTH_SECRET: secrets.authSecret.toString('utf8'),
        IDENTITY_SECRET: secrets.identitySecret.toString('utf8'),
      },
    },
  };
  const worker = new Worker(entry, { name, workerData: handed });
  const asked = new Map<number, { resolve(answer: Answer): void; reject(error: Error): void }>();
  let state: 'opening' | 'open' | 'closing' | 'failed' | 'ended' = 'opening';
  const gone = new Promise<void>((resolve) =>
    worker.once('exit', () => {
      const surprising = state === 'open';
      state = 'ended';
      for (const { reject } of asked.values()) reject(new Error(`the thread ${name} has ended`));
      asked.clear();
      resolve();
      if (surprising) throw new Error(`the thread ${name} ended by itself`);
    }),
  );
  const answered = (id: number): Promise<Answer> =>
    new Promise((resolve, reject) => asked.set(id, { resolve, reject }));
  let last = OPENED;
  const ask = async (what: Question['ask']): Promise<Answer['answer']> => {
    if (state === 'ended') throw new Error(`the thread ${name} has ended`);
    const id = ++last;
    const answer = answered(id);
    worker.postMessage({ id, ask: what } satisfies Question);
    const { failed, answer: said } = await answer;
    if (failed) throw new Error(`the thread ${name} could not answer ${what}`);
    return said;
  };
  worker.on('message', (said: Answer | Met) => {
    if ('olderThan' in said) {
      house.admission.met(new OlderThanLog(said.olderThan));
      return;
    }
    asked.get(said.id)?.resolve(said);
    asked.delete(said.id);
  });
  const opened = answered(OPENED);
  await new Promise<void>((resolve, reject) => {
    worker.on('error', (error) => {
      const early = state === 'opening';
      state = 'failed';
      if (!early) throw error;
      reject(error);
    });
    opened.then(() => resolve(), reject);
  });
  state = 'open';
  house.readiness.include(name, 'loop-stopped', async () => (await ask('parts')) as Parts);
  house.metrics.include(async () => (await ask('figures')) as readonly Figure[]);
  let closing: Promise<void> | undefined;
  const close = async (): Promise<void> => {
    if (state === 'open') {
      state = 'closing';
      await ask('close');
    }
    await gone;
  };
  return { close: () => (closing ??= close()) };
}

@Module({})
class Root {}

/** The other side: a house of its own and `module` in it, until it is told to close. To be called first in a program file. */
export async function onThread(module: (house: House) => Type | DynamicModule): Promise<void> {
  if (isMainThread || parentPort === null)
    throw new Error('onThread is for a thread that openThread started');
  const port: MessagePort = parentPort;
  const { name, settings, storedIn } = workerData as Handed;
  const log = openLog(settings.logLevel, name);
  const house = await openHouse(settings, { as: 'desk', logger: log, storedIn });
  const app = await NestFactory.createApplicationContext(
    { module: Root, imports: [HouseModule.forRoot(house), module(house)] },
    { logger: nestLog(log), abortOnError: false },
  );
  const close = async (): Promise<undefined> => {
    try {
      await app.close();
    } finally {
      await house.close();
      log.flush();
    }
    return undefined;
  };
  const to = (ask: Question['ask']): Promise<Answer['answer']> => {
    switch (ask) {
      case 'parts':
        return house.readiness.state().then(({ parts }) => parts);
      case 'figures':
        return house.metrics.figures();
      case 'close':
        return close();
    }
  };
  port.on('message', ({ id, ask }: Question) => {
    void to(ask)
      .then(
        (answer): Answer => ({ id, ...(answer !== undefined && { answer }) }),
        (): Answer => ({ id, failed: true }),
      )
      .then((answer) => {
        port.postMessage(answer);
        if (ask === 'close') port.close();
      });
  });
  house.admission.onOlder((olderThan) => port.postMessage({ olderThan } satisfies Met));
  port.postMessage({ id: OPENED } satisfies Answer);
}
