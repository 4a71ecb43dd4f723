import { statfs } from 'node:fs/promises';
import { silent, type Logger } from '#kernel';
import { pause } from '#adapters/timers';
import { binariesFor, type Binaries } from './binaries.js';
import { DATABASE, freePort, initialised, ROLE, start, stop } from './cluster.js';
import { Holder, type Purpose } from './locks.js';
import { keepPort, placeOf, type Place } from './place.js';
import { disown, look } from './postmaster.js';
import { EmbeddedRefused } from './refused.js';

/**
 * A desk's own PostgreSQL, running for as long as anybody uses it. A server that dies meanwhile is started
 * again on the same port, so that pools that reconnect find it.
 */
export interface Embedded {
  /** `postgres://covenant:…@127.0.0.1:PORT/covenant`; stays the same while this is open. */
  readonly url: string;
  readonly dataDir: string;
  /** PostgreSQL's data folder, wherever it lies (ruling 34). */
  readonly folder: string;
  /** Gives up the use of the server; the last one out stops it. Everybody's own connections must be closed before. */
  close(): Promise<void>;
}

export interface EmbeddedOptions {
  /** Made if absent. */
  readonly dataDir: string;
  /** There is one desk at a time, and any number of commands beside it or without one (ruling 35). */
  readonly as: Purpose;
  readonly logger?: Logger;
}

/** Until a server that is starting or stopping has done so; recovery after a crash of a large database is included. */
const PATIENCE_MS = 120_000;
/** A desk that was killed lets go at once, one that is leaving within this time. */
const DESK_LEAVES_MS = 3_000;
const LONGEST_BACKOFF_MS = 5_000;

/**
 * Finds the server of this data folder running, left over or not, or starts it, or makes it.
 *
 * @throws EmbeddedRefused
 */
export async function openEmbedded({ dataDir, as, logger = silent }: EmbeddedOptions): Promise<Embedded> {
  const place = await placeOf(dataDir);
  const binaries = await binariesFor(place.account);
  const password = await initialised(place, binaries);
  const server = new Server(place, binaries, password, as, logger);
  await server.open();
  return {
    url: server.url,
    dataDir: place.dataDir,
    folder: place.folder,
    close: () => server.close(),
  };
}

/** Bytes that the disk under a folder still takes (ruling 52). */
export async function freeBytes(folder: string): Promise<number> {
  const { bavail, bsize } = await statfs(folder);
  return bavail * bsize;
}

class Server {
  private port: number | null = null;
  private holder: Holder | null = null;
  private readonly closing = new AbortController();
  private watching: Promise<void> = Promise.resolve();
  private closed: Promise<void> | null = null;

  constructor(
    private readonly place: Place,
    private readonly binaries: Binaries,
    private readonly password: string,
    private readonly as: Purpose,
    private readonly logger: Logger,
  ) {}

  get url(): string {
    return this.urlAt(this.port!);
  }

  async open(): Promise<void> {
    const { holder, port } = await this.attach(null);
    this.port = port;
    try {
      await keepPort(this.place, port);
      if (this.as === 'desk') await this.takeDesk(holder);
    } catch (error) {
      await this.leave(holder);
      throw error;
    }
    this.holder = holder;
    this.watching = this.watch(holder);
  }

  close(): Promise<void> {
    return (this.closed ??= (async () => {
      this.closing.abort();
      await this.watching;
      const holder = this.holder ?? (await this.lastLook());
      this.holder = null;
      if (holder) await this.leave(holder);
    })());
  }

