import type { TicketCommand, TicketState } from '#domain/desk';
import type { HoldReason, Policies, Priority } from '#domain/sla';
import type { Actor, Instant, PersonId, Term, Uuid } from '#kernel';
import type { ChangeKind } from './mapping.js';
import type { CaseRow, Snapshot } from './rows.js';

/** A name known by its keyed id; the text is absent where only the ticket tells of it. */
interface Known {
  readonly id: Uuid;
  readonly term?: Term;
}

/** The ticket as the changes so far leave it: what the next row is compared with. */
export interface Model {
  readonly status: 'none' | 'open' | 'resolved' | 'closed';
  readonly holds: readonly HoldReason[];
  readonly priority: Priority;
  readonly group?: Known;
  readonly agent?: PersonId;
  readonly vendor?: Uuid;
  readonly category?: Known;
  readonly subcategory?: Known;
  readonly service?: Known;
}

export const NOTHING: Model = { status: 'none', holds: [], priority: 3 };

/** A ticket that earlier rows made, where an export no longer carries them. */
export function modelOf(state: TicketState): Model | 'merged' {
  if (state.status === 'none') return NOTHING;
  if (state.status === 'merged') return 'merged';
  const known = (id: Uuid | undefined): Known | undefined => id && { id };
  const { group, agent, category, subcategory, service } = state;
  return {
    status: state.status,
    holds: state.status === 'open' ? state.holds : [],
    priority: state.priority,
    ...(group && { group: known(group)! }),
    ...(agent && { agent }),
    ...(state.status === 'open' && state.vendor && { vendor: state.vendor }),
    ...(category && { category: known(category)! }),
    ...(subcategory && { subcategory: known(subcategory)! }),
    ...(service && { service: known(service)! }),
  };
}

/** What the row that opens a case does not say itself. */
export interface Opening {
  readonly number: string;
  readonly requester: PersonId;
  readonly policy: string;
  readonly carriesMessages: boolean;
  readonly externalReference: Term;
  readonly subject: string;
  readonly text: string;
}

export interface Common {
  readonly occurredAt: Instant;
  readonly by: Actor;
  readonly policies: Policies;
}

/** One thing that a row says has happened. */
export interface Change {
  readonly kind: ChangeKind;
  /** Kind and content by ids: the same for the same change of the same row, in every export. */
  readonly key: string;
  readonly command: (common: Common, opening: () => Opening) => TicketCommand;
}

/** Why something that a row says becomes no event. */
export const LEFT_OUT = [
  /** Assignment, priority and vendor of a resolved ticket are not changed; domain rules refuse it. */
  'changed after resolving',
  'changed after closing',
  'resolved after closing',
  /** A subcategory without a category, or a name of which the ticket holds only the id. */
  'a name is not known',
  'switched off by the mapping',
] as const;
export type LeftOut = (typeof LEFT_OUT)[number];

export interface Step {
  readonly changes: readonly Change[];
  readonly model: Model;
  readonly leftOut: readonly { readonly kind: ChangeKind; readonly why: LeftOut }[];
}

type Rule = (
  model: Model,
  says: Snapshot,
) => { readonly change: Change; readonly model: Model } | LeftOut | null;

const lives = (says: Snapshot): boolean => says.state?.is === 'open' || says.state?.is === 'held';
const ends = (says: Snapshot): boolean => says.state?.is === 'resolved' || says.state?.is === 'closed';

/** As said by the row, or as before where it says nothing; undefined: none. */
const wanted = (said: Term | null | undefined, before: Known | undefined): Known | undefined =>
  said === undefined ? before : said === null ? undefined : { id: said.id, term: said };

const afterTheEnd = (model: Model): LeftOut | null =>
  model.status === 'resolved'
    ? 'changed after resolving'
    : model.status === 'closed'
      ? 'changed after closing'
      : null;

function without<K extends keyof Model>(model: Model, ...keys: readonly K[]): Omit<Model, K> {
  const rest: Partial<Model> = { ...model };
  for (const key of keys) delete rest[key];
  return rest as Omit<Model, K>;
}

