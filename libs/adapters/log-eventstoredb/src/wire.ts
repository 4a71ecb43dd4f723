import { deflateSync, inflateSync } from 'node:zlib';
import { toPosition, type Micros, type Position, type Uuid } from '#kernel';
import type { NewEvent, StoredEvent } from '#engine/store';
import type { WireEvent, WireMetadata, WireRecord } from './client.js';

/** What the server takes in one append: bodies, metadata, and two bytes for each character of a type. */
const SERVER_LIMIT = 1024 * 1024;
/** JSON of the metadata at most. */
const METADATA = 64;
/** Bodies below stay as they are. */
const WORTH_DEFLATING = 1024;

/**
 * Bodies as bytes. An append that the server would not take for its types and metadata, though its bodies keep
 * the desk's limit (ruling 16), goes deflated: text always shrinks by more than those need.
 */
export function toWire(events: readonly NewEvent[], attempt: string | null): WireEvent[] {
  const bodies = events.map(({ body }) => Buffer.from(body));
  const size = events.reduce((sum, { type }, i) => sum + bodies[i]!.length + 2 * type.length + METADATA, 0);
  return events.map(({ id, type }, i): WireEvent => {
    const deflated = size > SERVER_LIMIT && bodies[i]!.length >= WORTH_DEFLATING;
    const metadata: WireMetadata = {
      ...(attempt !== null && i === 0 && { try: attempt }),
      ...(deflated && { encoding: 'deflate' }),
    };
    return {
      id,
      type,
      data: deflated ? deflateSync(bodies[i]!) : bodies[i]!,
      ...((attempt !== null || deflated) && { metadata }),
    };
  });
}

/** The other way round. */
export function bodyOf(data: Uint8Array, { encoding }: WireMetadata): string {
  if (encoding === 'deflate') return inflateSync(data).toString('utf8');
  return Buffer.from(data.buffer, data.byteOffset, data.length).toString('utf8');
}

export function fromWire(record: WireRecord, recordedAt: Micros): StoredEvent {
  const { stream, id, type, body, revision } = record;
  return { id: id as Uuid, type, body, stream, revision, position: positionOf(record), recordedAt };
}

/** Sixteen digits hold a log of nine petabytes. */
export function positionOf({ position }: Pick<WireRecord, 'position'>): Position {
  if (!Number.isSafeInteger(position)) throw new RangeError(`not a position of this log: ${position}`);
  return toPosition(position);
}

export const microsOf = ({ created }: WireRecord): Micros => created * 1000;
