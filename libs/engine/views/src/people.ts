import { personEvents } from '#domain/people';
import { never } from '#kernel';
import type { Sealed } from '#engine/store';
import { streamId, textBlob, Undigestible, viewOf } from './view.js';

/** How a person is called; only the edge opens it. */
export interface PersonRow {
  readonly id: string;
  readonly revision: number;
  /** Blob with the fields `name` and, where known, `email`. */
  readonly called: Sealed | null;
}

export const people = viewOf<typeof personEvents, PersonRow>(personEvents, {
  name: 'people',
  version: 1,
  keyColumns: ['id'],
  fold: (row, event) => {
    const stands = { id: streamId(event), revision: event.revision };
    switch (event.type) {
      case 'people.person-named.v1':
        return { ...stands, called: textBlob(event) };
      case 'house.command-noted.v1':
        if (row === null) throw new Undigestible(`${event.stream} begins with ${event.type}`);
        return { ...row, ...stands };
      default:
        return never(event);
    }
  },
});
