/**
 * The little that this room asks of a client library, so that another one can take its place. Positions are
 * commit positions, below 2^53; every call but `append` may be given up by its `cancel`.
 */
export interface LogClient {
  /** Rejects with whatever the library throws; trouble.ts says what it means. */
  append(stream: string, expected: number, events: readonly WireEvent[]): Promise<WireAppended>;
  readStream(stream: string, from: number, count: number): Reading;
  /** Inclusive of its start forwards, exclusive of it backwards. */
  readAll(from: number | 'start' | 'end', direction: 'forwards' | 'backwards', count: number): Reading;
  /** What comes after a position in streams whose names begin so; stored first, then live. */
  follow(after: number | 'start', prefixes: readonly string[], told: Told): Reading;
  /** Everything under way ends with an error. Never takes long. */
  dispose(): Promise<void>;
}

export interface WireEvent {
  readonly id: string;
  readonly type: string;
  readonly data: Buffer;
  readonly metadata?: WireMetadata;
}

/** What this room keeps beside a body, where there is a reason to. */
export interface WireMetadata {
  /** Which of several tries of one append it was that wrote the event. */
  readonly try?: string;
  /** Absent: the body's own bytes. */
  readonly encoding?: 'deflate';
}

export interface WireAppended {
  /** Of the last event asked for; null where the server does not tell it. */
  readonly position: number | null;
}

export interface WireRecord {
  readonly stream: string;
  readonly id: string;
  readonly type: string;
  readonly revision: number;
  readonly position: number;
  /** Milliseconds since 1970, by the server's clock. */
  readonly created: number;
  /** As it was appended, its encoding undone; empty for a foreign event that is JSON. */
  readonly body: string;
  readonly metadata: WireMetadata;
}

export interface Reading {
  /** Each record as it comes; resolves at the end. For what is read as a whole. */
  each(take: (record: WireRecord) => void): Promise<void>;
  /** Records at the reader's pace; behind it the server waits. For what never ends. */
  records(): AsyncIterable<WireRecord>;
  /** Nothing more comes, and what is under way is broken off. */
  cancel(): void;
}

/** Signs of a subscription beside its events. They never throw. */
export interface Told {
  /** As it is told by the server: events before it may still be on their way to the reader. */
  checkpoint(position: number): void;
  caughtUp(): void;
}
