// breaks TS2820: "desk.ticket-opend.v1"
import type { TicketFact } from '#domain/desk';

export const type: TicketFact['type'] = 'desk.ticket-opend.v1';
