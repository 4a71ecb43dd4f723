// breaks @typescript-eslint/no-misused-promises: Expected non-Promise
export function ready(ask: () => Promise<boolean>): number {
  return ask() ? 200 : 503;
}
