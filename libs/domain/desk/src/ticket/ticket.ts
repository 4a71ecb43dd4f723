import {
  CLOCKS,
  isCyclic,
  type ClockName,
  type ClockRecord,
  type HoldReason,
  type OfPromised,
  type Policies,
  type Priority,
} from '#domain/sla';
import {
  accept,
  HOUSE,
  later,
  never,
  refuse,
  type Decider,
  type Decision,
  type Fact,
  type Instant,
  type Occurred,
  type PersonId,
  type Personal,
  type Term,
  type Uuid,
} from '#kernel';
import { inOrder, promises, type Breach, type Happening, type Promised, type Warned } from './promises.js';
import type {
  AcceptHandover,
  AddMessage,
  AssignTicket,
  ClassifyTicket,
  CompleteMerge,
  DeclineHandover,
  EscalateTicket,
  HandToVendor,
  HoldTicket,
  JoinTicket,
  LinkTicket,
  MergeTicket,
  NoteImport,
  OfferHandover,
  OpenTicket,
  PrioritiseTicket,
  RateTicket,
  ReopenTicket,
  ResolveTicket,
  ResumeTicket,
  RetargetTicket,
  TakeBack,
  TicketCommand,
  TicketRefusal,
  TicketRefusalCode,
  WithdrawMerge,
} from './ticket-commands.js';
import type { TicketEvent, TicketFact } from './ticket-events.js';
import { sameWarning, unwarned, warnedAfter, type WarningMark } from './warnings.js';

// ── Stream ──────────────────────────────────────────────────────────────────────────────────────────────

export const ticketStream = (id: Uuid): string => `ticket-${id}`;

// ── State ───────────────────────────────────────────────────────────────────────────────────────────────

export interface PendingHandover {
  readonly id: Uuid;
  readonly group?: Uuid;
  readonly agent?: PersonId;
}

/** What decisions need to know of a ticket's past, whatever its status. */
interface File {
  readonly requester: PersonId;
  /** Account of the requester; access asks for it. */
  readonly customer?: Uuid;
  /** Policy it is under: a name, or `name@version` where pinned. */
  readonly policy: string;
  readonly priority: Priority;
  readonly category?: Uuid;
  readonly subcategory?: Uuid;
  readonly service?: Uuid;
  readonly group?: Uuid;
  readonly agent?: PersonId;
  readonly escalations: number;
  readonly rating?: number;
  readonly links: readonly { readonly other: Uuid; readonly kind: string }[];
  /** Tickets that ended in this one: it can never end in one of them. */
  readonly absorbed: readonly Uuid[];
  /** As survivor: the duplicate that has been asked to join. */
  readonly merging?: { readonly merge: Uuid; readonly duplicate: Uuid };
  /** Ids of source rows already taken in. */
  readonly rows: ReadonlySet<Uuid>;
  readonly importing: boolean;
  readonly history: readonly Happening[];
  readonly clocks: OfPromised<ClockRecord>;
  /** Recorded and not annulled. */
  readonly breaches: readonly Pick<Breach, 'clock' | 'cycle' | 'due'>[];
  /** Recorded and not annulled, those of adopted clocks among them: they were recorded elsewhere. */
  readonly warned: readonly WarningMark[];
  /** Since when priority, assignment and classification are what they are. */
  readonly since: Readonly<Record<'priority' | 'assignment' | 'classification', Instant>>;
  /** The latest instant at which anything is recorded to have happened. */
  readonly latest: Instant;
}

/** What some statuses have and others have not. */
interface OfStatus {
  readonly holds: readonly HoldReason[];
  readonly vendor: Uuid;
  readonly handover: PendingHandover;
  readonly resolvedAt: Instant;
  readonly merge: Uuid;
  readonly into: Uuid;
}
type Without<K extends keyof OfStatus> = { readonly [F in K]?: undefined };

export interface OpenState extends File, Without<'resolvedAt' | 'merge' | 'into'> {
  readonly status: 'open';
  /** Not empty: it is on hold. */
  readonly holds: readonly HoldReason[];
  readonly vendor?: Uuid;
  readonly handover?: PendingHandover;
}

export interface ResolvedState extends File, Without<'holds' | 'vendor' | 'handover' | 'merge' | 'into'> {
  readonly status: 'resolved';
  readonly resolvedAt: Instant;
}

export interface ClosedState extends File, Without<'holds' | 'vendor' | 'handover' | 'merge' | 'into'> {
  readonly status: 'closed';
  readonly resolvedAt: Instant;
}

export interface MergedState extends File, Without<'holds' | 'vendor' | 'handover' | 'resolvedAt'> {
  readonly status: 'merged';
  readonly merge: Uuid;
  readonly into: Uuid;
}

export type TicketState = { readonly status: 'none' } | OpenState | ResolvedState | ClosedState | MergedState;

type Known = Exclude<TicketState, { readonly status: 'none' }>;

/**
 * The file without what belongs to its present status. Here, and wherever a fold takes something out, it
 * becomes `undefined` instead of going: states whose fields are always the same in the same order are copied
 * in half the time, and a replay does little else.
 */
function fileOf(state: Known): File & Without<keyof OfStatus> {
  return {
    ...state,
    holds: undefined,
    vendor: undefined,
    handover: undefined,
    resolvedAt: undefined,
    merge: undefined,
    into: undefined,
  };
}

// ── Evolve: gathers, never judges ───────────────────────────────────────────────────────────────────────

const NO_WARNINGS: readonly WarningMark[] = [];

function evolve(state: TicketState, event: Occurred<TicketEvent>): TicketState {
  if (state.status === 'none') return event.type === 'desk.ticket-opened.v1' ? opened(event) : state;
  const latest = later(state.latest, event.occurredAt);
  // What is gathered is the state itself, or new and nobody else's yet.
  const next = gathered(state, event);
  return next === state ? { ...state, latest } : Object.assign(next, { latest });
}

const NO_ROWS: ReadonlySet<Uuid> = new Set();

