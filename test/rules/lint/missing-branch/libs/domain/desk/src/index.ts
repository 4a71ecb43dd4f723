// breaks @typescript-eslint/switch-exhaustiveness-check: "ticket-closed"
type Event = { type: 'ticket-opened' } | { type: 'ticket-closed' };

export function evolve(state: number, event: Event): number {
  switch (event.type) {
    case 'ticket-opened':
      return state + 1;
    default:
      return state;
  }
}
