import { ticket, ticketStream, type TicketEvent, type TicketState } from '#domain/desk';
import { foresee, Preview, type MovedDue, type PreviewSummary, type Supposed } from '#engine/policies';
import { foldStream } from '#engine/store';
import { isPosition, type Instant, type Position, type Recorded, type Uuid } from '#kernel';
import type { House } from '#edge';
import { demandWhole } from '../reading/reading.js';
import { instantFrom } from '../requests/instant.js';

/** After which ticket, by its opening, a page begins; and from when on the version is supposed to be in force. */
export type PreviewPlace = readonly [Position, Instant];

export const isPreviewPlace = (value: unknown): value is PreviewPlace =>
  Array.isArray(value) &&
  value.length === 2 &&
  isPosition(value[0]) &&
  typeof value[1] === 'string' &&
  instantFrom(value[1]) === value[1];

export interface PreviewItem {
  readonly ticket: Uuid;
  readonly number: string;
  readonly priority: number;
  readonly dues: readonly MovedDue[];
}

/** Tickets looked at together, each by its own stream. */
const TOGETHER = 16;
const BATCH = 200;

/**
 * The tickets whose due instants would move, in the order of their opening; on the first page the summary of
 * all of them, which is a look at every open ticket.
 */
export async function previewPage(
  house: Pick<House, 'views' | 'store' | 'codec'>,
  policy: string,
  supposed: Supposed,
  limit: number,
  from: Position | null,
): Promise<{
  readonly summary: PreviewSummary | null;
  readonly items: readonly PreviewItem[];
  readonly next: Position | null;
}> {
  const preview = from === null ? new Preview() : null;
  const items: PreviewItem[] = [];
  let last: Position | null = null;
  let next: Position | null = null;
  for (let after = from; ;) {
    const found = await house.views.tickets(
      { status: ['open', 'on-hold'] },
      { limit: BATCH, order: 'oldest-first', ...(after !== null && { after }) },
    );
    demandWhole(found);
    const rows = found.rows.filter((row) => row.policy === policy);
    for (let i = 0; i < rows.length; i += TOGETHER) {
      const some = rows.slice(i, i + TOGETHER);
      const foreseen = await Promise.all(
        some.map(async ({ id }) => foresee(await stateOf(house, id as Uuid), supposed)),
      );
      for (const [j, row] of some.entries()) {
        const { moved } = foreseen[j]!;
        preview?.add(foreseen[j]!);
        if (moved.length === 0) continue;
        if (items.length === limit) next ??= last;
        if (next !== null) {
          if (preview === null) return { summary: null, items, next };
          continue;
        }
        items.push({ ticket: row.id as Uuid, number: row.number, priority: row.priority, dues: moved });
        last = row.opened;
      }
    }
    if (!found.more) return { summary: preview?.summary() ?? null, items, next };
    after = found.rows.at(-1)!.opened;
  }
}

/** Read past the cache of commands, which a look at everything would empty. */
async function stateOf({ store, codec }: Pick<House, 'store' | 'codec'>, id: Uuid): Promise<TicketState> {
  const stored = await store.readStream(ticketStream(id));
  return foldStream<TicketState, TicketEvent>(ticket, stored.map(codec.decode) as Recorded<TicketEvent>[])
    .state;
}
