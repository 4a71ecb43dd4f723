// breaks no-restricted-syntax: Name it after what it is
export interface TicketService {
  readonly open: boolean;
}
