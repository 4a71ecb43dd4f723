import type { Explained, Origin } from '#domain/desk';
import { localText, TZDB, TZDB_VERSIONS, zoneOf, type LedgerLine } from '#domain/sla';
import { never, type Actor, type Instant, type PersonId } from '#kernel';
import { aligned } from '../aligned.js';

/** What a person is called; null where nobody knows. */
export type Called = (person: PersonId) => string | null;

/** A clock and its ledger as lines of text: times in the reader's zone, and beside them in the calendar's where that is another. */
export function* explainedAsText(explained: Explained, zone: string, called: Called): Generator<string> {
  const { standing, lines, agrees } = explained;
  const { clock, cycle, state, target, consumed, remaining, due, breached, breachedAt } = standing;
  const here = zoneOf(zone);
  const dueText = due === null ? 'due at no instant as it stands' : `due ${localText(here, due)}`;
  yield `${clock}, cycle ${cycle}: ${state}${breached ? `, breached at ${localText(here, breachedAt ?? due!)}` : ''}`;
  yield `  promised ${time(target)} of open hours by policy ${standing.policy}, calendar ${standing.calendar} in ${standing.zone}, zone rules ${standing.tzdb}`;
  yield `  consumed ${time(consumed)}, remaining ${time(remaining)}, ${dueText}`;
  if (!agrees)
    yield '  NOTE: the lines do not come to what the events recorded, which stands above; rules have changed since';
  yield '';
  for (const line of aligned(rowsOf(explained, zone, called), FIGURES)) yield `  ${line}`;
  if (lines.some(({ ahead }) => ahead)) yield '  > follows if nothing else happens';
}

type Row = readonly string[];

/** Columns whose figures stand under each other. */
const FIGURES: ReadonlySet<string> = new Set(['counted', 'sum']);

function rowsOf({ standing, lines }: Explained, zone: string, called: Called): readonly Row[] {
  const rules = TZDB_VERSIONS.includes(standing.tzdb) ? standing.tzdb : TZDB;
  const zones = new Set([standing.zone, ...lines.flatMap((line) => ('zone' in line ? [line.zone] : []))]);
  zones.delete(zone);
  const there = zones.size > 0;
  let calendarZone = standing.zone;
  const rows = lines.map((line): Row => {
    if ('zone' in line) calendarZone = line.zone;
    const times = (text: (at: Instant) => string): Row => [
      text(line.from),
      line.from === line.to ? '' : text(line.to),
    ];
    return [
      line.ahead ? '>' : '',
      ...times((at) => localText(zoneOf(zone), at)),
      ...(there ? times((at) => localText(zoneOf(calendarZone, rules), at)) : []),
      what(line, called),
      line.counted === 0 ? '' : time(line.counted),
      time(line.sum),
      line.source === null ? 'not recorded yet' : named(line.source),
    ];
  });
  const calendars = there ? [`from (${[...zones].join(', ')})`, 'to'] : [];
  return [['', `from (${zone})`, 'to', ...calendars, 'what', 'counted', 'sum', 'event'], ...rows];
}

function what(line: LedgerLine<Origin>, called: Called): string {
  switch (line.kind) {
    case 'started':
      return `started: ${time(line.target)} promised`;
    case 'reopened':
      return 'reopened: goes on';
    case 'restarted':
      return `cycle ${line.cycle} begins: ${time(line.target)} promised`;
    case 'retargeted':
      return `${time(line.target)} promised instead of ${time(line.targetBefore)} (${line.mode}) by ${who(line.source, called)}`;
    case 'adopted':
      return `another ticket’s clock goes on here: ${time(line.target)} promised`;
    case 'open':
      return 'open';
    case 'closed':
      return 'closed';
    case 'holiday':
      return `holiday ${line.date}`;
    case 'outside-calendar':
      return 'before the calendar is in force';
    case 'paused':
      return `paused ${line.reasons.map(({ reason, source }) => `for ${reason} by ${who(source, called)}`).join(', ')}; ${time(line.open)} of it open`;
    case 'breached':
      return 'breached: due and unanswered';
    case 'annulled':
      return `that breach annulled: ${line.cause} made it untrue`;
    case 'warned':
      return `warned: ${share(line)} of it used up`;
    case 'warning-annulled':
      return `the warning at ${share(line)} annulled: ${line.cause} made it untrue`;
    case 'ended':
      return `ended: ${line.state}`;
    case 'rested':
      return 'had ended';
    default:
      return never(line);
  }
}

const share = ({
  numerator,
  denominator,
}: {
  readonly numerator: number;
  readonly denominator: number;
}): string => `${numerator}/${denominator}`;

function who(source: Origin | null, called: Called): string {
  if (source === null) return 'nobody yet';
  const { id, role }: Actor = source.by;
  return role === 'system' ? 'the house' : `${called(id) ?? id} (${role})`;
}

/** Its place in the ticket's stream says which event it is, in fewer letters than its id. */
const named = ({ revision, type }: Origin): string => `#${revision} ${type}`;

/** Hours, minutes and seconds; hours are not bound to a day. */
function time(seconds: number): string {
  const of = Math.abs(seconds);
  const two = (n: number): string => String(n).padStart(2, '0');
  return `${seconds < 0 ? '-' : ''}${Math.floor(of / 3600)}:${two(Math.floor(of / 60) % 60)}:${two(of % 60)}`;
}
