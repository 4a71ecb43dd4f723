import {
  calendarPeriod,
  ClockNotStarted,
  compileCalendar,
  corrected,
  edited,
  foldClock,
  ledger,
  localText,
  nextResponseCycles,
  remaining,
  survivorOf,
  updateWindows,
  zoneOf,
  type Calendar,
  type CalendarDefinition,
  type CalendarPeriod,
  type CalendarVersion,
  type Clock,
  type ClockFact,
  type Fraction,
  type HoldReason,
  type ReopenMode,
  type RetargetMode,
} from '#domain/sla';
import { instant, never, toInstant, toSeconds, type Instant } from '#kernel';

/** Vectors of domain.md C, in the form that their own `meta.schema` describes. */

type Definitions = Readonly<Record<string, CalendarDefinition>>;

type ClockEvent = { readonly at: Instant } & (
  | { readonly type: 'start' | 'stop' | 'observe' }
  | { readonly type: 'pause' | 'resume'; readonly reason?: string }
  | { readonly type: 'reopen'; readonly mode: ReopenMode }
  | {
      readonly type: 'retarget';
      readonly target_s?: number;
      readonly calendar?: string;
      readonly mode?: RetargetMode;
    }
  | {
      readonly type: 'calendarChanged';
      readonly calendar: string;
      readonly effective: Instant;
      readonly def: CalendarDefinition;
    }
  | { readonly type: 'calendarCorrected'; readonly calendar: string; readonly def: CalendarDefinition }
);

interface ClockInput {
  readonly calendars: Definitions;
  readonly clock: {
    readonly target_s: number;
    readonly calendar: string;
    readonly warn?: readonly Fraction[];
  };
  readonly events: readonly ClockEvent[];
}

export function clockVector(input: ClockInput): unknown {
  const observations: unknown[] = [];
  let first: Definitions = input.calendars;
  input.events.forEach((event, i) => {
    if (event.type === 'calendarCorrected') first = { ...first, [event.calendar]: event.def };
    if (event.type !== 'observe') return;
    const facts = clockFacts(input, first, input.events.slice(0, i));
    observations.push(observation(input, facts, instant(event.at)));
  });
  return { observations };
}

/** What the events up to here mean to the clock, over the first versions of the calendars as they are known now. */
function clockFacts(
  input: ClockInput,
  first: Definitions,
  events: readonly ClockEvent[],
): readonly ClockFact[] {
  const versions = new Map(
    Object.keys(input.calendars).map((name): [string, readonly CalendarVersion[]] => {
      const original: CalendarVersion = { effective: -Infinity, definition: input.calendars[name]! };
      return [name, corrected([original], first[name]!)];
    }),
  );
  let current = input.clock.calendar;
  const compiled = (): Calendar => compileCalendar(current, known(versions, current));
  return events.flatMap((event): readonly ClockFact[] => {
    const at = instant(event.at);
    switch (event.type) {
      case 'start': {
        const { target_s: target, warn = [] } = input.clock;
        return [{ type: 'start', at, target, calendar: compiled(), warn }];
      }
      case 'pause':
      case 'resume':
        // The vectors' reasons are labels of their own; the clock only tells them apart.
        return [{ type: event.type, at, reason: (event.reason ?? 'x') as HoldReason }];
      case 'stop':
        return [{ type: 'stop', at }];
      case 'reopen':
        return [{ type: 'reopen', at, mode: event.mode }];
      case 'retarget':
        current = event.calendar ?? current;
        return [
          {
            type: 'retarget',
            at,
            mode: event.mode ?? 'keep',
            ...(event.target_s !== undefined && { target: event.target_s }),
            ...(event.calendar !== undefined && { calendar: compiled() }),
          },
        ];
      case 'calendarChanged': {
        const effective = toSeconds(instant(event.effective));
        versions.set(event.calendar, edited(known(versions, event.calendar), effective, event.def));
        return event.calendar === current
          ? [{ type: 'retarget', at, mode: 'keep', calendar: compiled() }]
          : [];
      }
      case 'calendarCorrected':
      case 'observe':
        return [];
      default:
        return never(event);
    }
  });
}

function observation(input: ClockInput, facts: readonly ClockFact[], at: Instant): unknown {
  const clock = startedClock(facts, at);
  if (!clock)
    return {
      at,
      state: 'notStarted',
      consumed_s: 0,
      remaining_s: input.clock.target_s,
      due: null,
      breachedAt: null,
      ...(input.clock.warn?.length && {
        warnings: input.clock.warn.map((fraction) => warning(fraction, null, false)),
      }),
    };
  return {
    at,
    state: clock.state,
    consumed_s: clock.consumed,
    remaining_s: remaining(clock),
    due: clock.due,
    breachedAt: clock.breachedAt,
    ...(clock.state === 'stopped' && { outcome: clock.breachedAt === null ? 'met' : 'breached' }),
    ...(clock.due !== null && { dueLocal: localText(zoneOf(clock.calendar.zone), clock.due) }),
    ...(clock.warnings.length > 0 && {
      warnings: clock.warnings.map(({ fraction, at, fired }) => warning(fraction, at, fired)),
    }),
  };
}

