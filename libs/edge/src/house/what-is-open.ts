/** What a house has opened so far, to be closed in reverse: the database, opened first, goes last. */
export class WhatIsOpen {
  private readonly closers: (() => unknown)[] = [];
  private closing: Promise<void> | undefined;

  async add<T extends { close(): unknown }>(opening: T | Promise<T>): Promise<T> {
    const opened = await opening;
    this.closers.push(() => opened.close());
    return opened;
  }

  /** Does something again and again, the next time only after it is done; `close` waits for the one under way. */
  every(milliseconds: number, work: () => Promise<void>): void {
    let timer: NodeJS.Timeout | undefined;
    let stopped = false;
    let under = Promise.resolve();
    const next = (): void => {
      timer = setTimeout(() => {
        under = work().finally(() => {
          if (!stopped) next();
        });
      }, milliseconds).unref();
    };
    next();
    this.closers.push(async () => {
      stopped = true;
      clearTimeout(timer);
      await under;
    });
  }

  /** Closes everything even where something fails to close. @throws the first failure */
  close(): Promise<void> {
    return (this.closing ??= this.closeAll());
  }

  private async closeAll(): Promise<void> {
    const failures: unknown[] = [];
    for (const close of this.closers.reverse())
      try {
        await close();
      } catch (error) {
        failures.push(error);
      }
    if (failures.length > 0) throw failures[0];
  }
}
