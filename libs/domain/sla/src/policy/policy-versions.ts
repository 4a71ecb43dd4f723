import {
  accept,
  never,
  refuse,
  toSeconds,
  type Actor,
  type Decider,
  type Decision,
  type Fact,
  type Instant,
  type Occurred,
  type PersonId,
  type Refusal,
  type Uuid,
} from '#kernel';
import { CalendarNeverOpens } from '../calendar/calendar.js';
import { compileCalendar } from '../calendar/compile.js';
import { definitionOf, policyProblems, termsOf, type PolicyDefinition } from './definition.js';
import { PRIORITIES } from './policy.js';
import type { OpenTickets, PolicyEvent, PolicyFact, PolicyTerms } from './policy-events.js';

// ── Stream ──────────────────────────────────────────────────────────────────────────────────────────────

export const policyStream = (name: string): string => `policy-${name}`;

// ── Commands ────────────────────────────────────────────────────────────────────────────────────────────

interface Common {
  readonly occurredAt: Instant;
  readonly by: Actor;
}

export interface ProposePolicy extends Common {
  readonly type: 'propose-policy';
  readonly proposal: Uuid;
  readonly definition: PolicyDefinition;
  /** Why, for whoever activates it. */
  readonly comment?: string;
}

export interface WithdrawProposal extends Common {
  readonly type: 'withdraw-proposal';
  readonly proposal: Uuid;
}

export interface ActivatePolicy extends Common {
  readonly type: 'activate-policy';
  readonly name: string;
  readonly proposal: Uuid;
  /** From when on it is in force, now or later; at once unless given. */
  readonly effective?: Instant;
  /** What becomes of tickets that are open then. */
  readonly openTickets: OpenTickets;
  /** Whether the desk asks for a second person (rulings 30, 33). */
  readonly approvals: 'two' | 'one';
}

export type PolicyCommand = ProposePolicy | WithdrawProposal | ActivatePolicy;

// ── State ───────────────────────────────────────────────────────────────────────────────────────────────

interface Proposed {
  readonly by: PersonId;
  readonly at: Instant;
}

export type ProposalState =
  | (Proposed & { readonly status: 'pending'; readonly terms: PolicyTerms })
  | (Proposed & { readonly status: 'withdrawn' })
  | (Proposed & { readonly status: 'activated'; readonly version: number });

export interface PolicyState {
  readonly proposals: ReadonlyMap<Uuid, ProposalState>;
  /** The highest number given to a version; 0 before the first. */
  readonly versions: number;
}

// ── Refusals ────────────────────────────────────────────────────────────────────────────────────────────

export const POLICY_REFUSALS = [
  'unknown-proposal',
  'proposal-exists',
  'proposal-withdrawn',
  'proposal-activated',
  'activation-by-author',
  'effective-in-past',
  'bad-policy',
] as const;
export type PolicyRefusalCode = (typeof POLICY_REFUSALS)[number];
export type PolicyRefusal = Refusal<PolicyRefusalCode>;

// ── Evolve: gathers, never judges ───────────────────────────────────────────────────────────────────────

function decided(state: PolicyState, id: Uuid | undefined, as: (of: Proposed) => ProposalState): PolicyState {
  const proposal = id === undefined ? undefined : state.proposals.get(id);
  if (id === undefined || !proposal) return state;
  const { by, at } = proposal;
  return { ...state, proposals: new Map(state.proposals).set(id, as({ by, at })) };
}

function evolve(state: PolicyState, event: Occurred<PolicyEvent>): PolicyState {
  switch (event.type) {
    case 'sla.policy-proposed.v1': {
      const { proposal, ...terms } = event.data;
      return {
        ...state,
        proposals: new Map(state.proposals).set(proposal, {
          status: 'pending',
          by: event.actor.id,
          at: event.occurredAt,
          terms,
        }),
      };
    }
    case 'sla.policy-proposal-withdrawn.v1':
      return decided(state, event.data.proposal, (of) => ({ ...of, status: 'withdrawn' }));
    case 'sla.policy-activated.v1': {
      const { version, proposal } = event.data;
      const known = { ...state, versions: Math.max(state.versions, version) };
      return decided(known, proposal, (of) => ({ ...of, status: 'activated', version }));
    }
    case 'house.command-noted.v1':
      return state;
    default:
      return never(event);
  }
}

