import {
  ticket,
  ticketEvents,
  type TicketCommand,
  type TicketEvent,
  type TicketFact,
  type TicketRefusal,
  type TicketState,
} from '#domain/desk';
import {
  activation,
  CLOCKS,
  hasEnded,
  policies as policiesOf,
  type ClockName,
  type ClockRecord,
  type Policies,
  type PolicyDefinition,
} from '#domain/sla';
import { decideInTurn, HOUSE, toSeconds, type Actor, type Instant, type Position, type Uuid } from '#kernel';

/** A due instant that a version would move, were tickets that are open re-targeted by it. */
export interface MovedDue {
  readonly clock: ClockName;
  readonly cycle: number;
  /** Null while it has none: paused, or not promised by the version before. */
  readonly from: Instant | null;
  /** Null where it would have none: paused, or not promised any more. */
  readonly to: Instant | null;
  /** `to` less `from`, real seconds; null where one of them is. */
  readonly seconds: number | null;
  /** The new target is used up already: it would be due at once. */
  readonly atOnce: boolean;
}

/** A proposed version as if it were in force. */
export interface Supposed {
  /** Name no recorded version has. */
  readonly ref: string;
  readonly policies: Policies;
  readonly at: Instant;
}

const HOUSE_ACTS: Actor = { id: HOUSE, role: 'system' };
/** Versions count from 1. */
const SUPPOSED = 0;

/** @param policies that the tickets' own facts name */
export function supposing(
  name: string,
  definition: PolicyDefinition,
  policies: Policies,
  at: Instant,
): Supposed {
  const made = policiesOf([
    activation(definition, { name, version: SUPPOSED, source: 'desk', effective: at }),
  ]);
  const ref = `${name}@${SUPPOSED}`;
  return {
    ref,
    at,
    policies: {
      inForce: policies.inForce,
      version: (asked) => (asked === ref ? made.version(ref) : policies.version(asked)),
    },
  };
}

const open = (clock: ClockRecord | undefined): ClockRecord | null =>
  clock !== undefined && !hasEnded(clock) && clock.breachedAt === null ? clock : null;

/** What the version would do to one ticket. */
export interface Foreseen {
  /** Promises that are open and unbroken when it comes into force. */
  readonly promises: number;
  readonly moved: readonly MovedDue[];
}

/**
 * Decides on the ticket what re-targeting it would be decided as, and compares the due instants before and
 * after. Promises that are broken by then stay so and are not looked at.
 *
 * @throws UnknownPolicy where a version that the ticket names is not among the policies
 */
export function foresee(state: TicketState, { ref, policies, at }: Supposed): Foreseen {
  const decided = (state: TicketState, commands: readonly TicketCommand[]): TicketState => {
    const came = decideInTurn<TicketState, TicketCommand, TicketFact, TicketEvent, TicketRefusal>(
      ticket,
      ticketEvents,
      state,
      commands,
      at,
      HOUSE_ACTS,
    );
    // What is not open is not re-targeted.
    return 'refused' in came ? state : came.state;
  };
  const before = decided(state, []);
  const after = decided(before, [
    { type: 'retarget-ticket', occurredAt: at, by: HOUSE_ACTS, policies, policy: ref },
  ]);
  if (before.status === 'none' || after.status === 'none') return { promises: 0, moved: [] };
  const [old, fresh] = [before.clocks, after.clocks];
  const known = CLOCKS.filter(
    (clock) => open(old[clock]) !== null || (open(fresh[clock]) !== null && !old[clock]?.breachedAt),
  );
  const moved = known.flatMap((clock): MovedDue[] => {
    const [from, to] = [open(old[clock])?.due ?? null, open(fresh[clock])?.due ?? null];
    if (from === to) return [];
    return [
      {
        clock,
        cycle: (fresh[clock] ?? old[clock])!.cycle,
        from,
        to,
        seconds: from === null || to === null ? null : toSeconds(to) - toSeconds(from),
        atOnce: to === at && from !== at,
      },
    ];
  });
  return { promises: known.length, moved };
}

