import type { LinkKind } from '#domain/desk';
import { idOf } from '#engine/catalogue';
import { never, type Uuid } from '#kernel';
import type { Flow } from './flow.js';

/** A link stands in both tickets; made in one, it is mirrored in the other. */
export const linking: Flow = {
  name: 'linking',
  types: ['desk.tickets-linked.v1'],
  steps: (event) => {
    if (event.type !== 'desk.tickets-linked.v1') return [];
    const { other, kind } = event.data;
    const self = idOf(event.stream) as Uuid;
    return [
      {
        name: 'mirror',
        on: other,
        command: (occasion) => ({
          type: 'link-ticket',
          ...occasion,
          self: other,
          other: self,
          kind: mirrored(kind),
        }),
        // There is no such ticket, or it goes on in another one: the link then stands in one ticket alone.
        refused: () => [],
      },
    ];
  },
};

/** How the same link is seen from the other end. */
export function mirrored(kind: LinkKind): LinkKind {
  switch (kind) {
    case 'relates-to':
      return 'relates-to';
    case 'caused-by':
      return 'causes';
    case 'causes':
      return 'caused-by';
    case 'parent-of':
      return 'child-of';
    case 'child-of':
      return 'parent-of';
    default:
      return never(kind);
  }
}
