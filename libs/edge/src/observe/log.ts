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
 * One JSON line an entry on standard output (standard error for commands), collected for at most a tenth of a second. Errors under `err`
 * or `error` are told by kind, code and place, never by a message that may quote a person (ruling 31).
 */
export function openLog(level: LogLevel, name: string, dest: 1 | 2 = 1): ProcessLog {
  const out = destination({ dest, sync: false, minLength: 8_192, periodicFlush: 100 });
  const line = pino({ level, base: { app: name }, serializers: { err: failureOf, error: failureOf } }, out);
  return {
    pino: line,
    info: (fields, message) => line.info(fields, message),
    warn: (fields, message) => line.warn(fields, message),
    error: (fields, message) => line.error(fields, message),
    flush: () => out.flushSync(),
  };
}

/** Nest's own news: its start-up chatter is dropped, its warnings are kept without what came with them. */
export function nestLog(log: Logger): LoggerService {
  const told = (message: unknown): object =>
    message instanceof Error ? { failure: failureOf(message) } : { nest: String(message).slice(0, 200) };
  return {
    log: () => undefined,
    debug: () => undefined,
    verbose: () => undefined,
    warn: (message: unknown) => log.warn(told(message), 'nest warned'),
    error: (message: unknown) => log.error(told(message), 'nest failed'),
    fatal: (message: unknown) => log.error(told(message), 'nest failed'),
  };
}
