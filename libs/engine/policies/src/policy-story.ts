import {
  definitionOf,
  policyVersions,
  type OpenTickets,
  type PolicyDefinition,
  type PolicyEvent,
} from '#domain/sla';
import { foldStream, type Sealed } from '#engine/store';
import { never, type Instant, type PersonId, type Recorded, type Uuid } from '#kernel';

/** A version as it was activated. */
export interface VersionTold {
  /** `default@2`. */
  readonly ref: string;
  readonly version: number;
  readonly source: 'built-in' | 'desk';
  readonly activatedAt: Instant;
  readonly activatedBy: PersonId;
  readonly effective: Instant;
  /** Null for a built-in one. */
  readonly proposal: Uuid | null;
  readonly proposedBy: PersonId | null;
  readonly approval: 'two' | 'one' | null;
  /** What becomes of tickets that are open when it comes into force. */
  readonly openTickets: OpenTickets;
  readonly definition: PolicyDefinition;
}

export interface ProposalTold {
  readonly proposal: Uuid;
  readonly status: 'pending' | 'withdrawn' | 'activated';
  readonly proposedAt: Instant;
  readonly proposedBy: PersonId;
  /** Blob with the field `comment`; null where nothing was said. */
  readonly comment: Sealed | null;
  readonly decidedAt: Instant | null;
  readonly decidedBy: PersonId | null;
  /** What it was activated as. */
  readonly version: string | null;
  readonly definition: PolicyDefinition;
}

/** All that was recorded of one policy. */
export interface PolicyStory {
  readonly name: string;
  /** Of the stream; for If-Match. */
  readonly etag: number;
  /** In the order in which they were activated. */
  readonly versions: readonly VersionTold[];
  /** In the order in which they were proposed. */
  readonly proposals: readonly ProposalTold[];
}

/** @param events of the policy's stream from its first on */
export function policyStory(name: string, events: readonly Recorded<PolicyEvent>[]): PolicyStory {
  const versions: VersionTold[] = [];
  const proposals = new Map<Uuid, ProposalTold>();
  for (const event of events) {
    const { actor, occurredAt } = event;
    const decided = (
      id: Uuid | undefined,
      status: ProposalTold['status'],
      version: string | null = null,
    ): ProposalTold | undefined => {
      const proposal = id === undefined ? undefined : proposals.get(id);
      if (proposal)
        proposals.set(proposal.proposal, {
          ...proposal,
          status,
          decidedAt: occurredAt,
          decidedBy: actor.id,
          version,
        });
      return proposal;
    };
    switch (event.type) {
      case 'sla.policy-proposed.v1': {
        const { proposal, ...terms } = event.data;
        const blob = event.sealed?.[actor.id];
        proposals.set(proposal, {
          proposal,
          status: 'pending',
          proposedAt: occurredAt,
          proposedBy: actor.id,
          comment: blob === undefined ? null : { of: actor.id, blob },
          decidedAt: null,
          decidedBy: null,
          version: null,
          definition: definitionOf(terms),
        });
        break;
      }
      case 'sla.policy-proposal-withdrawn.v1':
        decided(event.data.proposal, 'withdrawn');
        break;
      case 'sla.policy-activated.v1': {
        const { version, source, effective, proposal, approval, openTickets = 'keep', ...terms } = event.data;
        const ref = `${name}@${version}`;
        versions.push({
          ref,
          version,
          source,
          activatedAt: occurredAt,
          activatedBy: actor.id,
          effective,
          proposal: proposal ?? null,
          proposedBy: decided(proposal, 'activated', ref)?.proposedBy ?? null,
          approval: approval ?? null,
          openTickets,
          definition: definitionOf(terms),
        });
        break;
      }
      case 'house.command-noted.v1':
        break;
      default:
        never(event);
    }
  }
  const { etag } = foldStream(policyVersions, events);
  return { name, etag, versions, proposals: [...proposals.values()] };
}

/** Null before the first is in force. Of two from one instant on, the later activated one counts. */
export function versionInForce({ versions }: PolicyStory, at: Instant): VersionTold | null {
  let best: VersionTold | null = null;
  for (const version of versions)
    if (version.effective <= at && (best === null || version.effective >= best.effective)) best = version;
  return best;
}
