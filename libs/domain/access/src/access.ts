import { never, type PersonId, type Role, type Uuid } from '#kernel';

/**
 * Who may do and see what, as one table (ruling 53): operation, role, and how far it reaches. A role without
 * a row may not do it at all (403); what lies outside a row's scope does not exist for the caller (404, byte
 * for byte as for an id that never was).
 */
export const SCOPES = [
  /** Everything the desk holds. */
  'any',
  /** What the caller's group is responsible for. */
  'own-group',
  /** What belongs to the caller's customer account, or what the caller asked for. */
  'own-customer',
  /** What is with the caller's vendor now. */
  'own-vendor-leg',
  /** What the caller asked for. */
  'own',
] as const;
export type Scope = (typeof SCOPES)[number];

/** How much of a thing is shown; masks.ts says which fields. */
export const MASKS = ['all', 'public'] as const;
export type Mask = (typeof MASKS)[number];

export interface Grant {
  readonly scope: Scope;
  readonly mask: Mask;
}

const any: Grant = { scope: 'any', mask: 'all' };
const account: Grant = { scope: 'own-customer', mask: 'public' };

/** Who works on tickets, in person or as a program. */
const desk = { agent: any, supervisor: any, integration: any } as const;
/** Who reads everything and changes nothing here. */
const readers = { 'complaints-officer': any, auditor: any } as const;
/** Who makes policies: one proposes, another activates (ruling 30). */
const makers = { supervisor: any, administrator: any } as const;

export const access = {
  'tickets.open': { ...desk, 'complaints-officer': any, customer: account },
  'tickets.list': { ...desk, ...readers, customer: account },
  'tickets.read': { ...desk, ...readers, customer: account },
  'tickets.timeline': { ...desk, ...readers, customer: account },
  'tickets.clocks': { ...desk, ...readers, customer: account },
  'tickets.message': { ...desk, customer: account },
  'tickets.reopen': { ...desk, customer: account },
  'tickets.rate': { ...desk, customer: account },
  'tickets.assign': desk,
  'tickets.handover': desk,
  'tickets.accept-handover': desk,
  'tickets.decline-handover': desk,
  'tickets.hold': desk,
  'tickets.resume': desk,
  'tickets.escalate': desk,
  'tickets.prioritise': desk,
  'tickets.classify': desk,
  'tickets.hand-to-vendor': desk,
  'tickets.take-back': desk,
  'tickets.resolve': desk,
  'tickets.close': desk,
  'tickets.merge': desk,
  'tickets.link': desk,
  'queues.define': { supervisor: any, administrator: any },
  'queues.list': { ...desk, ...readers, administrator: any },
  'queues.items': { ...desk, ...readers },
  // Who watches sees everything; vendors and customers get live updates with their portals.
  'live.follow': { ...desk, ...readers },
  'live.pass': { ...desk, ...readers },
  'policies.list': { ...desk, ...readers, administrator: any },
  'policies.read': { ...desk, ...readers, administrator: any },
  'policies.version': { ...desk, ...readers, administrator: any },
  'policies.proposal': { ...desk, ...readers, administrator: any },
  // Numbers and due instants of tickets, and nothing that they are about.
  'policies.preview': { ...makers, auditor: any },
  'policies.propose': makers,
  'policies.activate': makers,
  'policies.withdraw': makers,
  'attainment.read': { supervisor: any, auditor: any },
  'analytics.tickets': { supervisor: any, auditor: any, administrator: any },
  'knowledge.candidates': { agent: any, supervisor: any },
  'knowledge.categories': { agent: any, supervisor: any },
} as const satisfies Readonly<Record<string, Partial<Record<Role, Grant>>>>;

export type Operation = keyof typeof access;
export const OPERATIONS = Object.keys(access) as readonly Operation[];

/** The role's row for an operation; null where it has none. */
export function grant(operation: Operation, role: Role): Grant | null {
  const rows: Partial<Record<Role, Grant>> = access[operation];
  return rows[role] ?? null;
}

/**
 * Fields of a request that not every role of the operation may give. `occurredAt` alone makes the past
 * (DESIGN section 5), `tier` alone jumps the queue (ruling 22); who opens for somebody else says for whom.
 */
export const givenOnlyBy = {
  occurredAt: ['integration'],
  tier: ['integration'],
  requester: ['agent', 'supervisor', 'complaints-officer', 'integration'],
  customer: ['agent', 'supervisor', 'complaints-officer', 'integration'],
  externalReference: ['agent', 'supervisor', 'integration'],
  /** An internal note, an answer in the desk's name, a message in somebody else's. */
  kind: ['agent', 'supervisor', 'integration'],
  author: ['agent', 'supervisor', 'integration'],
  autoReply: ['agent', 'supervisor', 'integration'],
  priority: ['agent', 'supervisor', 'complaints-officer', 'integration'],
} as const satisfies Readonly<Record<string, readonly Role[]>>;

export type ReservedField = keyof typeof givenOnlyBy;

/** The first field of a request that the role may not give; null where all are its own to give. */
export function notItsToGive(role: Role, body: object): ReservedField | null {
  for (const field in givenOnlyBy) {
    const roles: readonly Role[] = givenOnlyBy[field as ReservedField];
    if ((body as Record<string, unknown>)[field] !== undefined && !roles.includes(role))
      return field as ReservedField;
  }
  return null;
}

/** Who the caller is, as far as scopes ask. */
export interface Reach {
  /** Every id the caller is known under: by token, and by the address in it. */
  readonly persons: readonly PersonId[];
  readonly customer: Uuid | null;
  readonly vendor: Uuid | null;
  readonly groups: readonly Uuid[];
}

/** Whose a ticket is, as far as scopes ask. */
export interface Owned {
  readonly requester: PersonId;
  readonly customer: Uuid | null;
  readonly group: Uuid | null;
  readonly vendor: Uuid | null;
}

const among = (id: Uuid | null, ids: readonly Uuid[]): boolean => id !== null && ids.includes(id);

export function inScope(scope: Scope, reach: Reach, thing: Owned): boolean {
  switch (scope) {
    case 'any':
      return true;
    case 'own-group':
      return among(thing.group, reach.groups);
    case 'own-customer':
      return (
        among(thing.requester, reach.persons) ||
        (thing.customer !== null && thing.customer === reach.customer)
      );
    case 'own-vendor-leg':
      return thing.vendor !== null && thing.vendor === reach.vendor;
    case 'own':
      return among(thing.requester, reach.persons);
    default:
      return never(scope);
  }
}

/**
 * A scope as a filter of lists: a thing passes when any of the given fields matches; null lets everything
 * pass. `inScope(scope, reach, thing)` holds for exactly what passes.
 */
export interface Narrowing {
  readonly requesters?: readonly PersonId[];
  readonly customer?: Uuid;
  readonly groups?: readonly Uuid[];
  readonly vendor?: Uuid;
}

export function narrowing(scope: Scope, reach: Reach): Narrowing | null {
  switch (scope) {
    case 'any':
      return null;
    case 'own-group':
      return { groups: reach.groups };
    case 'own-customer':
      return { requesters: reach.persons, ...(reach.customer !== null && { customer: reach.customer }) };
    case 'own-vendor-leg':
      return reach.vendor === null ? {} : { vendor: reach.vendor };
    case 'own':
      return { requesters: reach.persons };
    default:
      return never(scope);
  }
}
