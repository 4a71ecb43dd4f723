/** What a room may say about its running; pino's form, so that a pino logger is one. Never a text a person typed (ruling 31). */
export interface Logger {
  info(fields: object, message: string): void;
  warn(fields: object, message: string): void;
  error(fields: object, message: string): void;
}

/** Says nothing; for tests and pure use. */
export const silent: Logger = { info: () => {}, warn: () => {}, error: () => {} };
