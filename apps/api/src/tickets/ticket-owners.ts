import { Injectable } from '@nestjs/common';
import type { Owned, Scope } from '#domain/access';
import { ticketStream, type TicketState } from '#domain/desk';
import type { Uuid } from '#kernel';
import { House } from '#edge';

const REMEMBERED = 20_000;

/** Scopes that ask only for what never changes once a ticket is opened. */
const LASTING: readonly Scope[] = ['any', 'own', 'own-customer'];

export const ownedBy = (state: Exclude<TicketState, { readonly status: 'none' }>): Owned => ({
  requester: state.requester,
  customer: state.customer ?? null,
  group: state.group ?? null,
  vendor: state.status === 'open' ? (state.vendor ?? null) : null,
});

/** Whose a ticket is, from the log itself: commands ask, since a view may lag behind. */
@Injectable()
export class TicketOwners {
  private readonly known = new Map<Uuid, Owned>();

  constructor(private readonly house: House) {}

  /** Null where there is no such ticket. Under a lasting scope only requester and customer are up to date. */
  async of(ticket: Uuid, scope: Scope): Promise<Owned | null> {
    const known = LASTING.includes(scope) ? this.known.get(ticket) : undefined;
    if (known) return known;
    const { state } = await this.house.tickets.load(ticketStream(ticket));
    if (state.status === 'none') return null;
    const owned = ownedBy(state);
    this.known.delete(ticket);
    this.known.set(ticket, owned);
    if (this.known.size > REMEMBERED) this.known.delete(this.known.keys().next().value!);
    return owned;
  }
}
