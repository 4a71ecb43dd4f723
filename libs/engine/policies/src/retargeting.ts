import {
  ticketStream,
  type TicketCommand,
  type TicketEvent,
  type TicketRefusal,
  type TicketState,
} from '#domain/desk';
import { hasEnded, UnknownPolicy, type ClockRecord, type Policies } from '#domain/sla';
import { mayPass, OlderThanLog, type Transactor } from '#engine/store';
import { HOUSE, later, type Actor, type Instant, type Logger, type Position, type Uuid } from '#kernel';

/** A version whose activation said that open tickets are re-targeted by it. */
export interface Retargets {
  /** The policy, `default`. */
  readonly name: string;
  /** `default@2`. */
  readonly ref: string;
  readonly effective: Instant;
}

/** An open ticket, as the read model knows it. */
export interface OpenTicket {
  readonly ticket: Uuid;
  readonly opened: Position;
  readonly openedAt: Instant;
  /** Name, or `name@version` where pinned. */
  readonly policy: string;
  readonly clocks: readonly Pick<ClockRecord, 'state' | 'policy'>[];
}

export interface Retargeting {
  /** All that were ever activated. */
  readonly versions: () => readonly Retargets[];
  readonly policies: () => Policies;
  /** Open tickets in the order of their opening. */
  readonly open: (after: Position | null, limit: number) => Promise<readonly OpenTicket[]>;
  readonly tickets: Pick<Transactor<TicketState, TicketCommand, TicketEvent, TicketRefusal>, 'transact'>;
  /** Throws while this process may record nothing. Answers the server's now. */
  readonly now: () => Promise<Instant>;
  readonly correlation: () => string;
  readonly logger: Logger;
  /** Resolves after so many milliseconds, or when the signal aborts. */
  readonly pause: (milliseconds: number, signal: AbortSignal) => Promise<void>;
  readonly watch?: { readonly retargeted?: (tickets: number) => void };
}

const PAGE = 500;
const TOGETHER = 16;
const LOOK_MS = 1_000;
/** After a version came into force, other processes still open tickets by the one before for some seconds, and views lag. */
const FRESH_MS = 60_000;
const OFTEN_MS = 5_000;
/** What was opened in the past meanwhile (imports, integrations) is found within this. */
const SELDOM_MS = 600_000;
const WAIT_MS = 5_000;

const BY: Actor = { id: HOUSE, role: 'system' };

/**
 * Re-targets open tickets by every version that was activated for them, as of the instant from which on it
 * is in force. Asking a ticket again changes nothing, so several of these do no harm beside each other, and
 * one that was cut off begins anew.
 *
 * Resolves when the signal aborts. OlderThanLog ends it (ruling 48).
 */
export async function keepRetargeting(retargeting: Retargeting, signal: AbortSignal): Promise<void> {
  const { logger, pause, watch } = retargeting;
  const passed = new Map<string, number>();
  let failing = false;
  while (!signal.aborted) {
    try {
      const now = await retargeting.now();
      const wanted = retargeting.versions().filter(({ ref, effective }) => {
        const since = Date.parse(now) - Date.parse(effective);
        const last = passed.get(ref) ?? -Infinity;
        return since >= 0 && Date.parse(now) - last >= (since < FRESH_MS ? OFTEN_MS : SELDOM_MS);
      });
      if (wanted.length > 0) {
        const done = await retargetOpen(retargeting, wanted, signal);
        if (done > 0) {
          watch?.retargeted?.(done);
          logger.info(
            { tickets: done, versions: wanted.map(({ ref }) => ref) },
            'open tickets were re-targeted',
          );
        }
        // Of one that came into force during the pass, the next pass sees all.
        for (const { ref } of wanted) passed.set(ref, Date.parse(now));
      }
      failing = false;
      await pause(LOOK_MS, signal);
    } catch (error) {
      if (error instanceof OlderThanLog) throw error;
      if (signal.aborted) return;
      if (!failing)
        logger.warn({ problem: error instanceof Error ? error.name : 'unknown' }, 're-targeting waits');
      failing = true;
      await pause(WAIT_MS, signal);
    }
  }
}

/** One pass over all open tickets. Answers how many were re-targeted; one that fails by itself is told and left. */
export async function retargetOpen(
  retargeting: Retargeting,
  versions: readonly Retargets[],
  signal: AbortSignal,
): Promise<number> {
  const inOrder = [...versions].sort((a, b) => (a.effective < b.effective ? -1 : 1));
  let done = 0;
  for (let after: Position | null = null; !signal.aborted;) {
    const page: readonly OpenTicket[] = await retargeting.open(after, PAGE);
    const policies = retargeting.policies();
    const steps = page.flatMap((row) => {
      const wanted = inOrder.flatMap((version) => stepOf(row, version, policies));
      return wanted.length === 0 ? [] : [{ row, wanted }];
    });
    const queue = steps.values();
    const worker = async (): Promise<void> => {
      for (const { row, wanted } of queue) {
        if (signal.aborted) return;
        if (await asked(retargeting, row.ticket, wanted, policies)) done++;
      }
    };
    await Promise.all(Array.from({ length: TOGETHER }, worker));
    if (page.length < PAGE) break;
    after = page.at(-1)!.opened;
  }
  return done;
}

interface Step {
  readonly ref: string;
  readonly at: Instant;
}

/** Nothing where the ticket came under the version, or a later one, already, or was never under this policy. */
function stepOf(row: OpenTicket, { name, ref, effective }: Retargets, policies: Policies): readonly Step[] {
  if (row.policy !== name) return [];
  const at = later(effective, row.openedAt);
  try {
    if (policies.inForce(name, at).ref !== ref) return [];
    const behind = row.clocks.some(
      (clock) =>
        !hasEnded(clock) && clock.policy !== ref && policies.version(clock.policy).effective <= effective,
    );
    return behind ? [{ ref, at }] : [];
  } catch (error) {
    // A version that this process has not read yet: the next pass knows it.
    if (error instanceof UnknownPolicy) return [];
    throw error;
  }
}

async function asked(
  { tickets, correlation, logger }: Retargeting,
  ticket: Uuid,
  steps: readonly Step[],
  policies: Policies,
): Promise<boolean> {
  let changed = false;
  for (const { ref, at } of steps)
    try {
      const came = await tickets.transact(
        { stream: ticketStream(ticket), actor: BY, correlation: correlation(), occurredAt: at },
        (occurredAt) => ({ type: 'retarget-ticket', occurredAt, by: BY, policies, policy: ref }),
      );
      // Refused: it is open no more. In the future: this process's clock is behind; the next pass does it.
      changed ||=
        came.outcome === 'accepted' && came.events.some(({ type }) => type === 'desk.ticket-retargeted.v1');
    } catch (error) {
      if (error instanceof OlderThanLog || mayPass(error)) throw error;
      logger.error(
        { ticket, problem: error instanceof Error ? error.name : 'unknown' },
        'a ticket could not be re-targeted',
      );
    }
  return changed;
}
