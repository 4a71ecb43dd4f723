import { ticket, ticketStream, type TicketEvent, type TicketState } from '#domain/desk';
import { foldStream } from '#engine/store';
import type { TicketShown } from '#adapters/views-postgres';
import type { Position, Recorded, Uuid } from '#kernel';
import type { House } from './house.js';

export type OpenTicketShown = TicketShown & { readonly ticket: Uuid };

/** The tickets that are open, in the order of their opening; `parked`: streams whose rows are behind the log. */
export async function openTickets(
  { views }: Pick<House, 'views'>,
  after: Position | null,
  limit: number,
): Promise<{
  readonly rows: readonly OpenTicketShown[];
  readonly more: boolean;
  readonly parked: readonly string[];
}> {
  const { rows, ...rest } = await views.tickets(
    { status: ['open', 'on-hold'] },
    { limit, order: 'oldest-first', ...(after !== null && { after }) },
  );
  return { rows: rows.map((row) => ({ ...row, ticket: row.id as Uuid })), ...rest };
}

/** Read past the cache of commands, which a look at every ticket would empty. */
export async function ticketState(
  { store, codec }: Pick<House, 'store' | 'codec'>,
  id: Uuid,
): Promise<TicketState> {
  const stored = await store.readStream(ticketStream(id));
  return foldStream<TicketState, TicketEvent>(ticket, stored.map(codec.decode) as Recorded<TicketEvent>[])
    .state;
}
