import {
  ticket,
  ticketStream,
  type TicketCommand,
  type TicketEvent,
  type TicketRefusal,
  type TicketState,
} from '#domain/desk';
import type { Policies } from '#domain/sla';
import { foldStream, InvalidAppend, type Codec, type EventStore, type Transactor } from '#engine/store';
import type { PersonId, Position, Recorded, Uuid } from '#kernel';
import {
  commandsOf,
  NEW_CASE,
  planCase,
  type CaseIds,
  type CasePlan,
  type CaseSoFar,
  type PlannedChange,
} from './plan.js';
import type { CaseReader, CaseRows, Rejected } from './rows.js';

/** What taking in a case needs of the desk. */
export interface ImportDesk {
  readonly store: Pick<EventStore, 'readStreams'>;
  readonly codec: Pick<Codec, 'decode'>;
  readonly tickets: Transactor<TicketState, TicketCommand, TicketEvent, TicketRefusal>;
  readonly ids: CaseIds;
  readonly importer: PersonId;
  /** A snapshot, the same for the whole import (ruling 6). */
  readonly policies: Policies;
  /** `name@version` (ruling 19). */
  readonly policy: string;
  /** A number said on the phone, asked for only where a ticket is opened. */
  readonly number: () => Promise<string>;
}

export interface TakenIn {
  readonly plan: CasePlan;
  /** Appended now; empty where nothing was new. */
  readonly events: readonly Recorded<TicketEvent>[];
  /** Of the last of them. */
  readonly position: Position | null;
  readonly rejected: readonly Rejected[];
}

/** What the log holds of several cases, in one read. */
export async function casesSoFar(
  desk: Pick<ImportDesk, 'store' | 'codec' | 'ids'>,
  keys: readonly string[],
): Promise<ReadonlyMap<string, CaseSoFar>> {
  const streams = new Map(keys.map((key) => [ticketStream(desk.ids.ticket(key)), key]));
  const stored = await desk.store.readStreams([...streams.keys()]);
  return new Map(
    [...streams].map(([stream, key]) => {
      const events = (stored.get(stream) ?? []).map(desk.codec.decode);
      if (events.length === 0) return [key, NEW_CASE];
      const { state } = foldStream<TicketState, TicketEvent>(ticket, events);
      return [key, { state, events: new Set(events.map(({ id }) => id)) }];
    }),
  );
}

/**
 * Appends what a case adds to the log: one append with its clock facts and its closing note (ruling 17), or
 * several, cut between rows, where it is too large for one. A row that the ticket refuses is left out and
 * told; the others are taken in without it. Doing it again adds nothing.
 *
 * Errors: those of transact. What was appended before one stays, and the next run goes on from there.
 */
export async function takeIn(
  desk: ImportDesk,
  reader: CaseReader,
  rows: CaseRows,
  soFar: CaseSoFar,
): Promise<TakenIn> {
  const stream = ticketStream(desk.ids.ticket(rows.key));
  const leftOut = new Set<Uuid>();
  const refused: Rejected[] = [];
  const events: Recorded<TicketEvent>[] = [];
  let position: Position | null = null;
  let before = soFar;

  for (;;) {
    const plan = planCase(
      reader,
      leftOut.size === 0 ? rows : { ...rows, rows: rows.rows.filter(({ id }) => !leftOut.has(id)) },
      before,
      desk.ids,
    );
    const done = (): TakenIn => ({ plan, events, position, rejected: [...plan.rejected, ...refused] });
    if (plan.rows.length === 0) return done();

    const opens = plan.changes.some(({ change }) => change.kind === 'opened');
    const number = opens ? await desk.number() : '';
    const leaveOut = (row: PlannedChange['row'], reason: string): void => {
      leftOut.add(row.id);
      refused.push({ source: row.raw.source, line: row.raw.line, reason });
    };

    let parts: Part[] = [{ changes: plan.changes, closes: true }];
    while (parts.length > 0) {
      const [part, ...later] = parts as [Part, ...Part[]];
      const { commands, ids, rows: behind } = commandsOf(reader, plan, part, { ...desk, number });
      try {
        const outcome = await desk.tickets.transact(
          {
            stream,
            actor: { id: desk.importer, role: 'integration' },
            correlation: desk.ids.ticket(rows.key),
            expectNew: before.state.status === 'none' && events.length === 0,
            ids,
          },
          () => commands,
        );
        if (outcome.outcome === 'refused') {
          const row = behind[outcome.at];
          if (!row) throw new Error(`${stream}: the import's own note was refused: ${outcome.refusal.code}`);
          leaveOut(row, `${outcome.refusal.code}: ${outcome.refusal.detail}`);
          break;
        }
        if (outcome.outcome !== 'accepted')
          throw new Error(`${stream}: an import without a key was answered ${outcome.outcome}`);
        events.push(...outcome.events);
        if (outcome.events.length > 0) position = outcome.position;
        parts = later;
      } catch (error) {
        if (!(error instanceof InvalidAppend)) throw error;
        const halves = cut(part);
        if (halves) parts = [...halves, ...later];
        else {
          const only = part.changes[0];
          if (!only) throw error;
          leaveOut(only.row, error.message);
          break;
        }
      }
    }
    if (parts.length === 0) return done();
    // A row is left out: what comes after it is compared anew, with what is appended by now.
    before = (await casesSoFar(desk, [rows.key])).get(rows.key)!;
  }
}

interface Part {
  readonly changes: readonly PlannedChange[];
  readonly closes: boolean;
}

/** Between two rows, about the middle; null where there is nothing to cut. */
function cut({ changes, closes }: Part): readonly Part[] | null {
  const starts = changes.flatMap(({ row }, i) => (i > 0 && row !== changes[i - 1]!.row ? [i] : []));
  if (starts.length === 0)
    return closes && changes.length > 0
      ? [
          { changes, closes: false },
          { changes: [], closes: true },
        ]
      : null;
  const middle = starts.reduce((best, start) =>
    Math.abs(start - changes.length / 2) < Math.abs(best - changes.length / 2) ? start : best,
  );
  return [
    { changes: changes.slice(0, middle), closes: false },
    { changes: changes.slice(middle), closes },
  ];
}
