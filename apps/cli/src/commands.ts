import type { CommandBody } from './program.js';

export interface CommandDefinition {
  readonly about: string;
  /** Shown by `covenant help NAME`, and where the arguments are wrong. */
  readonly help: string;
  /** Loaded only when it runs, so that a small command starts at once. */
  readonly load: () => Promise<CommandBody>;
}

export const commands = {
  import: {
    about: 'takes in the history of another desk',
    help: `covenant import servicenow FILE…
covenant import log --map MAP.json FILE…

Reads a log whose rows are snapshots of a case after a change (CSV, also compressed with gzip or xz; - is
standard input) into the histories of tickets. Running it again adds nothing; a longer export adds what is
new. \`servicenow\` takes the columns of ServiceNow's incident export; \`log\` takes a mapping of your own, whose
form is docs/schemas/import-mapping.schema.json.

  --map FILE       the mapping (log only)
  --zone ZONE      IANA zone of times that carry none, and of the policy import-default; else the mapping's
  --policy REF     service-level policy and version, such as default@1; else import-default in that zone
  --rejects FILE   all rejected rows, one JSON object a line

A store that holds demonstration data is refused: name another folder, DATA_DIR=./data-real.`,
    load: async () => (await import('./commands/import.js')).importCommand,
  },
  token: {
    about: 'prints a token for the API',
    help: `covenant token --role ROLE --name NAME [--email ADDRESS] [--vendor VENDOR | --customer CUSTOMER]

Prints a token that is valid for 12 hours. The role vendor needs --vendor, the role customer --customer.`,
    load: async () => (await import('./commands/token.js')).tokenCommand,
  },
  views: {
    about: 'shows, retries and rebuilds the read models',
    help: `covenant views status [--json]
covenant views retry [VIEW]
covenant views rebuild [VIEW]

status   how far each view is behind the log, and which streams it could not go on with
retry    takes parked streams up again
rebuild  folds the log anew beside the live view, says where the two differ, and swaps them`,
    load: async () => (await import('./commands/views.js')).viewsCommand,
  },
  consumers: {
    about: 'shows, retries and rebuilds what lives on public messages',
    help: `covenant consumers list [--json]
covenant consumers retry [CONSUMER]
covenant consumers skip CONSUMER LETTER
covenant consumers rebuild [CONSUMER] [--zone ZONE]

list     how far each consumer is, what it has taken in, and the dead letters in its tables
retry    takes dead letters up again, those of a key in order
skip     gives one dead letter up for good, so that what waits behind it goes on at the next retry
rebuild  digests the log anew beside the live tables, says where the two differ, and swaps them

  --zone ZONE   (analytics only) counts the days of this IANA zone from now on

A consumer whose tables do not lie with the desk: CONSUMER_DATABASE_URL=postgres://… says where they do.`,
    load: async () => (await import('./commands/consumers.js')).consumersCommand,
  },
  flows: {
    about: 'shows and restarts the flows between tickets',
    help: `covenant flows status [--json]
covenant flows restart [FLOW]

status   how far each flow has read, and which events wait or failed
restart  lets a flow read the log from its beginning again; what is done already is not done twice`,
    load: async () => (await import('./commands/flows.js')).flowsCommand,
  },
  log: {
    about: 'prints the events of the log',
    help: `covenant log [--stream STREAM | --category CATEGORY] [--after POSITION] [--open] [--canonical]

One JSON object a line, in the order of the log.

  --stream STREAM      only this stream, such as ticket-<id>
  --category CATEGORY  only streams of this category, such as ticket
  --after POSITION     only what follows this position
  --open               with the texts that persons typed, opened by their keys
  --canonical          what two logs of the same facts have in common: without ticket numbers, positions and
                       the time of recording, texts opened, members in order; sort the lines to compare`,
    load: async () => (await import('./commands/log.js')).logCommand,
  },
  explain: {
    about: 'tells why the promises of a ticket are due when they are',
    help: `covenant explain TICKET [--zone ZONE] [--json]

TICKET is a number, such as T-100042, or an id. Prints each clock with its ledger: every stretch of time from
its start on, what it counted, the running sum, and the event it follows from; lines marked > lie ahead, up to
the due instant. Of a cycle the counted times add up to what is consumed. #N is the event of that revision in
the ticket's stream (covenant log --stream ticket-ID).

  --zone ZONE   IANA zone of the reader; else this machine's. Where the calendar has another, times stand in both`,
    load: async () => (await import('./commands/explain.js')).explainCommand,
  },
  attainment: {
    about: 'tells which share of its promises the desk kept',
    help: `covenant attainment [--month MONTH] [--policy POLICY] [--tier TIER] [--priority N] [--clock CLOCK] [--json]
covenant attainment --beside FILE [--into PAGE]

Prints met, missed and open cycles of each promise by month, policy, tier and priority; what stands outside the
denominator (not-applicable, not-evidenced, merged) beside them; and which share of the open time they were paused.

  --month MONTH    only this local civil month, such as 2026-11
  --policy POLICY  only default@1, or default for all its versions
  --beside FILE    a ServiceNow log that was imported: by priority the share of resolutions kept, beside the
                   column made_sla of the log itself, as a Markdown table
  --into PAGE      writes that table into a Markdown page as well, in place of the one there`,
    load: async () => (await import('./commands/attainment.js')).attainmentCommand,
  },
  calendar: {
    about: 'tells the closed days of an iCalendar file or a country',
    help: `covenant calendar import FILE.ics [--from DATE] [--to DATE]
covenant calendar import --country CODE [--region CODE] [--from DATE] [--to DATE]

Prints the dates that the all-day events of an iCalendar file close, or the public holidays of a country, as the
\`closed\` of a calendar definition has them, and beside them what they are called; recurrences are unfolded. A
file that is not one, or of which any part is wrong, is refused whole. What closes no day is named on standard
error.

  --country CODE   ISO 3166 code, such as DE
  --region CODE    of the country, such as BY
  --from DATE      the first date that counts, YYYY-MM-DD; else 1 January of this year
  --to DATE        the last; else 31 December of the year after next`,
    load: async () => (await import('./commands/calendar.js')).calendarCommand,
  },
  policy: {
    about: 'shows, proposes, previews and activates versions of a service-level policy',
    help: `covenant policy list [--json]
covenant policy show [POLICY] [--version N]
covenant policy propose FILE.json [--policy POLICY] [--comment TEXT]
                        [--closed-by FILE.ics | --country CODE [--region CODE]] [--from DATE] [--to DATE]
covenant policy preview PROPOSAL [--policy POLICY] [--effective INSTANT] [--limit N] [--json]
covenant policy activate PROPOSAL --open-tickets keep|retarget [--policy POLICY] [--effective INSTANT]
covenant policy withdraw PROPOSAL [--policy POLICY]

list      the policies with their versions and what is proposed
show      what a version says, as JSON that can be changed and proposed; the one in force unless named
propose   a whole policy; one that may not say so is refused with everything that is wrong
preview   how many due instants of open tickets it would move, by how much, and which
activate  puts it in force, by a second person unless APPROVALS=one; running desks follow within seconds

  --policy POLICY        default (unless given) or import-default
  --effective INSTANT    from when on, such as 2027-01-01T00:00:00Z; else at once
  --open-tickets WHAT    tickets that are open then keep what they were promised, or are re-targeted
  --closed-by FILE.ics   closes the dates of an iCalendar file, too; --country the public holidays of a country
                         (as covenant calendar import tells them)
  --token TOKEN          who proposes, activates, withdraws; else COVENANT_TOKEN. Supervisors and administrators may`,
    load: async () => (await import('./commands/policy.js')).policyCommand,
  },
  vectors: {
    about: 'runs vector files through the engine',
    help: `covenant vectors FILE…

Prints each difference, and last \`N passed, N failed\`.`,
    load: async () => (await import('./commands/vectors.js')).vectorsCommand,
  },
  bench: {
    about: 'measures one thing against its reference',
    help: `covenant bench NAME [--json]

Figures and bars go to standard output and into docs/benchmarks.md; with --json the last line is one JSON
object.`,
    load: async () => (await import('./commands/bench.js')).benchCommand,
  },
} as const satisfies Readonly<Record<string, CommandDefinition>>;

export type CommandName = keyof typeof commands;

export const isCommand = (name: string): name is CommandName => Object.hasOwn(commands, name);

export function overview(): string {
  const width = Math.max(...Object.keys(commands).map((name) => name.length));
  return [
    'covenant COMMAND …',
    '',
    ...Object.entries(commands).map(([name, { about }]) => `  ${name.padEnd(width)}  ${about}`),
    '',
    'covenant help COMMAND says more; covenant --version names the release.',
  ].join('\n');
}