function opened(
  event: Occurred<Extract<TicketEvent, { readonly type: 'desk.ticket-opened.v1' }>>,
): OpenState {
  const { data, occurredAt: at } = event;
  const priority = data.priority as Priority;
  const clocks = Object.fromEntries(data.clocks.map((clock) => [clock.clock, clock])) as File['clocks'];
  return {
    status: 'open',
    holds: [],
    vendor: undefined,
    handover: undefined,
    resolvedAt: undefined,
    merge: undefined,
    into: undefined,
    requester: data.requester,
    customer: data.customer,
    policy: data.policy,
    priority,
    category: undefined,
    subcategory: undefined,
    service: undefined,
    group: undefined,
    agent: undefined,
    escalations: 0,
    rating: undefined,
    links: [],
    absorbed: [],
    merging: undefined,
    rows: NO_ROWS,
    importing: data.importing,
    history: [
      { kind: 'opened', at, policy: clocks.resolution.policy, priority, evidenced: data.carriesMessages },
    ],
    clocks,
    breaches: [],
    warned: NO_WARNINGS,
    since: { priority: at, assignment: at, classification: at },
    latest: at,
  };
}

/** The state with what the event did to the clocks. */
function timed<S extends Known>(state: S, happening: Happening | null, changed: readonly ClockRecord[]): S {
  if (!happening && changed.length === 0) return state;
  let { clocks } = state;
  for (const clock of changed) clocks = { ...clocks, [clock.clock]: clock };
  return { ...state, clocks, history: happening ? inOrder(state.history, happening) : state.history };
}

/** Events stand only where their decision was possible; a fold that tolerates omissions takes others as they come. */
const whileOpen = (state: Known, change: (open: OpenState) => Known): Known =>
  state.status === 'open' ? change(state) : state;

const notOffered = (state: Known): Known => whileOpen(state, (open) => ({ ...open, handover: undefined }));

function gathered(state: Known, event: Occurred<TicketEvent>): Known {
  const at = event.occurredAt;
  switch (event.type) {
    case 'desk.ticket-opened.v1':
    case 'desk.note-added.v1':
    case 'house.command-noted.v1':
      return state;
    case 'desk.message-received.v1':
      return timed(state, event.data.autoReply ? null : { kind: 'received', at }, event.data.clocks);
    case 'desk.message-sent.v1':
      return timed(state, event.data.autoReply ? null : { kind: 'answered', at }, event.data.clocks);
    case 'desk.ticket-classified.v1': {
      const { category, subcategory, service, superseded } = event.data;
      if (superseded) return state;
      const since = { ...state.since, classification: at };
      return { ...state, since, category, subcategory, service };
    }
    case 'desk.ticket-prioritised.v1': {
      const priority = event.data.priority as Priority;
      const happening: Happening = { kind: 'prioritised', at, policy: event.data.policy, priority };
      if (event.data.superseded) return timed(state, happening, event.data.clocks);
      return timed(
        { ...state, priority, since: { ...state.since, priority: at } },
        happening,
        event.data.clocks,
      );
    }
    case 'desk.ticket-retargeted.v1':
      return timed(state, { kind: 'retargeted', at, policy: event.data.policy }, event.data.clocks);
    case 'desk.ticket-assigned.v1': {
      const { group, agent, superseded } = event.data;
      if (superseded) return state;
      return { ...state, group, agent, since: { ...state.since, assignment: at } };
    }
    case 'desk.handover-offered.v1': {
      const { handover: id, group, agent } = event.data;
      const offered = whileOpen(state, (open) => ({
        ...open,
        handover: { id, ...(group && { group }), ...(agent && { agent }) },
      }));
      return timed(offered, { kind: 'handover-offered', at }, event.data.clocks ?? []);
    }
    case 'desk.handover-accepted.v1': {
      const { group, agent } = event.data;
      const accepted = whileOpen(state, (open) => ({
        ...open,
        handover: undefined,
        agent,
        group: group ?? open.group,
      }));
      return timed(accepted, { kind: 'handover-answered', at }, event.data.clocks ?? []);
    }
    case 'desk.handover-declined.v1':
      return timed(notOffered(state), { kind: 'handover-answered', at }, event.data.clocks ?? []);
    case 'desk.handover-withdrawn.v1':
      return timed(notOffered(state), { kind: 'handover-withdrawn', at }, event.data.clocks ?? []);
    case 'desk.ticket-held.v1': {
      const { reason, superseded, clocks } = event.data;
      return timed(
        superseded
          ? state
          : whileOpen(state, (open) => ({
              ...open,
              holds: [...open.holds.filter((held) => held !== reason), reason],
            })),
        { kind: 'held', at, reason },
        clocks,
      );
    }
    case 'desk.ticket-resumed.v1': {
      const { reason, superseded, clocks } = event.data;
      return timed(
        superseded
          ? state
          : whileOpen(state, (open) => ({ ...open, holds: open.holds.filter((held) => held !== reason) })),
        { kind: 'resumed', at, reason },
        clocks,
      );
    }
    case 'desk.ticket-handed-to-vendor.v1': {
      const { vendor, superseded, clocks } = event.data;
      return timed(
        superseded ? state : whileOpen(state, (open) => ({ ...open, vendor })),
        { kind: 'handed-to-vendor', at, vendor },
        clocks,
      );
    }
    case 'desk.ticket-taken-back.v1':
      return timed(
        event.data.superseded ? state : whileOpen(state, (open) => ({ ...open, vendor: undefined })),
        { kind: 'taken-back', at },
        event.data.clocks,
      );
    case 'desk.ticket-escalated.v1':
      return { ...state, escalations: event.data.level };
    case 'desk.ticket-resolved.v1': {
      return timed<Known>(
        { ...fileOf(state), status: 'resolved', resolvedAt: at },
        { kind: 'resolved', at },
        event.data.clocks,
      );
    }
    case 'desk.ticket-reopened.v1':
      return timed<Known>(
        { ...fileOf(state), status: 'open', holds: [] },
        { kind: 'reopened', at, mode: event.data.mode },
        event.data.clocks,
      );
    case 'desk.ticket-closed.v1':
      return {
        ...fileOf(state),
        status: 'closed',
        resolvedAt: state.status === 'resolved' ? state.resolvedAt : at,
      };
    case 'desk.merge-begun.v1':
      return { ...state, merging: event.data };
    case 'desk.ticket-merged.v1': {
      const { merge, into, clocks } = event.data;
      return timed<Known>(
        { ...fileOf(state), status: 'merged', merge, into },
        { kind: 'joined', at },
        clocks,
      );
    }
    case 'desk.merge-completed.v1': {
      const rest: Known = {
        ...state,
        merging: undefined,
        absorbed: [...state.absorbed, event.data.duplicate],
        warned: warnedAfter(state.warned, event),
      };
      return event.data.clocks.reduce<Known>(
        (known, record) =>
          timed(
            known,
            record.change === 'adopted' ? { kind: 'adopted', at, clock: record.clock, record } : null,
            [record],
          ),
        rest as Known,
      );
    }
    case 'desk.merge-withdrawn.v1': {
      const rest: Known = { ...state, merging: undefined };
      return rest as Known;
    }
    case 'desk.tickets-linked.v1':
      return { ...state, links: [...state.links, event.data] };
    case 'desk.ticket-rated.v1':
      return { ...state, rating: event.data.score };
    case 'desk.case-imported.v1':
      return { ...state, importing: false, rows: new Set([...state.rows, ...event.data.rows]) };
    case 'sla.clock-breached.v1': {
      const { clock, cycle, due } = event.data;
      const record = state.clocks[clock];
      return {
        ...state,
        breaches: [...state.breaches, { clock, cycle, due }],
        clocks:
          record?.cycle === cycle
            ? { ...state.clocks, [clock]: { ...record, breachedAt: due } }
            : state.clocks,
      };
    }
    case 'sla.clock-warned.v1':
    case 'sla.warning-annulled.v1':
      return { ...state, warned: warnedAfter(state.warned, event) };
    case 'sla.breach-annulled.v1': {
      const { clock, cycle, due } = event.data;
      const record = state.clocks[clock];
      return {
        ...state,
        breaches: state.breaches.filter((b) => b.clock !== clock || b.cycle !== cycle || b.due !== due),
        clocks:
          record?.cycle === cycle && record.breachedAt === due
            ? { ...state.clocks, [clock]: { ...record, breachedAt: null } }
            : state.clocks,
      };
    }
    default:
      return never(event);
  }
}

