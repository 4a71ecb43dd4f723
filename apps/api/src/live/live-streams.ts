import { Injectable, type BeforeApplicationShutdown } from '@nestjs/common';
import { Counter } from 'prom-client';
import type { ServerResponse } from 'node:http';
import { once } from 'node:events';
import type { TicketEvent } from '#domain/desk';
import type { HouseEvent } from '#engine/catalogue';
import { isTimed, news, type News } from '#engine/live';
import type { StoredEvent } from '#engine/store';
import type { Position, Recorded } from '#kernel';
import { failureOf, House, Problem, type CallerType } from '#edge';
import { unknownPosition } from '../reading/reading.js';

/** Ruling 39. */
const STREAMS_OF_A_PERSON = 5;
const BEHIND = 10_000;

/** Events read at once: what waits to be sent stays far below ruling 39's mebibyte. */
const BATCH = 500;
/** Milliseconds. Proxies cut off what is silent for a minute. */
const HEARTBEAT = 15_000;
const LONGEST_TIMER = 2 ** 31 - 1;

/** Reminders alone, or those of promises that were not kept, or all there is to tell. */
export const ONLY = ['reminders', 'overdue', 'all'] as const;

const wanted = (only: (typeof ONLY)[number], kind: News['kind']): boolean =>
  only === 'all' || only === kind || (only === 'reminders' && kind !== 'changed');

export interface Following {
  readonly caller: CallerType;
  readonly after: Position | undefined;
  readonly only: (typeof ONLY)[number];
  readonly headers: Readonly<Record<string, number | string | string[] | undefined>>;
}

export const ENDS = ['token-expired', 'stopping', 'log-unreadable'] as const;
type End = (typeof ENDS)[number];

interface Told {
  readonly kind: News['kind'];
  readonly text: string;
}

/**
 * The streams of live updates that this process has open (ruling 39). Each reads the log by a subscription of
 * its own, and only as fast as its client takes it; whoever falls too far behind is told to look anew.
 */
@Injectable()
export class LiveStreams implements BeforeApplicationShutdown {
  private readonly stopping = new AbortController();
  private readonly open = new Map<string, number>();
  /** Written out once for all streams, as far as the log gives them the same events. */
  private readonly told = new WeakMap<StoredEvent, Told | null>();
  private readonly heldBack: Counter;

  constructor(private readonly house: House) {
    const { metrics } = house;
    this.heldBack = new Counter({
      name: 'covenant_live_held_back_total',
      help: 'Facts that nobody was told of live, since they were recorded long after they occurred',
      registers: [metrics.registry],
    });
    metrics.gauge('covenant_live_streams', 'Streams of live updates that are open', null, () =>
      [...this.open.values()].reduce((sum, count) => sum + count, 0),
    );
  }

  /** The server waits for its connections: streams end before. */
  beforeApplicationShutdown(): void {
    this.stopping.abort('stopping' satisfies End);
  }

  /**
   * Answers with the stream, and resolves when it has ended. What it throws it throws before the answer began.
   *
   * @throws Problem `too-many-streams`, `unknown-position`; LogUnavailable
   */
  async follow(following: Following, response: () => ServerResponse): Promise<void> {
    const { id } = following.caller.actor;
    const open = this.open.get(id) ?? 0;
    if (open >= STREAMS_OF_A_PERSON)
      throw Problem.of('too-many-streams', `A person may have ${STREAMS_OF_A_PERSON} streams open.`);
    this.open.set(id, open + 1);
    try {
      const { position: head } = await this.house.store.head();
      const { after = head } = following;
      if (after > head) throw unknownPosition();
      await this.send(following, after, response());
    } finally {
      const left = this.open.get(id)! - 1;
      if (left > 0) this.open.set(id, left);
      else this.open.delete(id);
    }
  }

  private async send(
    { caller, only, headers }: Following,
    after: Position,
    response: ServerResponse,
  ): Promise<void> {
    const over = new AbortController();
    const expiry = setTimeout(
      () => over.abort('token-expired' satisfies End),
      Math.min(Math.max(0, caller.tokenExpires * 1000 - Date.now()), LONGEST_TIMER),
    );
    const gone = (): void => over.abort();
    response.once('close', gone).once('error', gone);
    const signal = AbortSignal.any([over.signal, this.stopping.signal]);

    let at = after;
    const write = async (text: string): Promise<void> => {
      if (!response.write(text) && !signal.aborted) await once(response, 'drain', { signal });
    };
    // An id without data is no event, and yet where the client goes on (HTML, server-sent events).
    const heartbeat = setInterval(() => {
      if (!response.writableNeedDrain) response.write(`id: ${at}\n\n`);
    }, HEARTBEAT);
    let end: End | undefined;
    try {
      response.writeHead(200, {
        ...headers,
        'content-type': 'text/event-stream; charset=utf-8',
        'x-accel-buffering': 'no',
      });
      await write(`retry: 2000\n${event('standing', at, { position: at })}`);
      while (!signal.aborted) {
        const leapt = await this.leap(at);
        if (leapt !== null) {
          at = leapt;
          await write(event('reset', at, { position: at }));
        }
        for await (const batch of this.house.store.subscribe(at, { signal, limit: BATCH })) {
          const told = await this.newsOf(batch.events);
          at = batch.position;
          const lines = told.filter(({ kind }) => wanted(only, kind)).map(({ text }) => text);
          if (lines.length > 0) await write(lines.join(''));
          if (!batch.caughtUp && (await this.leap(at)) !== null) break;
        }
      }
    } catch (error) {
      if (!signal.aborted) {
        this.house.admission.met(error);
        this.house.logger.warn({ failure: failureOf(error) }, 'a live stream ended');
        end = 'log-unreadable';
      }
    } finally {
      clearTimeout(expiry);
      clearInterval(heartbeat);
      end ??= ENDS.find((each) => each === signal.reason);
      if (response.writable) response.end(end && event('end', at, { because: end }));
    }
  }

  /** Where to go on for who is too far behind to be told everything; null for who is not. */
  private async leap(at: Position): Promise<Position | null> {
    const { position: head } = await this.house.store.head();
    return (await this.house.between(at, head)) > BEHIND ? head : null;
  }

  private async newsOf(events: readonly StoredEvent[]): Promise<readonly Told[]> {
    const { store, decodeOnce } = this.house;
    const fresh = events
      .filter((stored) => !this.told.has(stored))
      .map((stored) => ({ stored, event: decodeOnce(stored) as Recorded<HouseEvent> }));
    const timed = new Set(fresh.filter(({ event }) => isTimed(event)).map(({ event }) => event.stream));
    const streams = timed.size === 0 ? null : await store.readStreams([...timed]);
    for (const { stored, event } of fresh) {
      const history = isTimed(event) ? streams?.get(event.stream)?.map(decodeOnce) : undefined;
      const found = news(event, history as readonly Recorded<TicketEvent>[] | undefined);
      if (found === 'held-back') this.heldBack.inc();
      this.told.set(stored, found === null || found === 'held-back' ? null : written(found));
    }
    return events.flatMap((stored) => this.told.get(stored) ?? []);
  }
}

function written({ kind, ...data }: News): Told {
  return { kind, text: event(kind, data.position, data) };
}

/** One event of a stream; JSON holds no line break. */
const event = (name: string, id: Position, data: object): string =>
  `id: ${id}\nevent: ${name}\ndata: ${JSON.stringify(data)}\n\n`;
