import { spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { fileURLToPath } from 'node:url';
import { mintToken } from '#edge';
import { percentile, type BenchContext } from './bench.js';
import { load, wire, type Loaded } from './load.js';
import { answering, freePort, stop } from './programs.js';

const CONNECTIONS = 64;
const ROUND_MS = 6_000;
const WARM_UP_MS = 4_000;

/** What the bare route did on the machine that DESIGN section 10 was measured on, answers a second. */
const BARE = 7_300;

/** Node's options in `npm start`; the reference gets them, too. MiB of young generation: most of a request dies young. */
const AS_NPM_START = ['--max-semi-space-size=64', '--enable-source-maps'] as const;

const PROGRAMS = {
  bare: './references/bare-route.js',
  api: '../../../api/src/main.js',
  standalone: '../../../standalone/src/main.js',
} as const;

/** A ticket whose opening is an event of about 1 KB. */
const TICKET = JSON.stringify({
  subject: 'The printer on floor 3 prints blank pages',
  text: 'x'.repeat(200),
  channel: 'phone',
});

/** A program of the desk in a process of its own, under load from this one. */
interface Server {
  readonly port: number;
  run(milliseconds: number, times?: number[]): Promise<Loaded>;
  /** Seconds until a read under `?after=` of the last answer is answered. */
  lag(): Promise<number>;
  close(): Promise<void>;
}

async function start(bench: BenchContext, name: keyof typeof PROGRAMS): Promise<Server> {
  const port = await freePort();
  const secrets = Object.fromEntries(
    ['MASTER_KEY', 'AUTH_SECRET', 'IDENTITY_SECRET'].map((secret) => [
      secret,
      randomBytes(32).toString('base64'),
    ]),
  );
  const program = fileURLToPath(new URL(PROGRAMS[name], import.meta.url));
  const child = spawn(process.execPath, [...AS_NPM_START, program], {
    env: {
      PATH: process.env.PATH,
      DATABASE_URL: await bench.database(),
      DATA_DIR: bench.folder,
      PORT: String(port),
      NODE_ENV: 'production',
      SEED: 'off',
      ...secrets,
    },
    stdio: ['ignore', 'ignore', 'inherit'],
  });
  const token = await mintToken(Buffer.from(secrets.AUTH_SECRET!), { role: 'agent', name: 'alice' });
  const authorization = `Bearer ${token}`;
  const prefix = randomBytes(8).toString('hex');
  let asked = 0;
  // The head of the request is laid out once; only the key differs, at one place.
  const template = wire(
    'POST',
    '/v1/tickets',
    { authorization, 'idempotency-key': `${prefix}-0000000000` },
    TICKET,
  );
  const at = template.indexOf(`${prefix}-`) + prefix.length + 1;
  const request = (): Buffer => {
    const next = Buffer.from(template);
    next.write(String(asked++).padStart(10, '0'), at, 'latin1');
    return next;
  };
  let last = '';
  const server: Server = {
    port,
    run: async (milliseconds, times) => {
      const loaded = await load({ port, connections: CONNECTIONS, milliseconds, request, status: 201 });
      last = loaded.last;
      for (const time of loaded.times) times?.push(time);
      return loaded;
    },
    lag: async () => {
      const position = /covenant-position: (\d+)/i.exec(last)?.[1];
      if (position === undefined) throw new Error('the last answer names no position');
      const began = performance.now();
      for (;;) {
        const answer = await fetch(`http://127.0.0.1:${port}/v1/tickets?limit=1&after=${position}`, {
          headers: { authorization },
        });
        if (answer.ok) return (performance.now() - began) / 1000;
        if (answer.status !== 503) throw new Error(`reading by position answered ${answer.status}`);
      }
    },
    close: () => stop(child),
  };
  try {
    await answering(child, name, `http://127.0.0.1:${port}${name === 'bare' ? '/' : '/health/ready'}`);
    await server.run(WARM_UP_MS);
    return server;
  } catch (error) {
    await stop(child);
    throw error;
  }
}

export async function http(bench: BenchContext): Promise<void> {
  const bare = await start(bench, 'bare');
  try {
    await alone(bench, bare);
    await together(bench, bare);
  } finally {
    await bare.close();
  }
}

async function alone(bench: BenchContext, bare: Server): Promise<void> {
  bench.progress('api alone');
  const api = await start(bench, 'api');
  try {
    const times: number[] = [];
    await bench.compare({
      name: 'api alone',
      unit: 'tickets/s',
      ours: async () => (await api.run(ROUND_MS, times)).rate,
      reference: async () => (await bare.run(ROUND_MS)).rate,
      recorded: BARE,
      bar: 'api alone',
    });
    const p99 = percentile(times, 0.99);
    bench.figure('api alone p50', percentile(times, 0.5), 'ms');
    bench.figure('api alone p99', p99, 'ms');
    bench.bar('api alone p99', p99);
  } finally {
    await api.close();
  }
}

async function together(bench: BenchContext, bare: Server): Promise<void> {
  bench.progress('with projector and timekeeper');
  const desk = await start(bench, 'standalone');
  try {
    const times: number[] = [];
    let lag = 0;
    await bench.compare({
      name: 'with projector and timekeeper',
      unit: 'tickets/s',
      ours: async () => {
        const { rate } = await desk.run(ROUND_MS, times);
        // Waited for, so that what is left over does not weigh on the reference.
        lag = Math.max(lag, await desk.lag());
        return rate;
      },
      reference: async () => (await bare.run(ROUND_MS)).rate,
      recorded: BARE,
      bar: 'with projector and timekeeper',
    });
    bench.figure('with projector and timekeeper p99', percentile(times, 0.99), 'ms');
    bench.figure('lag at the end', lag, 's');
    bench.bar('lag at the end', lag);
  } finally {
    await desk.close();
  }
}
