import { eventually } from './eventually.js';

export interface Heard {
  readonly id: string;
  readonly event: string;
  readonly data: any;
}

/** One stream, as a browser would read it. */
export class Listener {
  readonly heard: Heard[] = [];
  over = false;
  /** Why it is over, where that was not the server's doing, nor asked for here. */
  broken: unknown = null;

  private constructor(
    readonly response: Response,
    private readonly stop: AbortController,
  ) {
    void this.read();
  }

  static async open(
    address: string,
    path = '/v1/live',
    headers: Readonly<Record<string, string>> = {},
  ): Promise<Listener> {
    const stop = new AbortController();
    return new Listener(await fetch(new URL(path, address), { headers, signal: stop.signal }), stop);
  }

  /** A connection that breaks ends it; half an event is no event. */
  private async read(): Promise<void> {
    let rest = '';
    try {
      for await (const chunk of this.response.body!.pipeThrough(new TextDecoderStream())) {
        const blocks = (rest + chunk).split('\n\n');
        rest = blocks.pop()!;
        for (const block of blocks) {
          const line = (name: string) => new RegExp(`^${name}: (.*)$`, 'm').exec(block)?.[1];
          const data = line('data');
          if (data !== undefined)
            this.heard.push({ id: line('id')!, event: line('event')!, data: JSON.parse(data) });
        }
      }
    } catch (error) {
      if (!this.stop.signal.aborted) this.broken = error;
    } finally {
      this.over = true;
    }
  }

  of(event: string): readonly Heard[] {
    return this.heard.filter((each) => each.event === event);
  }

  /** @throws where it did not come in time */
  async until(condition: (heard: readonly Heard[]) => boolean, what: string): Promise<void> {
    await eventually(() => condition(this.heard), { within: 10_000, what });
  }

  async close(): Promise<void> {
    this.stop.abort();
    await eventually(() => this.over, { within: 5_000, what: 'the connection ended' });
  }
}