const opening: Rule = (model, says) =>
  model.status !== 'none'
    ? null
    : {
        change: {
          kind: 'opened',
          key: 'open-ticket',
          command: (common, opening) => ({
            ...common,
            type: 'open-ticket',
            channel: says.channel ?? 'integration',
            tier: 'base',
            ...(says.priority && { priority: says.priority }),
            importing: true,
            ...opening(),
          }),
        },
        model: { status: 'open', holds: [], priority: says.priority ?? 3 },
      };

const reopening: Rule = (model, says) => {
  if (model.status === 'closed' && says.state?.is === 'resolved') return 'resolved after closing';
  if ((model.status !== 'resolved' && model.status !== 'closed') || !lives(says)) return null;
  return {
    change: {
      kind: 'reopened',
      key: 'reopen-ticket',
      command: (common) => ({ ...common, type: 'reopen-ticket' }),
    },
    model: { ...without(model, 'vendor'), status: 'open', holds: [] },
  };
};

/** A ticket that is resolved waits no longer; that needs no event of its own. */
const resuming =
  (reason: HoldReason): Rule =>
  (model, says) => {
    if (model.status !== 'open' || !model.holds.includes(reason) || !lives(says)) return null;
    if (says.state?.is === 'held' && says.state.reason === reason) return null;
    return {
      change: {
        kind: 'resumed',
        key: `resume-ticket:${reason}`,
        command: (common) => ({ ...common, type: 'resume-ticket', reason }),
      },
      model: { ...model, holds: model.holds.filter((held) => held !== reason) },
    };
  };

const takingBack: Rule = (model, says) => {
  if (model.vendor === undefined || says.vendor === undefined || says.vendor?.id === model.vendor)
    return null;
  return {
    change: { kind: 'taken-back', key: 'take-back', command: (common) => ({ ...common, type: 'take-back' }) },
    model: without(model, 'vendor'),
  };
};

const classifying: Rule = (model, says) => {
  const category = wanted(says.category, model.category);
  const subcategory = wanted(says.subcategory, model.subcategory);
  const service = wanted(says.service, model.service);
  if (
    category?.id === model.category?.id &&
    subcategory?.id === model.subcategory?.id &&
    service?.id === model.service?.id
  )
    return null;
  if (model.status === 'closed') return 'changed after closing';
  // A name of which only the id is known cannot be said again.
  if (!category?.term || (subcategory && !subcategory.term) || (service && !service.term))
    return 'a name is not known';
  const named = {
    category: category.term,
    ...(subcategory?.term && { subcategory: subcategory.term }),
    ...(service?.term && { service: service.term }),
  };
  return {
    change: {
      kind: 'classified',
      key: `classify-ticket:${category.id}:${subcategory?.id ?? ''}:${service?.id ?? ''}`,
      command: (common) => ({ ...common, type: 'classify-ticket', ...named }),
    },
    model: {
      ...without(model, 'category', 'subcategory', 'service'),
      category,
      ...(subcategory && { subcategory }),
      ...(service && { service }),
    },
  };
};

const prioritising: Rule = (model, { priority }) => {
  if (priority === undefined || priority === model.priority) return null;
  return (
    afterTheEnd(model) ?? {
      change: {
        kind: 'prioritised',
        key: `prioritise-ticket:${priority}`,
        command: (common) => ({ ...common, type: 'prioritise-ticket', priority }),
      },
      model: { ...model, priority },
    }
  );
};

const assigning: Rule = (model, says) => {
  const group = wanted(says.group, model.group);
  const agent = says.agent === undefined ? model.agent : says.agent?.id;
  if (group?.id === model.group?.id && agent === model.agent) return null;
  const late = afterTheEnd(model);
  if (late) return late;
  if (group && !group.term) return 'a name is not known';
  const named = { ...(group?.term && { group: group.term }), ...(agent && { agent }) };
  const transferred = model.group !== undefined && group?.id !== model.group.id;
  return {
    change: {
      kind: transferred ? 'transferred' : 'assigned',
      key: `assign-ticket:${group?.id ?? ''}:${agent ?? ''}`,
      command: (common) => ({ ...common, type: 'assign-ticket', ...named }),
    },
    model: { ...without(model, 'group', 'agent'), ...(group && { group }), ...(agent && { agent }) },
  };
};

