import type { StatedTime, TicketCommand, TicketState } from '#domain/desk';
import type { Policies } from '#domain/sla';
import type { Identities } from '#engine/identity';
import type { Actor, Instant, PersonId, Uuid } from '#kernel';
import { modelOf, NOTHING, step, type Change, type LeftOut, type Model } from './deriving.js';
import { CHANGE_KINDS, mappingRef, type ChangeKind } from './mapping.js';
import type { CaseReader, CaseRow, CaseRows, Rejected } from './rows.js';

/** What the log already holds of a case. */
export interface CaseSoFar {
  readonly state: TicketState;
  /** Ids of the events in its stream. */
  readonly events: ReadonlySet<Uuid>;
}

export const NEW_CASE: CaseSoFar = { state: { status: 'none' }, events: new Set() };

/** Why a row became no event. */
export type Nothing =
  | LeftOut
  /** It says what the row before it said. */
  | 'nothing changed'
  | 'only columns changed that no event tells of'
  | 'a state that the mapping does not know'
  /** An earlier import took it in. */
  | 'taken in before';

export interface PlannedChange {
  readonly row: CaseRow;
  readonly change: Change;
}

/** What is to be appended of a case, and what is not, and why. */
export interface CasePlan {
  readonly key: string;
  readonly changes: readonly PlannedChange[];
  /** Rows that this import takes in, those that became nothing among them; in order. */
  readonly rows: readonly CaseRow[];
  readonly nothing: readonly Nothing[];
  readonly leftOut: readonly { readonly kind: ChangeKind; readonly why: LeftOut }[];
  readonly rejected: readonly Rejected[];
  readonly stated: CaseRows['stated'];
  /** Stated times that the updates contradict. */
  readonly disagreeing: readonly StatedTime[];
}

interface Scanned {
  readonly row: CaseRow;
  readonly changes: readonly Change[];
  readonly leftOut: readonly { readonly kind: ChangeKind; readonly why: LeftOut }[];
  /** The row before it, where there is one. */
  readonly previous?: CaseRow;
}

/** The changes that rows tell of, each compared with what the ones before it made of the ticket. */
function scan(rows: readonly CaseRow[], from: Model, events: ReadonlySet<ChangeKind>): readonly Scanned[] {
  let model = from;
  return rows.map((row, i) => {
    const done = step(model, row, events);
    model = done.model;
    const previous = rows[i - 1];
    return { row, changes: done.changes, leftOut: done.leftOut, ...(previous && { previous }) };
  });
}

/** Cannot be switched off: without them there is no ticket, or a closed one that was never resolved. */
const ALWAYS: readonly ChangeKind[] = ['opened', 'reopened', 'resolved'];

/**
 * Plans what a case adds to the log. Rows that are known already add nothing but what a late row between
 * them brings to light: a late row is a back-dated fact, and what it makes of the rows after it is one too
 * (ruling 17).
 */
export function planCase(
  reader: CaseReader,
  { key, rows: all, rejected, stated }: CaseRows,
  before: CaseSoFar,
  ids: CaseIds,
): CasePlan {
  const events = new Set([...ALWAYS, ...(reader.mapping.events ?? CHANGE_KINDS)]);
  const { state } = before;
  const isRecorded = (row: CaseRow, change: Change): boolean =>
    before.events.size > 0 && before.events.has(ids.event(key, row, change, 0));
  const taken = state.status === 'none' ? new Set<Uuid>() : state.rows;

  // An export need not reach back to the opening: then the ticket itself says what came before.
  const start = beginning(state, all, taken);
  const { from, rows } = start;
  const known = rows.filter((row) => taken.has(row.id));
  const fresh = rows.filter((row) => !taken.has(row.id));
  const nothing: Nothing[] = known.map(() => 'taken in before');
  const report = { key, stated, rejected: [...rejected, ...start.rejected] };
  if (fresh.length === 0)
    return { ...report, changes: [], rows: [], nothing, leftOut: [], disagreeing: disagreeing(stated, []) };

  const told = new Set(
    scan(known, from, events).flatMap(({ row, changes }) =>
      changes.map((change) => `${row.id} ${change.key}`),
    ),
  );
  const scanned = scan(rows, from, events);
  const changes = scanned.flatMap(({ row, changes }) =>
    changes
      .filter((change) => !told.has(`${row.id} ${change.key}`) && !isRecorded(row, change))
      .map((change) => ({ row, change })),
  );
  for (const one of scanned)
    if (!taken.has(one.row.id) && one.changes.length === 0) nothing.push(whyNothing(reader, one));
  return {
    ...report,
    changes,
    rows: fresh,
    nothing,
    leftOut: scanned.flatMap(({ row, leftOut }) => (taken.has(row.id) ? [] : leftOut)),
    disagreeing: disagreeing(stated, scanned),
  };
}

