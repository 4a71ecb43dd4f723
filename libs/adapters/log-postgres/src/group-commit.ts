import { toPosition } from '#kernel';
import { DuplicateEventId, NotAppended, UnknownOutcome, type Append, type Appended } from '#engine/store';
import pg from 'pg';
import { failureOf, problemOf, sessionConfig, timeoutsOf, type SessionOptions } from './session.js';

/** Appends of one database transaction. */
const GROUP_APPENDS = 512;
/** Bytes of bodies after which a group is full. */
const GROUP_BYTES = 4 * 1024 * 1024;
/** Appends looked at for one group; only those that share a stream or an id are passed over. */
const GROUP_LOOKS = 4 * GROUP_APPENDS;

interface Waiting {
  readonly append: Append;
  readonly resolve: (answer: Appended) => void;
  readonly reject: (error: Error) => void;
}

export interface GroupCommitOptions extends SessionOptions {
  /** Groups under way at once. They commit one after the other; the next is sent and parsed meanwhile. */
  readonly lanes: number;
  /** Told after each commit that wrote something. */
  readonly committed: () => void;
}

/**
 * Many callers, one transaction: whatever waits when a connection is free goes as one group, so a lone
 * caller waits for nobody and a crowd shares the disk's flush. Each append has its own outcome.
 */
export class GroupCommit {
  private readonly lanes: Lane[];
  private waiting: Waiting[] = [];
  private scheduled = false;
  private closing: (() => void) | undefined;

  constructor(private readonly options: GroupCommitOptions) {
    this.lanes = Array.from({ length: options.lanes }, () => new Lane(options));
  }

  append(append: Append): Promise<Appended> {
    if (this.closing) return Promise.reject(new NotAppended('this log was closed'));
    return new Promise((resolve, reject) => {
      this.waiting.push({ append, resolve, reject });
      this.schedule();
    });
  }

  /** Appends already asked for are finished first. */
  async close(): Promise<void> {
    await new Promise<void>((resolve) => {
      this.closing = resolve;
      this.schedule();
    });
    await Promise.all(this.lanes.map((lane) => lane.close()));
  }

  /** Everybody who asks in this turn of the event loop gets into the same group. */
  private schedule(): void {
    if (this.scheduled) return;
    this.scheduled = true;
    setImmediate(() => {
      this.scheduled = false;
      for (const lane of this.lanes) if (!lane.busy && this.waiting.length > 0) void this.run(lane);
      if (this.closing && this.waiting.length === 0 && !this.lanes.some((lane) => lane.busy)) this.closing();
    });
  }

  private async run(lane: Lane): Promise<void> {
    const group = this.nextGroup();
    await lane.commit(group);
    this.schedule();
  }

  private nextGroup(): Waiting[] {
    const group: Waiting[] = [];
    const passed: Waiting[] = [];
    const taken = new Set<string>();
    let bytes = 0;
    let looked = 0;
    for (; looked < this.waiting.length && looked < GROUP_LOOKS; looked++) {
      if (group.length === GROUP_APPENDS || bytes >= GROUP_BYTES) break;
      const { stream, events } = this.waiting[looked]!.append;
      if (taken.has(stream) || events.some(({ id }) => taken.has(id))) {
        passed.push(this.waiting[looked]!);
        taken.add(stream);
        continue;
      }
      taken.add(stream);
      for (const { id, body } of events) {
        taken.add(id);
        bytes += body.length;
      }
      group.push(this.waiting[looked]!);
    }
    this.waiting = [...passed, ...this.waiting.slice(looked)];
    return group;
  }
}

/** One connection that commits one group at a time. */
class Lane {
  busy = false;
  private client: pg.Client | undefined;

  constructor(private readonly options: GroupCommitOptions) {}

  async commit(group: readonly Waiting[]): Promise<void> {
    this.busy = true;
    try {
      await this.attempt(group);
    } finally {
      this.busy = false;
    }
  }

  async close(): Promise<void> {
    await this.client?.end();
  }

  private async attempt(group: readonly Waiting[]): Promise<void> {
    let client: pg.Client;
    try {
      client = this.client ??= await this.connect();
    } catch (error) {
      const unreachable = new NotAppended(`the log cannot be reached: ${problemOf(error)}`);
      for (const { reject } of group) reject(unreachable);
      return;
    }
    let answers: readonly Appended[];
    try {
      answers = await this.ask(client, group);
    } catch (error) {
      await this.failed(client, group, error);
      return;
    }
    if (answers.some((answer) => answer.outcome === 'appended' && !answer.repeated)) this.options.committed();
    for (const [i, { resolve }] of group.entries()) resolve(answers[i]!);
  }

