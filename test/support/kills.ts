import type { EventStore } from '#engine/store';
import { append, freshTicket, History } from '#engine/views/testing';
import { DeskProcess, type DeskOptions } from '../e2e/edge/desk-process.js';
import type { Seeded } from '../long/support/chance.js';
import { eventually } from './eventually.js';

export interface Kills {
  readonly kills: number;
  readonly process: DeskOptions;
  /** Message of its log that says it is at work. */
  readonly sign: string;
  /** Milliseconds from that sign to the kill; drawn anew each time. */
  readonly after: () => number;
}

/**
 * Starts a process of the desk, kills it with SIGKILL at a random moment of its work, and starts it again, so
 * many times. Resolves with the one that was started last, at work.
 *
 * @throws where one ended by itself
 */
export async function killAgainAndAgain({ kills, process, sign, after }: Kills): Promise<DeskProcess> {
  for (let kill = 0; ; kill++) {
    const victim = DeskProcess.start(process);
    await eventually(
      () => {
        if (victim.child.exitCode !== null)
          throw new Error(`it ended by itself: ${victim.err || victim.out.slice(-2_000)}`);
        return victim.line(sign);
      },
      { within: 60_000, what: `“${sign}”` },
    );
    if (kill === kills) return victim;
    await new Promise((resolve) => setTimeout(resolve, after()));
    victim.signal('SIGKILL');
    await victim.ended;
  }
}

const EVENTS_A_TICKET = 6;

/** Opens tickets and works on them, some fifty events a second, until it is told to stop. */
export async function writeTickets(log: EventStore, chance: Seeded, signal: AbortSignal): Promise<void> {
  while (!signal.aborted) {
    const history = new History();
    const stream = freshTicket();
    history.ticket(stream, 'desk.ticket-opened.v1');
    for (let i = 1; i < EVENTS_A_TICKET; i++)
      history.ticket(
        stream,
        chance.pick(['desk.message-received.v1', 'desk.note-added.v1', 'desk.ticket-held.v1']),
      );
    for (const event of history.events) {
      await append(log, [event]);
      await new Promise((resolve) => setTimeout(resolve, chance.int(40)));
    }
  }
}