function beginning(
  state: TicketState,
  rows: readonly CaseRow[],
  taken: ReadonlySet<Uuid>,
): { readonly from: Model; readonly rows: readonly CaseRow[]; readonly rejected: readonly Rejected[] } {
  // No ticket yet, or one whose import was cut off: the rows tell it from its opening on.
  if (state.status === 'none' || (state.importing && taken.size === 0))
    return { from: NOTHING, rows, rejected: [] };
  const reject = (refused: readonly CaseRow[], reason: string): readonly Rejected[] =>
    refused.map(({ raw: { source, line } }) => ({ source, line, reason }));
  const firstKnown = rows.findIndex((row) => taken.has(row.id));
  if (firstKnown >= 0)
    return {
      from: NOTHING,
      rows: rows.slice(firstKnown),
      rejected: reject(
        rows.slice(0, firstKnown),
        'is earlier than all that was taken in of its case; an opening that is recorded does not move',
      ),
    };
  const model = modelOf(state);
  if (model === 'merged')
    return { from: NOTHING, rows: [], rejected: reject(rows, 'its ticket goes on in another one') };
  const early = rows.filter((row) => row.at < state.latest);
  return {
    from: model,
    rows: rows.filter((row) => row.at >= state.latest),
    rejected: reject(
      early,
      'is earlier than what is recorded of its case, and the rows before it are not in this export',
    ),
  };
}

function whyNothing(reader: CaseReader, { row, leftOut, previous }: Scanned): Nothing {
  const left = leftOut[0];
  if (left) return left.why;
  if (row.says.state === undefined) return 'a state that the mapping does not know';
  if (previous && reader.untold(previous, row).length > 0)
    return 'only columns changed that no event tells of';
  return 'nothing changed';
}

function disagreeing(stated: CaseRows['stated'], scanned: readonly Scanned[]): readonly StatedTime[] {
  const instants = (...kinds: readonly ChangeKind[]): readonly Instant[] =>
    scanned.flatMap(({ row, changes }) => (changes.some(({ kind }) => kinds.includes(kind)) ? [row.at] : []));
  const by = {
    opened: instants('opened'),
    created: instants('opened'),
    resolved: instants('resolved'),
    closed: instants('closed'),
  } as const;
  return stated
    .filter(({ what, at }) => by[what].length > 0 && !by[what].includes(at))
    .map(({ what }) => what);
}

/** Derived ids of what an import makes (ruling 10): the same in every run. */
export interface CaseIds {
  ticket(key: string): Uuid;
  /** Of the n-th fact of a change. */
  event(key: string, row: CaseRow, change: Change, n: number): Uuid;
  note(key: string, rows: readonly Uuid[]): Uuid;
}

export function caseIds(identities: Identities, source: string): CaseIds {
  return {
    ticket: (key) => identities.derived('case', source, key),
    event: (key, row, change, n) => identities.derived('event', source, key, row.id, change.key, String(n)),
    note: (key, rows) => identities.derived('event', source, key, 'note-import', ...rows),
  };
}

/** The commands of one append, and the ids of its facts. */
export interface CaseCommands {
  readonly commands: readonly TicketCommand[];
  /** For each fact the index of its command; answers its id. */
  readonly ids: (by: readonly number[]) => readonly Uuid[];
  /** For each command the row behind it; undefined for the closing note. */
  readonly rows: readonly (CaseRow | undefined)[];
}

/** Rows named by one case-imported event: 39 bytes each, and an event has at most 256 KiB (ruling 16). */
const ROWS_A_NOTE = 5_000;

/** @param part changes of the plan that belong to this append; the last part closes the import. */
export function commandsOf(
  reader: CaseReader,
  plan: CasePlan,
  part: { readonly changes: readonly PlannedChange[]; readonly closes: boolean },
  given: {
    readonly ids: CaseIds;
    readonly importer: PersonId;
    readonly policies: Policies;
    /** `name@version`. */
    readonly policy: string;
    /** Used only where the case is opened. */
    readonly number: string;
  },
): CaseCommands {
  const { key } = plan;
  const commands: TicketCommand[] = [];
  const rows: (CaseRow | undefined)[] = [];
  const idOf: ((n: number) => Uuid)[] = [];
  for (const { row, change } of part.changes) {
    const by: Actor = { id: given.importer, role: 'integration', ...(row.by && { onBehalfOf: row.by.id }) };
    commands.push(
      change.command({ occurredAt: row.at, by, policies: given.policies }, () => {
        const { requester, ...opening } = reader.opening(key, row);
        return {
          ...opening,
          requester: requester.id,
          number: given.number,
          policy: given.policy,
          carriesMessages: reader.mapping.carriesMessages,
        };
      }),
    );
    rows.push(row);
    idOf.push((n) => given.ids.event(key, row, change, n));
  }
  const last = plan.rows.at(-1);
  if (part.closes && last) {
    for (let i = 0; i < plan.rows.length; i += ROWS_A_NOTE) {
      const noted = plan.rows.slice(i, i + ROWS_A_NOTE).map(({ id }) => id);
      commands.push({
        type: 'note-import',
        occurredAt: last.at,
        by: { id: given.importer, role: 'integration' },
        policies: given.policies,
        mapping: mappingRef(reader.mapping),
        rows: noted,
        ...(i === 0 && plan.stated.length > 0 && { stated: plan.stated }),
      });
      rows.push(undefined);
      idOf.push(() => given.ids.note(key, noted));
    }
  }
  return {
    commands,
    rows,
    ids: (by) => {
      const counts = new Map<number, number>();
      return by.map((command) => {
        const n = counts.get(command) ?? 0;
        counts.set(command, n + 1);
        return idOf[command]!(n);
      });
    },
  };
}
