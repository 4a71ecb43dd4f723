// breaks @typescript-eslint/no-floating-promises: Promises must be awaited
export function close(pool: { end(): Promise<void> }): void {
  pool.end();
}