/** How many due instants would move, and by how much. */
export interface PreviewSummary {
  /** Tickets of the policy that are open. */
  readonly tickets: number;
  /** Their promises that are open and unbroken. */
  readonly promises: number;
  readonly movedTickets: number;
  readonly movedDues: number;
  readonly earlier: number;
  readonly later: number;
  /** Promises that would get a due instant, or lose it: they begin, end, pause or go on. */
  readonly begun: number;
  readonly ended: number;
  readonly atOnce: number;
  /** Real seconds by which those move that have a due instant before and after, earlier below 0; null where none does. */
  readonly seconds: { readonly least: number; readonly median: number; readonly greatest: number } | null;
}

/** Gathers what is foreseen of one ticket after the other. */
export class Preview {
  private readonly seconds: number[] = [];
  private tickets = 0;
  private promises = 0;
  private movedTickets = 0;
  private begun = 0;
  private ended = 0;
  private atOnce = 0;

  add({ promises, moved }: Foreseen): void {
    this.tickets++;
    this.promises += promises;
    if (moved.length > 0) this.movedTickets++;
    for (const { from, to, seconds, atOnce } of moved) {
      if (seconds !== null) this.seconds.push(seconds);
      else if (from === null) this.begun++;
      else if (to === null) this.ended++;
      if (atOnce) this.atOnce++;
    }
  }

  summary(): PreviewSummary {
    const { tickets, promises, movedTickets, begun, ended, atOnce } = this;
    const seconds = [...this.seconds].sort((a, b) => a - b);
    return {
      tickets,
      promises,
      movedTickets,
      movedDues: seconds.length + begun + ended,
      earlier: seconds.filter((each) => each < 0).length,
      later: seconds.filter((each) => each > 0).length,
      begun,
      ended,
      atOnce,
      seconds:
        seconds.length === 0
          ? null
          : { least: seconds[0]!, median: median(seconds), greatest: seconds.at(-1)! },
    };
  }
}

/** Whole seconds; of an even number the lower middle one. */
const median = (sorted: readonly number[]): number => sorted[Math.ceil(sorted.length / 2) - 1]!;

/** An open ticket as a preview names it. */
export interface PreviewRow {
  readonly ticket: Uuid;
  readonly opened: Position;
  readonly number: string;
  readonly priority: number;
  /** Name, or `name@version` where pinned. */
  readonly policy: string;
}

export interface PreviewItem extends Pick<PreviewRow, 'ticket' | 'number' | 'priority'> {
  readonly dues: readonly MovedDue[];
}

export interface PreviewPage {
  /** On the first page only. */
  readonly summary: PreviewSummary | null;
  /** In the order of their opening. */
  readonly items: readonly PreviewItem[];
  /** After which ticket, by its opening, the next page begins; null on the last. */
  readonly next: Position | null;
}

export interface PreviewReads {
  /** Open tickets of all policies in the order of their opening. */
  readonly open: (
    after: Position | null,
    limit: number,
  ) => Promise<{ readonly rows: readonly PreviewRow[]; readonly more: boolean }>;
  /** A ticket's stream, folded. */
  readonly state: (ticket: Uuid) => Promise<TicketState>;
}

/** Tickets looked at together, each by its own stream. */
const TOGETHER = 16;
const BATCH = 200;

/**
 * The tickets whose due instants would move; on the first page (`from` null) with the summary of all of them,
 * which is a look at every open ticket.
 */
export async function previewPage(
  { open: openTickets, state }: PreviewReads,
  policy: string,
  supposed: Supposed,
  { limit, from }: { readonly limit: number; readonly from: Position | null },
): Promise<PreviewPage> {
  const preview = from === null ? new Preview() : null;
  const items: PreviewItem[] = [];
  let last: Position | null = null;
  let next: Position | null = null;
  for (let after = from; ;) {
    const found = await openTickets(after, BATCH);
    const rows = found.rows.filter((row) => row.policy === policy);
    for (let i = 0; i < rows.length; i += TOGETHER) {
      const some = rows.slice(i, i + TOGETHER);
      const foreseen = await Promise.all(some.map(async (row) => foresee(await state(row.ticket), supposed)));
      for (const [j, { ticket: id, number, priority, opened }] of some.entries()) {
        const { moved } = foreseen[j]!;
        preview?.add(foreseen[j]!);
        if (moved.length === 0) continue;
        if (items.length === limit) next ??= last;
        if (next === null) {
          items.push({ ticket: id, number, priority, dues: moved });
          last = opened;
        } else if (preview === null) return { summary: null, items, next };
      }
    }
    if (!found.more) return { summary: preview?.summary() ?? null, items, next };
    after = found.rows.at(-1)!.opened;
  }
}
