import { isMainThread, parentPort } from 'node:worker_threads';

/** A thread beside the server that comes upon an error which nobody catches, once it is asked for its figures. */
if (!isMainThread)
  parentPort?.on('message', ({ ask }) => {
    if (ask === 'figures')
      setImmediate(() => {
        throw new TypeError('Mrs Sentinel called');
      });
  });