// ── Time: what has fallen due by itself ─────────────────────────────────────────────────────────────────

/**
 * A breach is a fact from due + 1 s on, a warning from its own instant on (ruling 2). In the order of their
 * instants; of one second warnings first, then breaches, each in the order of C.1's rows, then by share.
 */
function due(state: TicketState, now: Instant): readonly Fact<TicketFact>[] {
  if (state.status === 'none') return [];
  const fallen: Fallen[] = CLOCKS.flatMap((name) => {
    const record = state.clocks[name];
    if (!record) return [];
    const { clock, cycle, target, policy } = record;
    const warnings = unwarned(record, state.warned)
      .filter(({ at }) => at <= now)
      .map((mark): Fallen => ({ warning: { ...mark, due: record.due, target, policy } }));
    return record.state === 'running' && record.breachedAt === null && record.due !== null && record.due < now
      ? [...warnings, { breach: { clock, cycle, due: record.due, target, policy } }]
      : warnings;
  });
  return fallen.sort(asTheyFell).map(fallenFact);
}

type Fallen = { readonly warning: Warned } | { readonly breach: Breach };

function asTheyFell(a: Fallen, b: Fallen): number {
  const keys = (of: Fallen): readonly (number | string)[] =>
    'warning' in of
      ? [of.warning.at, 0, CLOCKS.indexOf(of.warning.clock), of.warning.numerator / of.warning.denominator]
      : [of.breach.due, 1, CLOCKS.indexOf(of.breach.clock)];
  const [one, other] = [keys(a), keys(b)];
  const first = one.findIndex((key, i) => key !== other[i]);
  return first < 0 ? 0 : one[first]! < other[first]! ? -1 : 1;
}

const fallenFact = (of: Fallen): Fact<TicketFact> =>
  'warning' in of
    ? { type: 'sla.clock-warned.v1', data: of.warning, at: of.warning.at }
    : { type: 'sla.clock-breached.v1', data: of.breach, at: of.breach.due };

// ── What a happening does to the promises ───────────────────────────────────────────────────────────────

interface Effect {
  /** Clocks that it changed, as they stand after it. */
  readonly clocks: readonly ClockRecord[];
  /** Breaches that it made untrue or true: only a happening behind the fold can (ruling 3). */
  readonly corrections: readonly Fact<TicketFact>[];
}

const NO_EFFECT: Effect = { clocks: [], corrections: [] };

function effect(
  state: Known,
  happenings: readonly Happening[],
  change: ClockRecord['change'],
  { policies, occurredAt }: { readonly policies: Policies; readonly occurredAt: Instant },
  cause: TicketFact['type'],
  names: readonly ClockName[] = CLOCKS,
): Effect {
  const behind = occurredAt < state.latest;
  const until = later(occurredAt, state.latest);
  const history = happenings.reduce(inOrder, state.history);
  const before = promises(state.history, policies, until, change, names);
  const after = promises(history, policies, until, behind ? 'corrected' : change, names);
  const clocks = names.flatMap((name) => {
    const known = before.find(({ clock }) => clock === name);
    return moved(
      known?.records ?? [],
      after.find(({ clock }) => clock === name),
      behind,
    );
  });
  if (!behind) return { clocks, corrections: [] };
  const breaches = after.flatMap((promised) => promised.breaches);
  const warnings = after.flatMap((promised) => promised.warnings);
  const concerned = ({ clock }: { readonly clock: ClockName }): boolean => names.includes(clock);
  const sameBreach = (a: BreachMark, b: BreachMark): boolean =>
    a.clock === b.clock && a.cycle === b.cycle && a.due === b.due;
  const untrue = state.breaches.filter((b) => concerned(b) && !breaches.some((c) => sameBreach(b, c)));
  const unfired = state.warned.filter((w) => concerned(w) && !warnings.some((c) => sameWarning(w, c)));
  const found: Fallen[] = [
    ...warnings
      .filter((warning) => !state.warned.some((w) => sameWarning(w, warning)))
      .map((warning) => ({ warning })),
    ...breaches
      .filter((breach) => !state.breaches.some((b) => sameBreach(b, breach)))
      .map((breach) => ({ breach })),
  ];
  return {
    clocks,
    corrections: [
      ...unfired.map((mark): Fact<TicketFact> => ({
        type: 'sla.warning-annulled.v1',
        data: { ...mark, cause },
      })),
      ...untrue.map((breach): Fact<TicketFact> => ({
        type: 'sla.breach-annulled.v1',
        data: { ...breach, cause },
      })),
      ...found.sort(asTheyFell).map(fallenFact),
    ],
  };
}

