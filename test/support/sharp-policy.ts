import { randomBytes } from 'node:crypto';
import { activation, builtIn, policyEvents, type PolicyDefinition } from '#domain/sla';
import { codec, memoryVault, NO_STREAM, type EventStore } from '#engine/store';
import { HOUSE, toInstant, uuidV7, type Instant } from '#kernel';

/** Seconds until first response and resolution are due, by priority. */
export type Sharp = Readonly<Record<1 | 2 | 3 | 4, readonly [number, number]>>;

/** Makes a new log's policy one of seconds, around the clock; the built-in one then keeps out of its way. */
export async function recordSharpPolicy(
  log: EventStore,
  targets: Sharp,
  warnAt: PolicyDefinition['warnAt'] = {},
): Promise<void> {
  const chance = { bytes: (count: number) => randomBytes(count) };
  const { prepare } = codec({ catalogue: policyEvents, vault: memoryVault(chance), chance });
  const by = ([response, resolution]: readonly [number, number]) => ({
    'first-response': response,
    resolution,
  });
  const sharp = activation(
    {
      ...builtIn('UTC'),
      calendar: { zone: 'UTC', always: true },
      warnAt,
      targets: { 1: by(targets[1]), 2: by(targets[2]), 3: by(targets[3]), 4: by(targets[4]) },
    },
    { name: 'default', version: 1, source: 'desk', effective: '1970-01-01T00:00:00Z' as Instant },
  );
  const now = await log.now();
  const [prepared] = await prepare([sharp], [uuidV7(Math.floor(now / 1000), randomBytes(10))], {
    occurredAt: toInstant(now / 1_000_000),
    actor: { id: HOUSE, role: 'system' },
    correlation: 'test',
    engine: '1',
  });
  await log.append({ stream: 'policy-default', expected: NO_STREAM, events: [prepared!.event] });
}
