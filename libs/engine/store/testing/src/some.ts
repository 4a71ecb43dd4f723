import { randomBytes } from 'node:crypto';
import { START, uuidV7, type Position, type Uuid } from '#kernel';
import type { Append, Appended, EventStore, NewEvent, StoredEvent } from '#engine/store';

export const freshId = (): Uuid => uuidV7(Date.now(), randomBytes(10));
export const freshStream = (): string => `ticket-${freshId()}`;
export const someEvent = (body: unknown = { some: 'body' }): NewEvent => ({
  id: freshId(),
  type: 'desk.something-happened.v1',
  body: JSON.stringify(body),
});
export const someEvents = (count: number): NewEvent[] => Array.from({ length: count }, () => someEvent());

type Stored = Extract<Appended, { outcome: 'appended' }>;

/** An append that must succeed. */
export async function appended(store: EventStore, append: Append): Promise<Stored> {
  const answer = await store.append(append);
  if (answer.outcome !== 'appended') throw new Error(`a conflict at ${answer.actual}`);
  return answer;
}

/** Everything after a position, page by page. */
export async function everything(
  store: EventStore,
  after: Position = START,
  page = 500,
): Promise<StoredEvent[]> {
  const all: StoredEvent[] = [];
  for (;;) {
    const events = await store.readAll(all.at(-1)?.position ?? after, page);
    if (events.length === 0) return all;
    all.push(...events);
  }
}