/** The ticket with what a happening did to its promises, for what the same command decides next. */
function affected<S extends Known>(state: S, happening: Happening, { clocks, corrections }: Effect): S {
  const { breaches, warned, ...rest } = corrections.reduce<Known>(
    (known, { type, data, at }) =>
      gathered(known, {
        type,
        data,
        occurredAt: at ?? happening.at,
        actor: { id: HOUSE, role: 'system' },
      } as Occurred<TicketEvent>),
    timed<Known>(state, happening, clocks),
  );
  return { ...state, history: rest.history, clocks: rest.clocks, breaches, warned };
}

type BreachMark = Pick<Breach, 'clock' | 'cycle' | 'due'>;

/** The cycles of one clock that a happening changed, and with them the present one, last. */
function moved(
  known: readonly ClockRecord[],
  after: Promised | undefined,
  behind: boolean,
): readonly ClockRecord[] {
  const was = (cycle: number): ClockRecord | undefined => known.find((record) => record.cycle === cycle);
  const records = after?.records ?? [];
  // What a late fact lets nobody promise any more.
  const gone = known.filter(({ cycle }) => !records.some((record) => record.cycle === cycle));
  const changed = records.filter((record) => {
    const before = was(record.cycle);
    return !before || !sameClock(record, before);
  });
  if (gone.length === 0 && changed.length === 0) return [];
  const present = records.at(-1);
  return [
    ...gone.map(unpromised),
    ...records
      .filter((record) => record === present || changed.includes(record))
      .map((record) => {
        // A breach that time has recorded and nothing has made untrue stays in the clock.
        const breach = after?.breaches.find(({ cycle }) => cycle === record.cycle);
        const begins = !was(record.cycle) && !behind;
        return {
          ...record,
          ...(begins && { change: record.cycle === 1 ? ('started' as const) : ('restarted' as const) }),
          ...(breach && { breachedAt: breach.due }),
        };
      }),
  ];
}

const unpromised = (record: ClockRecord): ClockRecord => ({
  ...record,
  change: 'corrected',
  state: 'not-applicable',
  consumed: 0,
  asOf: record.startedAt,
  due: null,
  breachedAt: null,
  reasons: [],
  ...(record.warnings && { warnings: record.warnings.map((warning) => ({ ...warning, at: null })) }),
});

/** Alike in everything but what the fact is called. */
function sameClock(a: ClockRecord, b: ClockRecord): boolean {
  return JSON.stringify({ ...a, change: '' }) === JSON.stringify({ ...b, change: '' });
}

// ── The past ────────────────────────────────────────────────────────────────────────────────────────────

/**
 * The ticket as a back-dated command meets it: open, held, with a vendor or resolved as of that instant, by
 * all that is known now to have happened. What resolves, reopens, closes or merges is judged as of now.
 */
function asOf(state: Known, at: Instant): Known {
  if (at >= state.latest) return state;
  const file = fileOf(state);
  const reopened = (priority: Priority): OpenState => ({ ...file, priority, status: 'open', holds: [] });
  const resolved = (priority: Priority, resolvedAt: Instant): ResolvedState => ({
    ...file,
    priority,
    status: 'resolved',
    resolvedAt,
  });
  let then: OpenState | ResolvedState = reopened(state.priority);
  if (state.status === 'open' && state.handover) then = { ...then, handover: state.handover };
  for (const happening of state.history) {
    if (happening.at > at) break;
    switch (happening.kind) {
      case 'held':
        if (then.status === 'open') then = { ...then, holds: [...then.holds, happening.reason] };
        break;
      case 'resumed':
        if (then.status === 'open')
          then = { ...then, holds: then.holds.filter((held) => held !== happening.reason) };
        break;
      case 'handed-to-vendor':
        if (then.status === 'open') then = { ...then, vendor: happening.vendor };
        break;
      case 'taken-back':
        if (then.status === 'open') then = withoutVendor(then);
        break;
      case 'resolved':
      case 'joined':
        then = resolved(then.priority, happening.at);
        break;
      case 'reopened':
        then = reopened(then.priority);
        break;
      case 'opened':
      case 'prioritised':
        then = { ...then, priority: happening.priority };
        break;
      case 'received':
      case 'answered':
      case 'handover-offered':
      case 'handover-answered':
      case 'handover-withdrawn':
      case 'adopted':
      case 'retargeted':
        break;
      default:
        return never(happening);
    }
  }
  return then;
}

const withoutVendor = ({ vendor: _, ...open }: OpenState): OpenState => open;

/** Whether something that happened later already decides what a back-dated fact of this kind would. */
function laterThan(state: Known, at: Instant, concerns: (happening: Happening) => boolean): boolean {
  return at < state.latest && state.history.some((happening) => happening.at > at && concerns(happening));
}

const ends = ({ kind }: Happening): boolean =>
  kind === 'resolved' || kind === 'joined' || kind === 'reopened';
const ofVendor = ({ kind }: Happening): boolean => kind === 'handed-to-vendor' || kind === 'taken-back';
const ofHold =
  (reason: HoldReason) =>
  (happening: Happening): boolean =>
    (happening.kind === 'held' || happening.kind === 'resumed') && happening.reason === reason;

const marked = (superseded: boolean): { readonly superseded?: true } => (superseded ? { superseded } : {});

// ── Decisions ───────────────────────────────────────────────────────────────────────────────────────────

type Answer = Decision<TicketFact, TicketRefusal>;

