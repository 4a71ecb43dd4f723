// breaks TS2339: Property 'subject' does not exist
import type { EventOf } from '#kernel';
import type { ticketEvents } from '#domain/desk';

type Opened = Extract<EventOf<typeof ticketEvents>, { type: 'desk.ticket-opened.v1' }>;

export const subject = (event: Opened): unknown => event.data.subject;
