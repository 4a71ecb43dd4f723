import type { Sealed } from '#engine/store';
import { guarded, streamId, textBlob, type Noted, type View } from './view.js';

/** How a person is called; only the edge opens it. */
export interface PersonRow {
  readonly id: string;
  readonly revision: number;
  /** Blob with the fields `name` and, where known, `email`. */
  readonly called: Sealed | null;
}

export const people: View<PersonRow> = {
  name: 'people',
  version: 1,
  categories: ['person'],
  keyColumns: ['id'],
  key: streamId,
  fold: guarded((row: PersonRow | null, event: Noted): PersonRow => {
    if (event.type === 'people.person-named.v1')
      return { id: streamId(event), revision: event.revision, called: textBlob(event) };
    if (event.type === 'house.command-noted.v1' && row !== null) return { ...row, revision: event.revision };
    throw new Error(`${event.stream} holds ${event.type}, which is no fact about a person`);
  }),
};