  private async failed(client: pg.Client, group: readonly Waiting[], error: unknown): Promise<void> {
    const problem = problemOf(error);
    const failure = failureOf(error);
    switch (failure) {
      case 'lost': {
        this.drop(client);
        const unknown = new UnknownOutcome(`the answer of the log was lost: ${problem}`);
        for (const { reject } of group) reject(unknown);
        return;
      }
      case 'unable': {
        const unable = new NotAppended(`the log cannot append now: ${problem}`);
        for (const { reject } of group) reject(unable);
        return;
      }
      case 'refused': {
        // It surely rolled back; one by one, so that only the one that cannot be written fails (ruling 49).
        if (group.length > 1) for (const waiting of group) await this.attempt([waiting]);
        else group[0]!.reject(refusal(error, group[0]!.append, problem));
        return;
      }
    }
  }

  private async ask(client: pg.Client, group: readonly Waiting[]): Promise<Appended[]> {
    const late = setTimeout(() => this.drop(client), timeoutsOf(this.options).answerMs);
    try {
      const { rows } = await client.query<[string, string, string | null]>({
        name: 'append',
        text: 'SELECT first, recorded_at, others FROM log.append($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)',
        rowMode: 'array',
        values: parameters(group),
      });
      return outcomes(group, rows[0]!);
    } finally {
      clearTimeout(late);
    }
  }

  private async connect(): Promise<pg.Client> {
    const client = new pg.Client(sessionConfig(this.options));
    client.on('error', (error) => {
      this.options.logger.warn({ problem: problemOf(error) }, 'the connection to the log was lost');
      this.drop(client);
    });
    client.on('end', () => this.drop(client));
    await client.connect();
    return client;
  }

  /** Breaks the connection: a query under way on it ends as lost. */
  private drop(client: pg.Client): void {
    if (this.client === client) this.client = undefined;
    (client as unknown as { connection: { stream: { destroy(): void } } }).connection.stream.destroy();
  }
}

function refusal(error: unknown, { stream }: Append, problem: string): Error {
  if (error instanceof pg.DatabaseError && error.constraint === 'events_id')
    return new DuplicateEventId(`${stream}: an id of the append is stored already`);
  return new NotAppended(`${stream}: the log refused the append: ${problem}`);
}

/** The parameters of `log.append`, in its order; see log-schema.ts. Names and types hold no line break. */
function parameters(group: readonly Waiting[]): unknown[] {
  const streams: string[] = [];
  const expected: number[] = [];
  const counts: number[] = [];
  const appends: number[] = [];
  const eventStreams: string[] = [];
  const revisions: number[] = [];
  const ids: string[] = [];
  const types: string[] = [];
  const texts: string[] = [];
  let most = 0;
  for (const [i, { append }] of group.entries()) {
    streams.push(append.stream);
    expected.push(append.expected);
    counts.push(append.events.length);
    for (const [k, { id, type, body }] of append.events.entries()) {
      appends.push(i + 1);
      eventStreams.push(append.stream);
      revisions.push(append.expected + 1 + k);
      ids.push(id);
      types.push(type);
      texts.push(body);
      // A UTF-16 unit takes at most three bytes.
      most += body.length * 3;
    }
  }
  const bodies = Buffer.allocUnsafe(most);
  const starts: number[] = [];
  const lengths: number[] = [];
  let at = 0;
  for (const text of texts) {
    const length = bodies.write(text, at, 'utf8');
    starts.push(at + 1);
    lengths.push(length);
    at += length;
  }
  return [
    streams.join('\n'),
    `{${expected.join()}}`,
    `{${counts.join()}}`,
    `{${appends.join()}}`,
    eventStreams.join('\n'),
    `{${revisions.join()}}`,
    `{${ids.join()}}`,
    types.join('\n'),
    `{${starts.join()}}`,
    `{${lengths.join()}}`,
    bodies.subarray(0, at),
  ];
}

type Other = readonly [append: number, actual: number, ordinal: number | null, recordedAt: number | null];

function outcomes(
  group: readonly Waiting[],
  [first, recorded, others]: readonly [string, string, string | null],
): Appended[] {
  const recordedAt = Number(recorded);
  const notInserted = new Map(
    others === null ? [] : (JSON.parse(others) as Other[]).map((other) => [other[0], other]),
  );
  let ordinal = Number(first) - 1;
  return group.map(({ append }, i): Appended => {
    const revision = append.expected + append.events.length;
    const other = notInserted.get(i + 1);
    if (!other) {
      ordinal += append.events.length;
      return { outcome: 'appended', revision, position: toPosition(ordinal), recordedAt, repeated: false };
    }
    const [, actual, storedAt, storedWhen] = other;
    return storedAt === null
      ? { outcome: 'conflict', actual }
      : {
          outcome: 'appended',
          revision,
          position: toPosition(storedAt),
          recordedAt: storedWhen!,
          repeated: true,
        };
  });
}