const no = (code: TicketRefusalCode, detail: string): Answer => refuse(code, detail);

/** Where each status stops what only an open ticket can do. */
function ifOpen(state: TicketState, then: (open: OpenState) => Answer): Answer {
  return ifLive(state, (live) =>
    live.status === 'open' ? then(live) : no('already-resolved', 'The ticket is resolved; reopen it first.'),
  );
}

/** Open or resolved: the conversation goes on. */
function ifLive(state: TicketState, then: (live: OpenState | ResolvedState) => Answer): Answer {
  return ifKept(state, (kept) =>
    kept.status === 'closed' ? no('closed', 'The ticket is closed; reopen it first.') : then(kept),
  );
}

/** Anything but merged away. */
function ifKept(state: TicketState, then: (kept: OpenState | ResolvedState | ClosedState) => Answer): Answer {
  switch (state.status) {
    case 'none':
      return no('unknown-ticket', 'There is no such ticket.');
    case 'merged':
      return no('merged', `The ticket goes on in another one (${state.into}).`);
    case 'open':
    case 'resolved':
    case 'closed':
      return then(state);
    default:
      return never(state);
  }
}

/** What a person typed belongs to the requester's file. */
const typed = (state: File, text: string): Personal => ({ of: state.requester, text });

const HANDOVER: readonly ClockName[] = ['hand-over-acceptance'];

/** Of a fact that carried no clocks at first: only where it moved some. */
const ifAny = (clocks: readonly ClockRecord[]): { readonly clocks?: readonly ClockRecord[] } =>
  clocks.length === 0 ? {} : { clocks };

/** A pending hand-over falls away with what makes it pointless; `known` is the ticket after that. */
function withdrawn(
  state: Known,
  because: 'reassigned' | 'resolved' | 'merged',
  c: { readonly policies: Policies; readonly occurredAt: Instant },
): { readonly facts: readonly Fact<TicketFact>[]; readonly known: Known } {
  if (state.status !== 'open' || !state.handover) return { facts: [], known: state };
  const happening: Happening = { kind: 'handover-withdrawn', at: c.occurredAt };
  const type = 'desk.handover-withdrawn.v1';
  const { clocks, corrections } = effect(state, [happening], 'ended', c, type, HANDOVER);
  const data = { handover: state.handover.id, because, ...ifAny(clocks) };
  return {
    facts: [{ type, data }, ...corrections],
    known: notOffered(affected(state, happening, { clocks, corrections })),
  };
}

function open(c: OpenTicket, state: TicketState): Answer {
  if (state.status !== 'none') return no('already-open', 'There is a ticket of this id already.');
  const priority = c.priority ?? 3;
  const policy = c.policies.inForce(c.policy, c.occurredAt);
  const history: readonly Happening[] = [
    { kind: 'opened', at: c.occurredAt, policy: policy.ref, priority, evidenced: c.carriesMessages },
  ];
  return accept<TicketFact>({
    type: 'desk.ticket-opened.v1',
    data: {
      number: c.number,
      channel: c.channel,
      requester: c.requester,
      ...(c.customer && { customer: c.customer }),
      tier: c.tier,
      priority,
      subject: { of: c.requester, text: c.subject },
      text: { of: c.requester, text: c.text },
      ...(c.externalReference && { externalReference: c.externalReference }),
      policy: c.policy,
      importing: c.importing,
      carriesMessages: c.carriesMessages,
      clocks: promises(history, c.policies, c.occurredAt, 'started').flatMap(({ records }) => records),
    },
  });
}

function message(c: AddMessage, state: TicketState): Answer {
  const author = c.author ?? c.by.id;
  switch (c.kind) {
    case 'note':
      return ifKept(state, (kept) =>
        accept<TicketFact>({ type: 'desk.note-added.v1', data: { author, text: typed(kept, c.text) } }),
      );
    case 'sent':
      return ifLive(state, (live) => {
        const happenings: readonly Happening[] = c.autoReply ? [] : [{ kind: 'answered', at: c.occurredAt }];
        const { clocks, corrections } = effect(live, happenings, 'stopped', c, 'desk.message-sent.v1');
        const { channel, autoReply } = c;
        return accept<TicketFact>(
          {
            type: 'desk.message-sent.v1',
            data: { author, channel, autoReply, text: typed(live, c.text), clocks },
          },
          ...corrections,
        );
      });
    case 'received':
      return ifLive(state, (live) => {
        const { channel, autoReply } = c;
        const happening: Happening = { kind: 'received', at: c.occurredAt };
        const cause = 'desk.message-received.v1';
        const { clocks, corrections }: Effect = autoReply
          ? NO_EFFECT
          : effect(live, [happening], 'started', c, cause, ['next-response']);
        const received: TicketFact = {
          type: cause,
          data: { author, channel, autoReply, text: typed(live, c.text), clocks },
        };
        // The requester's own word ends the wait for it (domain.md C.3, Pause and stop).
        if (autoReply || live.status !== 'open' || !live.holds.includes('requester'))
          return accept<TicketFact>(received, ...corrections);
        const known = affected(live, happening, { clocks, corrections });
        return accept<TicketFact>(
          received,
          ...corrections,
          ...resumed(known, ['requester'], 'requester-answered', c),
        );
      });
    default:
      return never(c.kind);
  }
}

function classify(c: ClassifyTicket, state: TicketState): Answer {
  return ifLive(state, (live) => {
    const superseded = c.occurredAt < live.since.classification;
    const same =
      live.category === c.category.id &&
      live.subcategory === c.subcategory?.id &&
      live.service === c.service?.id;
    return same && !superseded
      ? accept()
      : accept<TicketFact>({
          type: 'desk.ticket-classified.v1',
          data: {
            category: c.category,
            ...(c.subcategory && { subcategory: c.subcategory }),
            ...(c.service && { service: c.service }),
            ...marked(superseded),
          },
        });
  });
}

