import { DESK, type Catalogue, type EventOf, type PersonId, type Recorded } from '#kernel';
import { categoryOf, idOf, type HouseEvent } from '#engine/catalogue';
import type { Sealed } from '#engine/store';

/** Any event of the house, recorded. */
export type Noted = Recorded<HouseEvent>;

/** What a row counts into: `subject` is whose tally, `kind` which. */
export interface Tally {
  readonly subject: string;
  readonly kind: string;
  /** What the row adds to the count; 1 unless given. */
  readonly by?: number;
}

/** What every row carries: `revision` of the last event in it, so that redelivery can be told. */
export interface Folding {
  readonly revision: number;
}

/**
 * A read model as a pure fold (DESIGN section 6). Rows are addressed by a key taken from the event; an
 * event that is already in the row changes nothing, whoever delivers it again.
 */
export interface View<Row extends Folding = any> {
  readonly name: string;
  /** Rises when the fold or the row's shape changes; a new version is built beside the old one. */
  readonly version: number;
  /** Stream categories it folds; it moves over all others (ruling 50). */
  readonly categories: readonly string[];
  /** Stored names of the events it folds. */
  readonly types: readonly string[];
  /** Facts of its streams that say nothing to it: it moves over them as over other categories. */
  readonly silent?: ReadonlySet<string>;
  /** Columns that hold the key, in the row's names. */
  readonly keyColumns: readonly (keyof Row & string)[];
  readonly key: (event: { readonly stream: string; readonly revision: number }) => string;
  /**
   * Adds one event to a row. Exhaustive over the events of its categories; it never judges.
   * @throws Undigestible (or whatever went wrong) where it cannot: then the stream is parked.
   */
  readonly fold: (row: Row | null, event: Noted) => Row;
  /** One row an event, never changed: rows need not be read before they are written. */
  readonly appendOnly: boolean;
  /** What a row counts into; the counts follow from the events, never from a query. */
  readonly tallies?: (row: Row) => readonly Tally[];
}

/** An event that a view understands and yet cannot fold. Its message holds ids, types and numbers only (ruling 31). */
export class Undigestible extends Error {
  override readonly name = 'Undigestible';
}

/**
 * Declares a view over the events of one catalogue: the union that the fold switches on, the list of types
 * and the categories all follow from it, so none can be forgotten in one of them.
 *
 * The fold is guarded: an event already in the row is ignored, a hole in the stream and an event of another
 * kind of stream are undigestible.
 */
export function viewOf<C extends Catalogue, Row extends Folding>(
  catalogue: C,
  declared: {
    readonly name: string;
    readonly version: number;
    readonly keyColumns: readonly (keyof Row & string)[];
    readonly fold: (row: Row | null, event: Recorded<EventOf<C>>) => Row;
    readonly tallies?: (row: Row) => readonly Tally[];
    /** Then holes between the facts that it does fold are not noticed. */
    readonly silent?: ReadonlySet<keyof C & string>;
  } & (
    | { readonly appendOnly?: false; readonly key?: undefined }
    | { readonly appendOnly: true; readonly key: View<Row>['key'] }
  ),
): View<Row> {
  const known = new Set(Object.keys(catalogue));
  const { fold, appendOnly = false, silent } = declared;
  const types = [...known].filter((type) => !silent?.has(type));
  const refuseStranger = (event: Noted): void => {
    if (!known.has(event.type))
      throw new Undigestible(`${event.stream}/${event.revision}: ${event.type} is no fact of this stream`);
  };
  return {
    ...declared,
    types,
    categories: categoriesOf(catalogue),
    appendOnly,
    key: declared.key ?? streamId,
    fold: (row, event) => {
      if (!appendOnly) {
        const last = row?.revision ?? -1;
        if (event.revision <= last) return row!;
        if (event.revision !== last + 1 && silent === undefined)
          throw new Undigestible(`${event.stream}: revision ${event.revision} follows ${last}`);
      }
      refuseStranger(event);
      return fold(row, event as unknown as Recorded<EventOf<C>>);
    },
  };
}

/** Categories that every event of the catalogue may stand in. */
function categoriesOf(catalogue: Catalogue): readonly string[] {
  const each = Object.values(catalogue)
    .map(({ streams }) => streams)
    .filter((streams) => !streams.includes('*'));
  return (each[0] ?? []).filter((category) => each.every((streams) => streams.includes(category)));
}

/** True where the view folds this event. */
export function follows(view: View, event: { readonly stream: string; readonly type: string }): boolean {
  return view.categories.includes(categoryOf(event.stream)) && view.silent?.has(event.type) !== true;
}

export const streamId = (event: { readonly stream: string }): string => idOf(event.stream);

interface WithTexts {
  readonly sealed?: Readonly<Record<string, string>> | null;
}

/** The blob of an event's texts about a person; null where it has none. */
export function textBlob({ sealed }: WithTexts): Sealed | null {
  for (const person in sealed) if (person !== DESK) return { of: person as PersonId, blob: sealed[person]! };
  return null;
}

/** The blob of an event's terms, sealed under the desk; null where it has none. */
export function termBlob({ sealed }: WithTexts): Sealed | null {
  const blob = sealed?.[DESK];
  return blob === undefined ? null : { of: DESK, blob };
}