const handingToVendor: Rule = (model, says) => {
  const { vendor } = says;
  if (!vendor || model.vendor !== undefined) return null;
  // Which vendor had it stays in the row of a case that has ended; only a new name there is a change.
  if (model.status !== 'open' || ends(says)) return null;
  return {
    change: {
      kind: 'handed-to-vendor',
      key: `hand-to-vendor:${vendor.id}`,
      command: (common) => ({ ...common, type: 'hand-to-vendor', vendor }),
    },
    model: { ...model, vendor: vendor.id },
  };
};

const holding: Rule = (model, { state }) => {
  if (model.status !== 'open' || state?.is !== 'held' || model.holds.includes(state.reason)) return null;
  const { reason } = state;
  return {
    change: {
      kind: 'held',
      key: `hold-ticket:${reason}`,
      command: (common) => ({ ...common, type: 'hold-ticket', reason }),
    },
    model: { ...model, holds: [...model.holds, reason] },
  };
};

/** A case that is closed at once was resolved with it. */
const resolving: Rule = (model, says) => {
  if (model.status !== 'open' || !ends(says)) return null;
  const resolution = says.resolution ?? 'unspecified';
  return {
    change: {
      kind: 'resolved',
      key: 'resolve-ticket',
      command: (common) => ({ ...common, type: 'resolve-ticket', resolution }),
    },
    model: { ...without(model, 'vendor'), status: 'resolved', holds: [] },
  };
};

const closing: Rule = (model, says) => {
  if (model.status !== 'resolved' || says.state?.is !== 'closed') return null;
  return {
    change: {
      kind: 'closed',
      key: 'close-ticket',
      command: (common) => ({ ...common, type: 'close-ticket' }),
    },
    model: { ...model, status: 'closed' },
  };
};

/** In the order in which the changes of one row happen: what ends stands before what begins. */
const RULES: readonly { readonly kinds: readonly ChangeKind[]; readonly rule: Rule }[] = [
  { kinds: ['opened'], rule: opening },
  { kinds: ['reopened'], rule: reopening },
  { kinds: ['resumed'], rule: resuming('requester') },
  { kinds: ['resumed'], rule: resuming('vendor') },
  { kinds: ['resumed'], rule: resuming('other-team') },
  { kinds: ['resumed'], rule: resuming('problem') },
  { kinds: ['resumed'], rule: resuming('evidence') },
  { kinds: ['taken-back'], rule: takingBack },
  { kinds: ['classified'], rule: classifying },
  { kinds: ['prioritised'], rule: prioritising },
  { kinds: ['assigned', 'transferred'], rule: assigning },
  { kinds: ['handed-to-vendor'], rule: handingToVendor },
  { kinds: ['held'], rule: holding },
  { kinds: ['resolved'], rule: resolving },
  { kinds: ['closed'], rule: closing },
];

/** What a row says has happened since the model. Opening, resolving and what they need cannot be switched off. */
export function step(before: Model, row: CaseRow, events: ReadonlySet<ChangeKind>): Step {
  const changes: Change[] = [];
  const leftOut: { kind: ChangeKind; why: LeftOut }[] = [];
  let model = before;
  for (const { kinds, rule } of RULES) {
    const done = rule(model, row.says);
    if (done === null) continue;
    if (typeof done === 'string') {
      leftOut.push({ kind: kinds[0]!, why: done });
      continue;
    }
    if (!events.has(done.change.kind)) {
      leftOut.push({ kind: done.change.kind, why: 'switched off by the mapping' });
      continue;
    }
    changes.push(done.change);
    model = done.model;
  }
  return { changes, model, leftOut };
}