function prioritise(c: PrioritiseTicket, state: TicketState): Answer {
  return ifOpen(state, (ticket) => {
    if (ticket.priority === c.priority) return accept();
    const policy = c.policies.inForce(ticket.policy, c.occurredAt).ref;
    const happening: Happening = { kind: 'prioritised', at: c.occurredAt, policy, priority: c.priority };
    const { clocks, corrections } = effect(
      ticket,
      [happening],
      'retargeted',
      c,
      'desk.ticket-prioritised.v1',
    );
    return accept<TicketFact>(
      {
        type: 'desk.ticket-prioritised.v1',
        data: {
          priority: c.priority,
          from: ticket.priority,
          policy,
          ...marked(c.occurredAt < ticket.since.priority),
          clocks,
        },
      },
      ...corrections,
    );
  });
}

/** The version of its policy that a ticket is under at an instant. */
function policyAt({ history }: File, at: Instant): string {
  let policy = '';
  for (const happening of history) {
    if (happening.at > at) break;
    if ('policy' in happening) ({ policy } = happening);
  }
  return policy;
}

/** What is pinned to a version stays under it; a case that is being taken in is left alone (ruling 17). */
function retarget(c: RetargetTicket, state: TicketState): Answer {
  return ifOpen(state, (ticket) => {
    const { policy } = c;
    if (ticket.importing || ticket.policy.includes('@') || policyAt(ticket, c.occurredAt) === policy)
      return accept();
    const happening: Happening = { kind: 'retargeted', at: c.occurredAt, policy };
    const { clocks, corrections } = effect(ticket, [happening], 'retargeted', c, 'desk.ticket-retargeted.v1');
    // All its promises are over: there is nothing to re-target.
    if (clocks.length === 0) return accept();
    return accept<TicketFact>(
      { type: 'desk.ticket-retargeted.v1', data: { policy, clocks } },
      ...corrections,
    );
  });
}

const responsible = (group: Term | undefined, agent: PersonId | undefined) => ({
  ...(group && { group }),
  ...(agent && { agent }),
});

function assign(c: AssignTicket, state: TicketState): Answer {
  return ifOpen(state, (ticket) => {
    const superseded = c.occurredAt < ticket.since.assignment;
    if (ticket.group === c.group?.id && ticket.agent === c.agent && !superseded) return accept();
    const assigned: TicketFact = {
      type: 'desk.ticket-assigned.v1',
      data: { ...responsible(c.group, c.agent), ...marked(superseded) },
    };
    return superseded
      ? accept<TicketFact>(assigned)
      : accept<TicketFact>(...withdrawn(ticket, 'reassigned', c).facts, assigned);
  });
}

function offerHandover(c: OfferHandover, state: TicketState): Answer {
  return ifOpen(state, (ticket) => {
    if (ticket.handover)
      return no('handover-pending', 'A hand-over is already offered; it must be answered first.');
    if (!c.group && !c.agent) return no('handover-to-nobody', 'A hand-over names a group, an agent or both.');
    const happening: Happening = { kind: 'handover-offered', at: c.occurredAt };
    const type = 'desk.handover-offered.v1';
    const { clocks, corrections } = effect(ticket, [happening], 'started', c, type, HANDOVER);
    const reason = typed(ticket, c.reason);
    return accept<TicketFact>(
      { type, data: { handover: c.handover, ...responsible(c.group, c.agent), reason, ...ifAny(clocks) } },
      ...corrections,
    );
  });
}

/** A hand-over to an agent is that agent's to answer; one to a group, anyone's of the group. */
function answerHandover(
  c: AcceptHandover | DeclineHandover,
  state: TicketState,
  then: (ticket: OpenState, handover: PendingHandover) => Answer,
): Answer {
  return ifOpen(state, (ticket) => {
    const { handover } = ticket;
    if (!handover) return no('no-handover-pending', 'No hand-over is offered.');
    if (handover.agent !== undefined && handover.agent !== c.by.id)
      return no('not-yours-to-answer', 'The hand-over is offered to somebody else.');
    return then(ticket, handover);
  });
}

function acceptHandover(c: AcceptHandover, state: TicketState): Answer {
  return answerHandover(c, state, (ticket, { id, group }) => {
    const happening: Happening = { kind: 'handover-answered', at: c.occurredAt };
    const type = 'desk.handover-accepted.v1';
    const { clocks, corrections } = effect(ticket, [happening], 'stopped', c, type, HANDOVER);
    const data = { handover: id, ...(group && { group }), agent: c.by.id, ...ifAny(clocks) };
    return accept<TicketFact>({ type, data }, ...corrections);
  });
}

function declineHandover(c: DeclineHandover, state: TicketState): Answer {
  return answerHandover(c, state, (ticket, { id }) => {
    const happening: Happening = { kind: 'handover-answered', at: c.occurredAt };
    const type = 'desk.handover-declined.v1';
    const { clocks, corrections } = effect(ticket, [happening], 'stopped', c, type, HANDOVER);
    const data = { handover: id, reason: typed(ticket, c.reason), ...ifAny(clocks) };
    return accept<TicketFact>({ type, data }, ...corrections);
  });
}

function hold(c: HoldTicket, state: TicketState): Answer {
  return ifOpen(state, (ticket) => {
    if (ticket.holds.includes(c.reason)) return accept();
    const happening: Happening = { kind: 'held', at: c.occurredAt, reason: c.reason };
    const { clocks, corrections } = effect(ticket, [happening], 'paused', c, 'desk.ticket-held.v1');
    return accept<TicketFact>(
      {
        type: 'desk.ticket-held.v1',
        data: {
          reason: c.reason,
          ...(c.comment !== undefined && { comment: typed(ticket, c.comment) }),
          ...marked(laterThan(ticket, c.occurredAt, (h) => ends(h) || ofHold(c.reason)(h))),
          clocks,
        },
      },
      ...corrections,
    );
  });
}

/** One fact a reason, each with the clocks as they stand after it. */
function resumed(
  ticket: OpenState,
  reasons: readonly HoldReason[],
  because: 'asked' | 'requester-answered',
  c: { readonly policies: Policies; readonly occurredAt: Instant },
): readonly Fact<TicketFact>[] {
  let known: OpenState = ticket;
  return reasons.flatMap((reason) => {
    const happening: Happening = { kind: 'resumed', at: c.occurredAt, reason };
    const { clocks, corrections } = effect(known, [happening], 'resumed', c, 'desk.ticket-resumed.v1');
    const superseded = marked(laterThan(known, c.occurredAt, (h) => ends(h) || ofHold(reason)(h)));
    known = affected(known, happening, { clocks, corrections });
    return [
      { type: 'desk.ticket-resumed.v1', data: { reason, because, ...superseded, clocks } } as const,
      ...corrections,
    ];
  });
}

