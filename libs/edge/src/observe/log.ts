import type { LoggerService } from '@nestjs/common';
import { destination, pino, type Logger as Pino } from 'pino';
import type { Logger } from '#kernel';
import { failureOf } from './failure.js';
import type { LogLevel } from '../settings/settings.js';

export interface ProcessLog extends Logger {
  readonly pino: Pino;
  /** What is buffered is written before this returns. */
  flush(): void;
}

/**
 * One JSON line an entry on standard output (standard error for commands), collected for at most a tenth of
 * a second. Errors under `err` or `error` are told by kind, code and place, never by a message that may quote
 * a person (ruling 31).
 */
export function openLog(level: LogLevel, name: string, dest: 1 | 2 = 1): ProcessLog {
  const out = destination({ dest, sync: false, minLength: 8_192, periodicFlush: 100 });
  let reader = true;
  // Whoever read the output may go away (`npm start | head`); the desk goes on without.
  out.on('error', () => {
    reader = false;
  });
  const serializers = { err: toldOf, error: toldOf };
  const line = pino({ level, base: { app: name }, serializers }, out);
  return {
    pino: line,
    info: (fields, message) => line.info(fields, message),
    warn: (fields, message) => line.warn(fields, message),
    error: (fields, message) => line.error(fields, message),
    flush: () => {
      if (reader) out.flushSync();
    },
  };
}

/** Rooms that name an error themselves are taken at their word. */
const toldOf = (error: unknown): unknown => (error instanceof Error ? failureOf(error) : error);

/** Nest's own news: its start-up chatter is dropped; of its warnings only where they come from is kept. */
export function nestLog(log: Logger): LoggerService {
  const told = (message: unknown, more: readonly unknown[]): object => {
    const context = more.at(-1);
    return {
      ...(message instanceof Error && { failure: failureOf(message) }),
      ...(typeof context === 'string' && { from: context.slice(0, 64) }),
    };
  };
  return {
    log: () => undefined,
    debug: () => undefined,
    verbose: () => undefined,
    warn: (message: unknown, ...more: unknown[]) => log.warn(told(message, more), 'nest warned'),
    error: (message: unknown, ...more: unknown[]) => log.error(told(message, more), 'nest failed'),
    fatal: (message: unknown, ...more: unknown[]) => log.error(told(message, more), 'nest failed'),
  };
}
