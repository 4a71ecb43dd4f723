import { policyEvents, type PolicyEvent } from '#domain/sla';
import type { Recorded } from '#kernel';
import { OlderThanLog, type Codec, type StoredEvent } from '#engine/store';

/** @throws OlderThanLog for an event that no policy fold knows (ruling 48). */
export function decodePolicyEvents(
  codec: Codec,
  stored: readonly StoredEvent[],
): readonly Recorded<PolicyEvent>[] {
  return stored.map((event) => {
    const recorded = codec.decode(event);
    if (!Object.hasOwn(policyEvents, recorded.type)) throw new OlderThanLog(recorded.type);
    return recorded as Recorded<PolicyEvent>;
  });
}
