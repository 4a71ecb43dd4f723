import {
  ticket,
  ticketStream,
  type TicketCommand,
  type TicketEvent,
  type TicketRefusal,
  type TicketState,
} from '#domain/desk';
import type { Policies } from '#domain/sla';
import {
  foldStream,
  mayPass,
  OlderThanLog,
  type Codec,
  type EventStore,
  type StoredEvent,
  type Transactor,
} from '#engine/store';
import { HOUSE, never, type Actor, type Logger, type Position, type Recorded, type Uuid } from '#kernel';
import { FlowFenced, type FlowCheckpoint, type FlowCheckpoints, type Held } from './checkpoints.js';
import type { Flow, Step } from './flow.js';

export interface FlowingWatch {
  /** An event's steps are done. */
  readonly done?: (flow: string) => void;
  /** The steps of an event failed, or wait. */
  readonly held?: (flow: string, events: number) => void;
  readonly restarted?: (flow: string) => void;
}

export interface Flowing {
  readonly store: Pick<EventStore, 'subscribe' | 'readStream' | 'identity' | 'at'>;
  readonly codec: Pick<Codec, 'decode' | 'catalogue'>;
  readonly checkpoints: FlowCheckpoints;
  readonly tickets: Transactor<TicketState, TicketCommand, TicketEvent, TicketRefusal>;
  /** A snapshot for one command (ruling 6). */
  readonly policies: () => Policies;
  /** The id of the n-th fact of a step; the same for ever (ruling 10). */
  readonly derived: (cause: Uuid, step: string, fact: number) => Uuid;
  /** What passes by itself beside outages of the log: a wrong clock, a full disk. */
  readonly passing?: (error: unknown) => boolean;
  readonly logger: Logger;
  /** Resolves after so many milliseconds, or when the signal aborts. */
  readonly pause: (milliseconds: number, signal: AbortSignal) => Promise<void>;
  readonly watch?: FlowingWatch;
}

/** The checkpoint belongs to another log, or its event is another one there (ruling 45). */
export class ForeignFlow extends Error {
  override readonly name = 'ForeignFlow';
  constructor(flow: string) {
    super(
      `flow ${flow} has read another log than this one (a restored or swapped one); let it read this one from ` +
        `its beginning, which does nothing twice: npm run covenant -- flows restart ${flow}`,
    );
  }
}

const BATCH = 1_000;
/** Events that are none of a flow's business and may be read again after a crash. */
const UNSAVED = 1_000;
/** How often the steps of one event are tried before the flow goes on without it. */
const TRIES = 3;
/** Steps after steps; more follow from no refusal there is. */
const DEPTH = 5;
/** So long the next live batch may gather; the longer, the more comes. */
const GATHER_MS = 25;
const LONGEST_GATHER_MS = 120;
const gathering = (events: number): number => Math.min(LONGEST_GATHER_MS, GATHER_MS + events / 4);
const FIRST_PAUSE_MS = 100;
const LONGEST_PAUSE_MS = 5_000;

/**
 * Runs a flow over the log: for each event it answers, its steps in order, then the checkpoint. An event may be
 * told again after a crash, and by another runner; its steps are recognised by the tickets they are on.
 *
 * A lost database is waited for. An event whose steps fail for another reason is held and the flow goes on; it
 * is tried again at the next start. Resolves when the signal aborts.
 *
 * Errors that end it: OlderThanLog (ruling 48), ForeignFlow (ruling 45).
 */
export async function runFlow(flowing: Flowing, flow: Flow, signal: AbortSignal): Promise<void> {
  const { checkpoints, logger, pause, watch } = flowing;
  const tries = new Map<Position, number>();
  let failures = 0;
  while (!signal.aborted) {
    try {
      const lead = await checkpoints.lead(flow.name, signal);
      try {
        const until = AbortSignal.any([signal, lead.lost]);
        await pass(flowing, flow, tries, until, () => (failures = 0));
      } finally {
        await lead.release();
      }
    } catch (error) {
      if (error instanceof OlderThanLog || error instanceof ForeignFlow) {
        logger.error({ flow: flow.name, problem: error.name, reason: error.message }, 'a flow stopped');
        throw error;
      }
      if (signal.aborted) return;
      watch?.restarted?.(flow.name);
      logger.warn({ flow: flow.name, problem: nameOf(error), failures }, 'a flow starts again');
    }
    await pause(Math.min(FIRST_PAUSE_MS * 2 ** Math.min(failures++, 10), LONGEST_PAUSE_MS), signal);
  }
}