  /** Connects to the server that is there, and starts one where there is none, until it holds or patience ends. */
  private async attach(only: number | null): Promise<{ holder: Holder; port: number }> {
    const until = performance.now() + PATIENCE_MS;
    let last = 'it does not answer';
    let wanted = this.place.port;
    while (performance.now() < until && !this.closing.signal.aborted) {
      const seen = await look(this.place.folder);
      switch (seen.server) {
        case 'stale':
          this.logger.info(
            { pid: seen.pid },
            'an earlier PostgreSQL left a process id that is not its own any more',
          );
          await disown(this.place.folder, seen, this.place.account);
          continue;
        case 'none': {
          const port = only ?? (await freePort(wanted));
          const outcome = await start(this.place, this.binaries, port);
          if (!outcome.started) {
            last = outcome.because === 'port-taken' ? `port ${port} is taken` : outcome.detail;
            if (outcome.because === 'port-taken') wanted = null;
            await pause(100, this.closing.signal);
            continue;
          }
          this.logger.info({ port, folder: this.place.folder }, 'started the embedded PostgreSQL');
          continue;
        }
        case 'running': {
          if (seen.port !== null && seen.status === 'ready') {
            if (only !== null && seen.port !== only) {
              last = `it now serves on port ${seen.port} instead of ${only}; restart the desk`;
            } else {
              const attempt = await Holder.connect(this.urlAt(seen.port), this.as);
              if (attempt.connected) return { holder: attempt.holder, port: seen.port };
              last = attempt.detail;
            }
          } else last = `it is ${seen.status}`;
          await pause(30, this.closing.signal);
        }
      }
    }
    throw new EmbeddedRefused(
      'not-starting',
      `PostgreSQL on ${this.place.folder} cannot be used (${last}); its log is in ${this.place.folder}/log.`,
    );
  }

  private async takeDesk(holder: Holder): Promise<void> {
    const until = performance.now() + DESK_LEAVES_MS;
    for (;;) {
      if (await holder.becomeDesk()) return;
      const other = await holder.whoIsDesk();
      if (performance.now() > until && other !== null)
        throw new EmbeddedRefused(
          'other-desk',
          `another desk holds the data folder ${this.place.dataDir} (${other}); stop that one, or start this one with another DATA_DIR.`,
        );
      await pause(50, this.closing.signal);
    }
  }

  /** Keeps the server up for as long as this is open. */
  private async watch(first: Holder): Promise<void> {
    const aborted = new Promise<null>((resolve) =>
      this.closing.signal.addEventListener('abort', () => resolve(null), { once: true }),
    );
    for (let holder: Holder | null = first; holder !== null;) {
      const why = await Promise.race([holder.lost(), aborted]);
      if (why === null) return;
      this.holder = null;
      this.logger.warn({ why }, 'lost the embedded PostgreSQL');
      await holder.end();
      holder = await this.regain();
      this.holder = holder;
    }
  }

  private async regain(): Promise<Holder | null> {
    for (let attempt = 0; !this.closing.signal.aborted; attempt++) {
      let holder: Holder | null = null;
      try {
        ({ holder } = await this.attach(this.port));
        if (this.as === 'desk') await this.takeDesk(holder);
        this.logger.info({ port: this.port }, 'have the embedded PostgreSQL again');
        return holder;
      } catch (error) {
        await holder?.end();
        if (this.closing.signal.aborted) return null;
        this.logger.error(
          { reason: (error as Error).message },
          'the embedded PostgreSQL cannot be had; trying on',
        );
        await pause(Math.min(LONGEST_BACKOFF_MS, 100 * 2 ** Math.min(attempt, 10)), this.closing.signal);
      }
    }
    return null;
  }

  /** Closed while it had lost the server: one that it has just started, or that another one has, is left properly. */
  private async lastLook(): Promise<Holder | null> {
    const seen = await look(this.place.folder);
    if (seen.server !== 'running' || seen.port === null) return null;
    const attempt = await Holder.connect(this.urlAt(seen.port), this.as);
    return attempt.connected ? attempt.holder : null;
  }

  /** The last one out turns off the light. */
  private async leave(holder: Holder): Promise<void> {
    if (!holder.isLost) {
      let last: boolean;
      try {
        last = await holder.isLast();
      } catch (error) {
        this.logger.warn(
          { reason: (error as Error).message },
          'PostgreSQL went away while the desk was leaving',
        );
        last = false;
      }
      if (last) await stop(this.place, this.binaries);
    }
    await holder.end();
  }

  private urlAt(port: number): string {
    return `postgres://${ROLE}:${this.password}@127.0.0.1:${port}/${DATABASE}`;
  }
}
