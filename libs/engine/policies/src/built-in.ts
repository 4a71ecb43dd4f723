import {
  activated,
  activation,
  builtIn,
  policyStream,
  zoneOf,
  type BuiltInName,
  type PolicyActivated,
  type PolicyFact,
} from '#domain/sla';
import { appendSurely, Contention, NO_STREAM, type Means } from '#engine/store';
import { HOUSE, never, toInstant, uuidV7, type Instant } from '#kernel';
import { decodePolicyEvents } from './policy-stream.js';

/** Another process records the same fact at most; more conflicts than this are no such thing. */
const ATTEMPTS = 10;

const SINCE_EVER = '1970-01-01T00:00:00Z' as Instant;

/**
 * Sees to it that the built-in policy stands in the log for this zone (ruling 46), and answers with the
 * version to use, `default@1`. Asking again, or from several processes at once, records nothing more.
 *
 * - `default` is what tickets are opened under by name: where the desk's zone has changed, the next version
 *   is in force from now on. Once the desk has made a version of its own, the built-in stays out of its way.
 * - `import-default` is named by version: each zone has one, in force since ever, whenever it was recorded.
 *
 * @throws UnknownZone; the errors of EventStore.append
 */
export async function recordBuiltIn(means: Means, name: BuiltInName, zone: string): Promise<string> {
  zoneOf(zone);
  const { store, codec, clock, chance, engine } = means;
  const stream = policyStream(name);
  const id = uuidV7(clock.now(), chance.bytes(10));
  for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
    const recorded = decodePolicyEvents(codec, await store.readStream(stream));
    const last = recorded.at(-1);
    const versions = activated(recorded);
    const present = standing(name, versions, zone);
    if (present) return `${name}@${present.version}`;

    const now = toInstant(Math.max(clock.now() / 1000, (last?.recordedAt ?? 0) / 1_000_000));
    const fact = activation(builtIn(zone), {
      name,
      version: Math.max(0, ...versions.map(({ version }) => version)) + 1,
      source: 'built-in',
      effective: name === 'default' && versions.length > 0 ? now : SINCE_EVER,
    }) satisfies PolicyFact;
    const prepared = await codec.prepare([fact], [id], {
      occurredAt: now,
      actor: { id: HOUSE, role: 'system' },
      correlation: id,
      engine,
    });
    const appended = await appendSurely(store, stream, last?.revision ?? NO_STREAM, prepared);
    if (appended.outcome === 'appended') return `${name}@${fact.data.version}`;
  }
  throw new Contention(`${stream}: ${ATTEMPTS} conflicts in a row`);
}

/** The recorded version that already says what the built-in would; null where the next one is to be recorded. */
function standing(
  name: BuiltInName,
  versions: readonly PolicyActivated[],
  zone: string,
): PolicyActivated | null {
  switch (name) {
    case 'default': {
      const newest = versions.at(-1);
      return newest && (newest.source === 'desk' || sameRules(newest, zone)) ? newest : null;
    }
    case 'import-default':
      return versions.find((version) => version.source === 'built-in' && sameRules(version, zone)) ?? null;
    default:
      return never(name);
  }
}

function sameRules(recorded: PolicyActivated, zone: string): boolean {
  const { name, version, source, effective } = recorded;
  const wanted = activation(builtIn(zone), { name, version, source, effective }).data;
  return canonical(recorded) === canonical(wanted);
}

/** JSON with members in order, for comparing. */
function canonical(value: unknown): string {
  return JSON.stringify(value, (_, member: unknown) =>
    typeof member === 'object' && member !== null && !Array.isArray(member)
      ? Object.fromEntries(Object.entries(member).sort(([a], [b]) => (a < b ? -1 : 1)))
      : member,
  );
}
