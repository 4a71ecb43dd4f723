import { Module, type DynamicModule, type Type } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { HouseModule } from '../house/house-module.js';
import type { Premises } from '../house/premises.js';
import { ValidInput } from '../input/validate.js';
import { nestLog } from '../observe/log.js';
import { ProblemFilter } from '../problem/filter.js';
import { openServer } from './server.js';

/** Milliseconds that requests in flight get to finish. */
const IN_FLIGHT = 10_000;

/** The process cannot start as it is asked to; the message is for people and says what to do. */
export class StartRefused extends Error {
  override readonly name = 'StartRefused';
}

export interface Running {
  readonly app: NestFastifyApplication;
  /** `http://127.0.0.1:3000`. */
  readonly address: string;
  /**
   * Stops accepting, lets what is in flight finish (bounded), then runs the modules' `onApplicationShutdown`,
   * where loops over subscriptions drain. The house stays open. Safe to call twice.
   */
  close(): Promise<void>;
}

export interface BootstrapOptions {
  /** `standalone`; what logs and errors call this process. */
  readonly name: string;
  /** Before the routes are mapped: what the modules themselves cannot do (OpenAPI pages). */
  readonly prepare?: (app: NestFastifyApplication) => void | Promise<void>;
}

@Module({})
class Root {}

/**
 * A process of the desk on HTTP: `appModule` inside a root with the house, the edge's hooks, pipe and filter,
 * listening at the settings' host and port.
 *
 * Loops of modules begin in `onApplicationBootstrap` and end in `onApplicationShutdown`, so that they still
 * run while the last requests wait for their own writes.
 *
 * @throws StartRefused where the address cannot be had
 */
export async function bootstrap(
  appModule: Type | DynamicModule,
  premises: Premises,
  { prepare }: BootstrapOptions,
): Promise<Running> {
  let stopping = false;
  const server = openServer({
    keeper: premises.keeper,
    metrics: premises.metrics,
    log: premises.logger,
    stopping: () => stopping,
  });
  premises.readiness.add('process', 'starting', () => (stopping ? 'stopping' : null));
  const app = await NestFactory.create<NestFastifyApplication>(
    { module: Root, imports: [HouseModule.forRoot(premises), appModule] },
    server,
    { bodyParser: false, logger: nestLog(premises.logger), abortOnError: false },
  );
  app.useGlobalPipes(new ValidInput());
  app.useGlobalFilters(new ProblemFilter(premises.logger));
  await prepare?.(app);

  const { port, host } = premises.settings;
  try {
    await app.listen({ port, host });
  } catch (error) {
    await app.close();
    throw refusalToListen(error, host, port);
  }

  let closing: Promise<void> | undefined;
  const close = async (): Promise<void> => {
    stopping = true;
    const patience = setTimeout(() => {
      premises.logger.warn({ milliseconds: IN_FLIGHT }, 'requests in flight did not finish and were cut off');
      app.getHttpServer().closeAllConnections();
    }, IN_FLIGHT);
    try {
      await app.close();
    } finally {
      clearTimeout(patience);
    }
  };
  return { app, address: addressOf(app, host), close: () => (closing ??= close()) };
}

function addressOf(app: NestFastifyApplication, host: string): string {
  const bound = app.getHttpServer().address();
  if (bound === null || typeof bound === 'string') throw new Error('the server is bound to no port');
  const name = ['0.0.0.0', '::'].includes(host) ? '127.0.0.1' : host.includes(':') ? `[${host}]` : host;
  return `http://${name}:${bound.port}`;
}

function refusalToListen(error: unknown, host: string, port: number): unknown {
  switch ((error as NodeJS.ErrnoException).code) {
    case 'EADDRINUSE':
      return new StartRefused(`port ${port} on ${host} is in use by another program; choose another: PORT=…`);
    case 'EACCES':
      return new StartRefused(`port ${port} may not be used by this user; choose one above 1023: PORT=…`);
    case 'EADDRNOTAVAIL':
    case 'ENOTFOUND':
    case 'EAI_AGAIN':
      return new StartRefused(`${host} is no address of this machine; choose another: HOST=…`);
    case undefined:
    default:
      return error;
  }
}
