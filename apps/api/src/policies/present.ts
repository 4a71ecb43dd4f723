import { asPolicyGiven, type PolicyEvent } from '#domain/sla';
import { HOUSE, never, type Instant, type PersonId, type Recorded } from '#kernel';
import { versionInForce, type PolicyStory, type ProposalTold, type VersionTold } from '#engine/policies';
import type { Texts } from '../reading/texts.js';
import { personAnswer, type People } from '../tickets/present.js';

/** What was recorded of a policy as answers: pure. */

export function* personsOfVersion({ proposedBy, activatedBy }: VersionTold): Generator<PersonId> {
  if (proposedBy) yield proposedBy;
  if (activatedBy !== HOUSE) yield activatedBy;
}

export function* personsOfProposal({ proposedBy, decidedBy }: ProposalTold): Generator<PersonId> {
  yield proposedBy;
  if (decidedBy) yield decidedBy;
}

const person = (id: PersonId | null, people: People, texts: Texts): object | null =>
  id === null || id === HOUSE ? null : personAnswer(id, people, texts);

export function versionSummary(told: VersionTold, people: People, texts: Texts): object {
  const { definition: _, ...rest } = told;
  return {
    ...rest,
    proposedBy: person(told.proposedBy, people, texts),
    activatedBy: person(told.activatedBy, people, texts),
  };
}

export function versionAnswer(told: VersionTold, people: People, texts: Texts): object {
  return { ...versionSummary(told, people, texts), definition: asPolicyGiven(told.definition) };
}

export function proposalSummary(told: ProposalTold, people: People, texts: Texts): object {
  const { proposal: id, status, proposedAt, decidedAt, version } = told;
  return {
    id,
    status,
    proposedAt,
    proposedBy: person(told.proposedBy, people, texts),
    comment: texts.field(told.comment, 'comment'),
    decidedAt,
    decidedBy: person(told.decidedBy, people, texts),
    version,
  };
}

export function proposalAnswer(policy: string, told: ProposalTold, people: People, texts: Texts): object {
  return { policy, ...proposalSummary(told, people, texts), definition: asPolicyGiven(told.definition) };
}

export function policySummary(story: PolicyStory, now: Instant): object {
  return {
    name: story.name,
    inForce: versionInForce(story, now)?.ref ?? null,
    versions: story.versions.length,
    pending: story.proposals.filter(({ status }) => status === 'pending').length,
  };
}

/** What a command recorded, from the stored events alone, so that a repeat reads the same (ruling 11). */
export function recordedOf(
  policy: string,
  {
    events,
    position,
    revision,
  }: {
    readonly events: readonly Recorded<PolicyEvent>[];
    readonly position: string;
    readonly revision: number;
  },
): object {
  const [event] = events;
  const rest = { position, revision };
  if (event === undefined) return { policy, ...rest };
  switch (event.type) {
    case 'sla.policy-proposed.v1':
    case 'sla.policy-proposal-withdrawn.v1':
      return { policy, proposal: event.data.proposal, ...rest };
    case 'sla.policy-activated.v1': {
      const { proposal, version, effective, approval } = event.data;
      return { policy, proposal, version: `${policy}@${version}`, effective, approval, ...rest };
    }
    case 'house.command-noted.v1':
      return { policy, ...rest };
    default:
      return never(event);
  }
}