function resume(c: ResumeTicket, state: TicketState): Answer {
  return ifOpen(state, (ticket) => {
    const reasons = c.reason === undefined ? ticket.holds : ticket.holds.filter((held) => held === c.reason);
    if (reasons.length === 0) return no('not-on-hold', 'The ticket does not wait for that.');
    return accept<TicketFact>(...resumed(ticket, reasons, 'asked', c));
  });
}

function handToVendor(c: HandToVendor, state: TicketState): Answer {
  return ifOpen(state, (ticket) => {
    if (ticket.vendor !== undefined)
      return ticket.vendor === c.vendor.id
        ? accept()
        : no('with-vendor', 'A vendor has it; take it back first.');
    const happening: Happening = { kind: 'handed-to-vendor', at: c.occurredAt, vendor: c.vendor.id };
    const { clocks, corrections } = effect(
      ticket,
      [happening],
      'paused',
      c,
      'desk.ticket-handed-to-vendor.v1',
    );
    const { vendor, vendorReference } = c;
    return accept<TicketFact>(
      {
        type: 'desk.ticket-handed-to-vendor.v1',
        data: {
          vendor,
          ...(vendorReference && { vendorReference }),
          ...marked(laterThan(ticket, c.occurredAt, (h) => ends(h) || ofVendor(h))),
          clocks,
        },
      },
      ...corrections,
    );
  });
}

function takeBack(c: TakeBack, state: TicketState): Answer {
  return ifOpen(state, (ticket) => {
    const { vendor } = ticket;
    if (vendor === undefined) return no('not-with-vendor', 'No vendor has it.');
    const happening: Happening = { kind: 'taken-back', at: c.occurredAt };
    const { clocks, corrections } = effect(ticket, [happening], 'resumed', c, 'desk.ticket-taken-back.v1');
    const superseded = marked(laterThan(ticket, c.occurredAt, (h) => ends(h) || ofVendor(h)));
    return accept<TicketFact>(
      { type: 'desk.ticket-taken-back.v1', data: { vendor, ...superseded, clocks } },
      ...corrections,
    );
  });
}

function escalate(c: EscalateTicket, state: TicketState): Answer {
  return ifOpen(state, (ticket) =>
    accept<TicketFact>({
      type: 'desk.ticket-escalated.v1',
      data: { level: ticket.escalations + 1, reason: typed(ticket, c.reason) },
    }),
  );
}

function resolve(c: ResolveTicket, state: TicketState): Answer {
  return ifOpen(state, (ticket) => {
    const happening: Happening = { kind: 'resolved', at: c.occurredAt };
    const { facts, known } = withdrawn(ticket, 'resolved', c);
    const { clocks, corrections } = effect(known, [happening], 'stopped', c, 'desk.ticket-resolved.v1');
    return accept<TicketFact>(
      ...facts,
      {
        type: 'desk.ticket-resolved.v1',
        data: {
          resolution: c.resolution,
          ...(c.comment !== undefined && { comment: typed(ticket, c.comment) }),
          clocks,
        },
      },
      ...corrections,
    );
  });
}

function reopen(c: ReopenTicket, state: TicketState): Answer {
  return ifKept(state, (kept) => {
    if (kept.status === 'open') return no('not-resolved', 'The ticket is open.');
    const { calendar, reopenWithinDays } = c.policies.version(kept.clocks.resolution.policy);
    const mode =
      c.occurredAt <= calendar.businessDays(kept.resolvedAt, reopenWithinDays) ? 'resume' : 'restart';
    const happening: Happening = { kind: 'reopened', at: c.occurredAt, mode };
    const change = mode === 'resume' ? 'reopened' : 'restarted';
    const { clocks, corrections } = effect(kept, [happening], change, c, 'desk.ticket-reopened.v1');
    return accept<TicketFact>(
      {
        type: 'desk.ticket-reopened.v1',
        data: { ...(c.reason !== undefined && { reason: typed(kept, c.reason) }), mode, clocks },
      },
      ...corrections,
    );
  });
}

function close(state: TicketState): Answer {
  return ifKept(state, (kept) => {
    switch (kept.status) {
      case 'open':
        return no('not-resolved', 'The ticket is open; resolve it first.');
      case 'closed':
        return no('already-closed', 'The ticket is closed.');
      case 'resolved':
        return accept<TicketFact>({ type: 'desk.ticket-closed.v1', data: {} });
      default:
        return never(kept);
    }
  });
}

// Two-stream commands: the survivor first, the flow completes the other (ruling 14).

function merge(c: MergeTicket, state: TicketState): Answer {
  return ifLive(state, (live) => {
    if (c.duplicate === c.self) return no('merge-with-itself', 'A ticket cannot be merged into itself.');
    if (live.merging) return no('merge-pending', 'Another merge of this ticket is under way.');
    return accept<TicketFact>({
      type: 'desk.merge-begun.v1',
      data: { merge: c.merge, duplicate: c.duplicate },
    });
  });
}

function join(c: JoinTicket, state: TicketState): Answer {
  if (state.status === 'merged' && state.merge === c.merge) return accept();
  return ifLive(state, (live) => {
    if (live.merging) return no('merge-pending', 'Another merge of this ticket is under way.');
    if (live.absorbed.includes(c.into))
      return no('merge-with-itself', 'The other ticket has ended in this one already.');
    const happening: Happening = { kind: 'joined', at: c.occurredAt };
    const { facts, known } = withdrawn(live, 'merged', c);
    const { clocks, corrections } = effect(known, [happening], 'ended', c, 'desk.ticket-merged.v1');
    return accept<TicketFact>(
      ...facts,
      { type: 'desk.ticket-merged.v1', data: { merge: c.merge, into: c.into, clocks } },
      ...corrections,
    );
  });
}