// ── Decisions ───────────────────────────────────────────────────────────────────────────────────────────

type Answer = Decision<PolicyFact, PolicyRefusal>;

const no = (code: PolicyRefusalCode, detail: string): Answer => refuse(code, detail);

function ifPending(
  state: PolicyState,
  id: Uuid,
  then: (pending: Extract<ProposalState, { readonly status: 'pending' }>) => Answer,
): Answer {
  const proposal = state.proposals.get(id);
  switch (proposal?.status) {
    case undefined:
      return no('unknown-proposal', 'There is no such proposal.');
    case 'withdrawn':
      return no('proposal-withdrawn', 'The proposal was withdrawn.');
    case 'activated':
      return no('proposal-activated', `The proposal was activated as version ${proposal.version}.`);
    case 'pending':
      return then(proposal);
    default:
      return never(proposal);
  }
}

/** Null where a policy may say so from that instant on; else all that is wrong, in one refusal. */
function judged(definition: PolicyDefinition, from: Instant): Answer | null {
  const problems = policyProblems(definition);
  if (problems.length > 0)
    return no('bad-policy', problems.map(({ field, problem }) => `${field}: ${problem}`).join('; '));
  const { calendar, targets } = definition;
  const longest = Math.max(...PRIORITIES.flatMap((priority) => Object.values(targets[priority])));
  try {
    compileCalendar('proposed', [{ effective: -Infinity, definition: calendar }]).reach(
      toSeconds(from),
      longest,
    );
    return null;
  } catch (error) {
    if (!(error instanceof CalendarNeverOpens)) throw error;
    return no('bad-policy', `calendar: is not open for ${longest} seconds within 30 years of ${from}`);
  }
}

function propose(c: ProposePolicy, state: PolicyState): Answer {
  if (state.proposals.has(c.proposal))
    return no('proposal-exists', 'There is a proposal of this id already.');
  return (
    judged(c.definition, c.occurredAt) ??
    accept<PolicyFact>({
      type: 'sla.policy-proposed.v1',
      data: {
        proposal: c.proposal,
        ...termsOf(c.definition),
        ...(c.comment !== undefined && { comment: { of: c.by.id, text: c.comment } }),
      },
    })
  );
}

/** Zone rules may have changed since it was proposed, so it is judged again. */
function activate(c: ActivatePolicy, state: PolicyState): Answer {
  return ifPending(state, c.proposal, ({ by, terms }) => {
    const own = by === c.by.id;
    if (own && c.approvals === 'two')
      return no('activation-by-author', 'Whoever proposed it may not activate it: a second person does.');
    const effective = c.effective ?? c.occurredAt;
    if (effective < c.occurredAt)
      return no('effective-in-past', `A version is in force from now on or later; now is ${c.occurredAt}.`);
    return (
      judged(definitionOf(terms), effective) ??
      accept<PolicyFact>({
        type: 'sla.policy-activated.v1',
        data: {
          name: c.name,
          version: state.versions + 1,
          source: 'desk',
          effective,
          ...terms,
          proposal: c.proposal,
          approval: own ? 'one' : 'two',
          openTickets: c.openTickets,
        },
      })
    );
  });
}

function decide(c: PolicyCommand, state: PolicyState): Answer {
  switch (c.type) {
    case 'propose-policy':
      return propose(c, state);
    case 'withdraw-proposal':
      return ifPending(state, c.proposal, () =>
        accept<PolicyFact>({ type: 'sla.policy-proposal-withdrawn.v1', data: { proposal: c.proposal } }),
      );
    case 'activate-policy':
      return activate(c, state);
    default:
      return never(c);
  }
}

const nothingDue: readonly Fact<PolicyFact>[] = [];

/** The versions of one policy: proposed, withdrawn, activated. */
export const policyVersions: Decider<PolicyState, PolicyCommand, PolicyFact, PolicyEvent, PolicyRefusal> = {
  initial: { proposals: new Map(), versions: 0 },
  evolve,
  due: () => nothingDue,
  decide,
};
