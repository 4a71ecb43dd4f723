import { connect, type Socket } from 'node:net';

/** Requests over keep-alive connections, each waiting for its answer before the next. */
export interface Load {
  readonly port: number;
  readonly connections: number;
  readonly milliseconds: number;
  /** One whole request, headers and body; asked anew for each. */
  readonly request: () => Buffer;
  /** Status that every answer must have. */
  readonly status: number;
}

export interface Loaded {
  /** Answers a second. */
  readonly rate: number;
  /** Milliseconds of each. */
  readonly times: readonly number[];
  /** Headers and body of the last answer. */
  readonly last: string;
}

const END_OF_HEAD = Buffer.from('\r\n\r\n');

/**
 * A client that costs as little as may be, since it shares the machine with what it measures: bare sockets,
 * answers with a Content-Length only.
 */
export async function load({ port, connections, milliseconds, request, status }: Load): Promise<Loaded> {
  const times: number[] = [];
  const expected = Buffer.from(`HTTP/1.1 ${status} `);
  let last: Buffer = Buffer.alloc(0);
  const sockets = await Promise.all(Array.from({ length: connections }, () => open(port)));
  const began = performance.now();
  const end = began + milliseconds;
  await Promise.all(
    sockets.map(
      (socket) =>
        new Promise<void>((resolve, reject) => {
          let sent = 0;
          let received: Buffer | null = null;
          const next = (): void => {
            sent = performance.now();
            if (sent >= end) {
              socket.end();
              resolve();
            } else socket.write(request());
          };
          socket.on('error', reject);
          socket.on('close', () => reject(new Error('the server closed a connection under load')));
          socket.on('data', (chunk) => {
            const answer: Buffer = received === null ? chunk : Buffer.concat([received, chunk]);
            const head = answer.indexOf(END_OF_HEAD);
            if (head < 0 || answer.length < head + 4 + contentLength(answer, head)) {
              received = answer;
              return;
            }
            received = null;
            if (answer.compare(expected, 0, expected.length, 0, expected.length) !== 0) {
              reject(new Error(`an answer was not ${status}: ${answer.toString('utf8', 0, 500)}`));
              return;
            }
            times.push(performance.now() - sent);
            last = answer;
            next();
          });
          next();
        }),
    ),
  );
  const took = performance.now() - began;
  for (const socket of sockets) socket.destroy();
  return { rate: (times.length * 1000) / took, times, last: last.toString() };
}

function contentLength(answer: Buffer, head: number): number {
  const text = answer.toString('latin1', 0, head);
  const at = text.search(/\r\ncontent-length: */i);
  if (at < 0) throw new Error('an answer has no Content-Length');
  return parseInt(text.slice(text.indexOf(':', at) + 1), 10);
}

function open(port: number): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const socket = connect({ port, host: '127.0.0.1', noDelay: true });
    socket.once('error', reject);
    socket.once('connect', () => {
      socket.off('error', reject);
      resolve(socket);
    });
  });
}

/** A request as it goes over the wire. */
export function wire(
  method: string,
  path: string,
  headers: Readonly<Record<string, string>>,
  body: string,
): Buffer {
  const lines = [
    `${method} ${path} HTTP/1.1`,
    'host: 127.0.0.1',
    ...Object.entries(headers).map(([name, value]) => `${name}: ${value}`),
    'content-type: application/json',
    `content-length: ${Buffer.byteLength(body)}`,
  ];
  return Buffer.from(`${lines.join('\r\n')}\r\n\r\n${body}`);
}
