import { appendSurely, NO_STREAM, type EventStore, type Means } from '#engine/store';
import { categoryOf } from '#engine/catalogue';
import { HOUSE, START, toInstant, uuidV7, type DeskFact, type Instant } from '#kernel';

const STREAM = 'desk-house';
/** What a store holds that nobody has used yet: the built-in policies, and what follows from starting at all. */
const UNUSED = ['policy', 'desk'];
/** More events than that are surely no unused store. */
const LOOK = 100;

export interface Demonstration {
  /** Recorded at its beginning: times of what it makes up count from here, so that it can be taken up again. */
  readonly since: Instant;
  readonly complete: boolean;
}

async function recorded(store: EventStore): Promise<Demonstration | null> {
  const [begun, ...more] = await store.readStream(STREAM);
  return begun ? { since: toInstant(begun.recordedAt / 1_000_000), complete: more.length > 0 } : null;
}

/** Whether what the log holds is made up: then an import is refused (ruling 20). */
export async function isDemonstration(store: EventStore): Promise<boolean> {
  return (await recorded(store)) !== null;
}

/**
 * Says in the log that it will hold a demonstration, if it holds nothing yet.
 * @returns null where the store is in real use
 */
export async function beginDemonstration(means: Means): Promise<Demonstration | null> {
  const before = await recorded(means.store);
  if (before) return before;
  const first = await means.store.readAll(START, LOOK);
  if (first.length === LOOK || !first.every(({ stream }) => UNUSED.includes(categoryOf(stream)))) return null;
  await append(means, { type: 'house.demonstration-begun.v1', data: {} }, NO_STREAM);
  return recorded(means.store);
}

export async function completeDemonstration(means: Means): Promise<void> {
  await append(means, { type: 'house.demonstration-completed.v1', data: {} }, NO_STREAM + 1);
}

/** A conflict means that it stands there already. */
async function append(means: Means, fact: DeskFact, expected: number): Promise<void> {
  const { store, codec, clock, chance, engine } = means;
  const id = uuidV7(clock.now(), chance.bytes(10));
  const prepared = await codec.prepare([fact], [id], {
    occurredAt: toInstant(clock.now() / 1000),
    actor: { id: HOUSE, role: 'system' },
    correlation: id,
    engine,
  });
  await appendSurely(store, STREAM, expected, prepared);
}