/**
 * Per metric the clock with the earliest due survives; ended ones take no part, a paused one ranks by what
 * it would be due if it went on now (domain.md C.3, Merge). Pausing follows the surviving ticket.
 */
function completeMerge(c: CompleteMerge, state: TicketState): Answer {
  if (state.status === 'none') return no('unknown-ticket', 'There is no such ticket.');
  if (state.merging?.merge !== c.merge) return no('no-merge-pending', 'No such merge is under way.');
  const adopted = c.clocks.flatMap((theirs): readonly ClockRecord[] => {
    const own = state.clocks[theirs.clock];
    const [ownRank, theirRank] = [own ? rank(own, c) : null, rank(theirs, c)];
    if (theirRank === null || (ownRank !== null && theirRank >= ownRank)) return [];
    // What is owed again and again is owed here too, whatever was answered before; a lasting promise ended once.
    if (ownRank === null && !(isCyclic(theirs.clock) && state.status === 'open')) return [];
    const happening: Happening = { kind: 'adopted', at: c.occurredAt, clock: theirs.clock, record: theirs };
    return promises(inOrder(state.history, happening), c.policies, c.occurredAt, 'adopted')
      .filter(({ clock }) => clock === theirs.clock)
      .map(({ records }) => records.at(-1)!);
  });
  return accept<TicketFact>({
    type: 'desk.merge-completed.v1',
    data: { merge: c.merge, duplicate: c.duplicate, clocks: adopted },
  });
}

function rank(clock: ClockRecord, { policies, mergedAt }: CompleteMerge): number | null {
  switch (clock.state) {
    case 'running':
      return Date.parse(clock.due!) / 1000;
    case 'paused':
      return policies
        .version(clock.policy)
        .calendar.reach(Date.parse(mergedAt) / 1000, clock.target - clock.consumed);
    case 'met':
    case 'missed':
    case 'not-applicable':
    case 'not-evidenced':
    case 'merged':
      return null;
    default:
      return never(clock.state);
  }
}

function withdrawMerge(c: WithdrawMerge, state: TicketState): Answer {
  if (state.status === 'none') return no('unknown-ticket', 'There is no such ticket.');
  if (state.merging?.merge !== c.merge) return no('no-merge-pending', 'No such merge is under way.');
  return accept<TicketFact>({
    type: 'desk.merge-withdrawn.v1',
    data: { merge: c.merge, because: c.because },
  });
}

function link(c: LinkTicket, state: TicketState): Answer {
  return ifKept(state, (kept) => {
    if (c.other === c.self) return no('link-to-itself', 'A ticket cannot be linked to itself.');
    if (kept.links.some(({ other, kind }) => other === c.other && kind === c.kind)) return accept();
    return accept<TicketFact>({ type: 'desk.tickets-linked.v1', data: { other: c.other, kind: c.kind } });
  });
}

/** Rows already taken in are not taken in twice. */
function noteImport(c: NoteImport, state: TicketState): Answer {
  if (state.status === 'none') return no('unknown-ticket', 'There is no such ticket.');
  const rows = c.rows.filter((row) => !state.rows.has(row));
  if (rows.length === 0) return accept();
  return accept<TicketFact>({
    type: 'desk.case-imported.v1',
    data: { mapping: c.mapping, rows, ...(c.stated && { stated: c.stated }) },
  });
}

function rate(c: RateTicket, state: TicketState): Answer {
  return ifKept(state, (kept) => {
    if (kept.status === 'open') return no('not-resolved', 'A ticket is rated once it is resolved.');
    if ((c.by.onBehalfOf ?? c.by.id) !== kept.requester)
      return no('not-the-requester', 'Only who asked may rate.');
    if (!Number.isInteger(c.score) || c.score < 1 || c.score > 5)
      return no('bad-score', 'A score is a whole number from 1 to 5.');
    if (kept.rating === c.score && c.comment === undefined) return accept();
    return accept<TicketFact>({
      type: 'desk.ticket-rated.v1',
      data: { score: c.score, ...(c.comment !== undefined && { comment: typed(kept, c.comment) }) },
    });
  });
}

function decide(c: TicketCommand, state: TicketState): Answer {
  if (state.status !== 'none' && c.occurredAt < state.history[0]!.at)
    return no('before-opening', 'That is before the ticket was opened.');
  const then = state.status === 'none' ? state : asOf(state, c.occurredAt);
  switch (c.type) {
    case 'open-ticket':
      return open(c, state);

    // What can have happened in between is judged by the ticket as of then.
    case 'add-message':
      return message(c, then);
    case 'classify-ticket':
      return classify(c, then);
    case 'prioritise-ticket':
      return prioritise(c, then);
    case 'retarget-ticket':
      return retarget(c, then);
    case 'assign-ticket':
      return assign(c, then);
    case 'hold-ticket':
      return hold(c, then);
    case 'resume-ticket':
      return resume(c, then);
    case 'hand-to-vendor':
      return handToVendor(c, then);
    case 'take-back':
      return takeBack(c, then);
    case 'escalate-ticket':
      return escalate(c, then);

    // What moves it from one status to another, by the ticket as it is.
    case 'offer-handover':
      return offerHandover(c, state);
    case 'accept-handover':
      return acceptHandover(c, state);
    case 'decline-handover':
      return declineHandover(c, state);
    case 'resolve-ticket':
      return resolve(c, state);
    case 'reopen-ticket':
      return reopen(c, state);
    case 'close-ticket':
      return close(state);
    case 'merge-ticket':
      return merge(c, state);
    case 'join-ticket':
      return join(c, state);
    case 'complete-merge':
      return completeMerge(c, state);
    case 'withdraw-merge':
      return withdrawMerge(c, state);
    case 'link-ticket':
      return link(c, state);
    case 'rate-ticket':
      return rate(c, state);
    case 'note-import':
      return noteImport(c, state);
    default:
      return never(c);
  }
}

// ── Decider ─────────────────────────────────────────────────────────────────────────────────────────────

export const ticket: Decider<TicketState, TicketCommand, TicketFact, TicketEvent, TicketRefusal> = {
  initial: { status: 'none' },
  evolve,
  due,
  decide,
};
