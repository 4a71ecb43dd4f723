import { covenant } from './covenant.js';

const stop = new AbortController();
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => stop.abort());
// Whoever reads the output may have seen enough (`covenant log | head`); what is open is still closed.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code !== 'EPIPE' && error.code !== 'ERR_STREAM_DESTROYED') throw error;
  stop.abort();
});

/** Looked at only by who asks for it: opening it would keep the program waiting for its end. */
let stdin: NodeJS.ReadStream | undefined;

process.exitCode = await covenant(process.argv.slice(2), {
  env: process.env,
  get stdin() {
    return (stdin ??= process.stdin);
  },
  stdout: process.stdout,
  stderr: process.stderr,
  signal: stop.signal,
});
stdin?.destroy();
