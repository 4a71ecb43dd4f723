// breaks TS2345: "desk.queue-defined.v1"
import { never } from '#kernel';
import type { QueueEvent } from '#domain/desk';

export function evolve(state: number, event: QueueEvent): number {
  switch (event.type) {
    case 'house.command-noted.v1':
      return state;
    default:
      return never(event);
  }
}