/** @throws where the ledger of the clock does not add up to it: then the vector fails, whatever it expects */
function startedClock(facts: readonly ClockFact[], at: Instant): Clock | null {
  try {
    const { clock, lines } = ledger(
      facts.map((fact) => ({ ...fact, source: fact.type })),
      at,
    );
    const counted = lines
      .filter(({ cycle, ahead }) => cycle === clock.cycle && !ahead)
      .reduce((sum, line) => sum + line.counted, 0);
    const last = lines.at(-1)!;
    if (counted !== clock.consumed)
      throw new Error(`the ledger at ${at} counts ${counted}, not ${clock.consumed}`);
    if (last.ahead && (last.to !== clock.due || last.sum !== clock.target))
      throw new Error(`the ledger at ${at} comes to ${last.sum} at ${last.to}, not to ${clock.due}`);
    return clock;
  } catch (error) {
    if (error instanceof ClockNotStarted) return null;
    throw error;
  }
}

const warning = ([numerator, denominator]: Fraction, at: Instant | null, fired: boolean): object => ({
  fraction: `${numerator}/${denominator}`,
  at,
  fired,
});

interface PromisedInput {
  readonly calendars: Definitions;
  readonly calendar: string;
  readonly target_s: number;
}

export function nextResponseVector(
  input: PromisedInput & {
    readonly messages: readonly {
      readonly at: Instant;
      readonly by: 'customer' | 'agent';
      readonly public?: boolean;
    }[];
  },
): unknown {
  const messages = input.messages.map((message) => ({
    at: instant(message.at),
    by: message.by,
    public: message.public ?? true,
    autoReply: false,
  }));
  return {
    cycles: nextResponseCycles(messages, promised(input)).map(({ consumed, ...cycle }) => ({
      ...cycle,
      ...(consumed !== null && { consumed_s: consumed }),
    })),
  };
}

export function periodicUpdateVector(
  input: PromisedInput & {
    readonly start: Instant;
    readonly stop?: Instant | null;
    readonly updates: readonly Instant[];
  },
): unknown {
  const stop = input.stop ?? null;
  const windows = updateWindows(
    instant(input.start),
    input.updates.map(instant),
    stop && instant(stop),
    promised(input),
  );
  return { windows: windows.map(({ from, ...window }) => ({ windowFrom: from, ...window })) };
}

export function mergeVector(input: {
  readonly calendars: Definitions;
  readonly calendar: string;
  readonly mergedAt: Instant;
  readonly tickets: readonly {
    readonly id: string;
    readonly startedAt: Instant;
    readonly target_s: number;
  }[];
}): unknown {
  const mergedAt = instant(input.mergedAt);
  const calendar = compiledAlone(input.calendars, input.calendar);
  const contenders = input.tickets.map(({ id, startedAt, target_s: target }) => ({
    id,
    clock: foldClock([{ type: 'start', at: instant(startedAt), target, calendar }], mergedAt),
  }));
  const survivor = survivorOf(contenders, mergedAt);
  return {
    perTicket: Object.fromEntries(
      contenders.map(({ id, clock }) => [id, { consumed_s: clock.consumed, due: clock.due }]),
    ),
    survivorClock: survivor?.id ?? null,
    due: survivor?.clock.due ?? null,
    others: contenders.filter(({ id }) => id !== survivor?.id).map(({ id }) => id),
  };
}

export function businessDaysVector(input: {
  readonly calendars: Definitions;
  readonly calendar: string;
  readonly receivedAt: Instant;
  readonly days: number;
}): unknown {
  const calendar = compiledAlone(input.calendars, input.calendar);
  const { date, due } = calendar.businessDeadline(instant(input.receivedAt), input.days);
  return { dueDate: date, due, dueLocal: localText(zoneOf(calendar.zone), due) };
}

/** The vectors name the first instant too late; the engine names the last one in time. */
export function calendarPeriodVector(input: {
  readonly zone: string;
  readonly receivedAt: Instant;
  readonly period: CalendarPeriod;
}): unknown {
  const { lastDay, due } = calendarPeriod(input.zone, instant(input.receivedAt), input.period);
  const dueExclusive = toInstant(toSeconds(due) + 1);
  return { lastDay, dueExclusive, dueExclusiveLocal: localText(zoneOf(input.zone), dueExclusive) };
}

function promised({ calendars, calendar, target_s: target }: PromisedInput): {
  readonly calendar: Calendar;
  readonly target: number;
} {
  return { calendar: compiledAlone(calendars, calendar), target };
}

function compiledAlone(definitions: Definitions, name: string): Calendar {
  return compileCalendar(name, [{ effective: -Infinity, definition: named(definitions, name) }]);
}

function named(definitions: Definitions, name: string): CalendarDefinition {
  const definition = definitions[name];
  if (!definition) throw new Error(`the vector names no calendar ${name}`);
  return definition;
}

function known(
  versions: ReadonlyMap<string, readonly CalendarVersion[]>,
  name: string,
): readonly CalendarVersion[] {
  const found = versions.get(name);
  if (!found) throw new Error(`the vector names no calendar ${name}`);
  return found;
}