async function pass(
  flowing: Flowing,
  flow: Flow,
  tries: Map<Position, number>,
  signal: AbortSignal,
  onProgress: () => void,
): Promise<void> {
  const { store, checkpoints, watch } = flowing;
  const log = await store.identity();
  let checkpoint = await checkpoints.start(flow.name, log);
  await checkOrigin(store, checkpoint, log);
  watch?.held?.(flow.name, checkpoint.held.length);

  const move = async (to: Partial<FlowCheckpoint>): Promise<void> => {
    const { position, event, held } = { ...checkpoint, ...to };
    checkpoint = await checkpoints.move(checkpoint, { position, event, held });
    watch?.held?.(flow.name, held.length);
    onProgress();
  };
  const answer = async (stored: StoredEvent): Promise<Held | null> => {
    try {
      const waitsFor = await answered(flowing, flow, stored);
      if (waitsFor !== null) return { position: stored.position, stream: waitsFor, problem: null };
      watch?.done?.(flow.name);
      return null;
    } catch (error) {
      if (signal.aborted || passes(flowing, error)) throw error;
      const tried = (tries.get(stored.position) ?? 0) + 1;
      tries.set(stored.position, tried);
      if (tried < TRIES) throw error;
      const problem = nameOf(error);
      flowing.logger.error(
        { flow: flow.name, event: stored.id, position: stored.position, problem },
        'the steps of an event failed; the flow goes on without it',
      );
      return { position: stored.position, stream: null, problem };
    }
  };
  /** Those held events that it is time for, once more. */
  const resume = async (isTime: (held: Held) => boolean): Promise<readonly Held[]> => {
    const held: Held[] = [];
    for (const each of checkpoint.held) {
      const stored = isTime(each) ? await store.at(each.position) : null;
      const again = stored === null ? each : await answer(stored);
      if (again !== null) held.push(again);
    }
    return held;
  };

  if (checkpoint.held.some(failed)) await move({ held: await resume(failed) });

  let seen: Pick<FlowCheckpoint, 'position' | 'event'> = checkpoint;
  let unsaved = 0;
  for await (const batch of store.subscribe(checkpoint.position, { signal, limit: BATCH })) {
    for (const stored of batch.events) {
      if (signal.aborted) break;
      const at = { position: stored.position, event: stored.id };
      if (isAnswered(flowing, flow, stored)) {
        const held = await answer(stored);
        await move({ ...at, held: held === null ? checkpoint.held : [...checkpoint.held, held] });
        unsaved = 0;
      } else if (endsImport(stored) && checkpoint.held.some(({ stream }) => stream === stored.stream)) {
        await move({ ...at, held: await resume(({ stream }) => stream === stored.stream) });
        unsaved = 0;
      } else unsaved++;
      seen = at;
    }
    if (unsaved >= UNSAVED) {
      await move(seen);
      unsaved = 0;
    }
    if (batch.caughtUp && batch.events.length > 0)
      await flowing.pause(gathering(batch.events.length), signal);
  }
  if (unsaved > 0) await move(seen);
}

const failed = (held: Held): boolean => held.stream === null;
const endsImport = (stored: StoredEvent): boolean => stored.type === 'desk.case-imported.v1';

/** Decodes what it must; what no program like this one knows is met here, whoever it concerns (ruling 48). */
function isAnswered({ codec }: Flowing, flow: Flow, stored: StoredEvent): boolean {
  const type = stored.type in codec.catalogue ? stored.type : codec.decode(stored).type;
  return (flow.types as readonly string[]).includes(type);
}

/** The stream whose import the event's steps have to wait for, or null: they are done. */
async function answered(flowing: Flowing, flow: Flow, stored: StoredEvent): Promise<string | null> {
  const { store, codec } = flowing;
  const past = await store.readStream(stored.stream);
  const before = foldStream<TicketState, TicketEvent>(
    ticket,
    past.slice(0, stored.revision).map(codec.decode),
  );
  const event = codec.decode(stored) as Recorded<TicketEvent>;
  return taken(flowing, event, flow.steps(event, before.state), DEPTH);
}

async function taken(
  flowing: Flowing,
  event: Recorded<TicketEvent>,
  steps: readonly Step[],
  depth: number,
): Promise<string | null> {
  if (depth === 0) throw new Error(`steps follow from steps of ${event.type} without end`);
  const { tickets, policies, derived } = flowing;
  for (const step of steps) {
    const stream = ticketStream(step.on);
    if (isImporting((await tickets.load(stream)).state)) return stream;
    if (step.provided) {
      const other = ticketStream(step.provided.of);
      if (!step.provided.holds((await tickets.load(other)).state)) continue;
    }
    const by = inTheNameOf(event.actor);
    const rules = policies();
    const came = await tickets.transact(
      {
        stream,
        actor: by,
        correlation: event.correlation,
        causation: event.id,
        ids: (commands) => commands.map((_, fact) => derived(event.id, step.name, fact)),
      },
      (occurredAt) => step.command({ occurredAt, by, policies: rules }),
    );
    switch (came.outcome) {
      case 'accepted':
        break;
      case 'refused': {
        const follows = step.refused(came.refusal, (await tickets.load(stream)).state);
        const waitsFor = await taken(flowing, event, follows, depth - 1);
        if (waitsFor !== null) return waitsFor;
        break;
      }
      case 'stale':
      case 'key-reused':
      case 'in-future':
        throw new Error(`a step without a request's marks was answered ${came.outcome}`);
      default:
        return never(came);
    }
  }
  return null;
}

const isImporting = (state: TicketState): boolean => state.status !== 'none' && state.importing;

/** The house does it, for whoever began it. */
function inTheNameOf({ id, onBehalfOf }: Actor): Actor {
  const beginner = onBehalfOf ?? id;
  return { id: HOUSE, role: 'system', ...(beginner !== HOUSE && { onBehalfOf: beginner }) };
}

async function checkOrigin(
  store: Pick<EventStore, 'at'>,
  { flow, position, event, log: of }: FlowCheckpoint,
  log: Uuid,
): Promise<void> {
  if (of !== log) throw new ForeignFlow(flow);
  if (event !== null && (await store.at(position))?.id !== event) throw new ForeignFlow(flow);
}

function passes({ passing }: Flowing, error: unknown): boolean {
  return (
    error instanceof FlowFenced ||
    error instanceof OlderThanLog ||
    mayPass(error) ||
    (passing?.(error) ?? false)
  );
}

const nameOf = (error: unknown): string => (error instanceof Error ? error.name : 'unknown error');
