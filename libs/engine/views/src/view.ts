import { DESK, type Event, type PersonId, type Recorded } from '#kernel';
import { categoryOf, idOf, type HouseEvent } from '#engine/catalogue';
import type { Sealed } from '#engine/store';

/** Any event of the house, recorded. */
export type Noted = Recorded<HouseEvent>;

/** How much a row counts into a tally: `subject` is whose tally, `kind` which. */
export interface Tally {
  readonly subject: string;
  readonly kind: string;
}

/**
 * A read model as a pure fold (DESIGN section 6). Rows are addressed by a key taken from the event; an
 * event that is already in the row changes nothing, whoever delivers it again.
 */
export interface View<Row extends { readonly revision: number } = any> {
  readonly name: string;
  /** Rises when the fold or the row's shape changes; a new version is built beside the old one. */
  readonly version: number;
  /** Stream categories it folds; it moves over all others (ruling 50). */
  readonly categories: readonly string[];
  /** Columns that hold the key, in the row's names. */
  readonly keyColumns: readonly string[];
  readonly key: (event: Noted) => string;
  /**
   * Adds one event to a row. Exhaustive over the events of its categories; it never judges. Throws where
   * the event cannot be digested: then the stream is parked.
   */
  readonly fold: (row: Row | null, event: Noted) => Row;
  /** One row an event, never changed: rows need not be read before they are written. */
  readonly appendOnly?: boolean;
  /** What a row counts into; the counts follow from the events, never from a query. */
  readonly tallies?: (row: Row) => readonly Tally[];
}

/** The columns every per-stream row carries so that redelivery can be told (`revision` of the last event in it). */
export interface Folding {
  readonly revision: number;
}

/**
 * Guards a per-stream fold: an event already in the row is ignored, a hole in the stream is an error.
 */
export function guarded<Row extends Folding>(
  fold: (row: Row | null, event: Noted) => Row,
): (row: Row | null, event: Noted) => Row {
  return (row, event) => {
    const last = row?.revision ?? -1;
    if (event.revision <= last) return row!;
    if (event.revision !== last + 1)
      throw new Error(`${event.stream}: revision ${event.revision} after ${last}: an event is missing`);
    return fold(row, event);
  };
}

/** True where the view folds this event. */
export function follows(view: View, event: { readonly stream: string }): boolean {
  return view.categories.includes(categoryOf(event.stream));
}

export const streamId = (event: { readonly stream: string }): string => idOf(event.stream);

/** The blob of an event's texts about a person; null where it has none. */
export function textBlob(event: Recorded<Event>): Sealed | null {
  for (const [of, blob] of Object.entries(event.sealed ?? {}))
    if (of !== DESK) return { of: of as PersonId, blob };
  return null;
}

/** The blob of an event's terms, sealed under the desk; null where it has none. */
export function termBlob(event: Recorded<Event>): Sealed | null {
  const blob = event.sealed?.[DESK];
  return blob === undefined ? null : { of: DESK, blob };
}
