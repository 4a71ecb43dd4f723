import { readFile } from 'node:fs/promises';
import { parseArgs } from 'node:util';
import { grant, type Operation } from '#domain/access';
import {
  asPolicyGiven,
  BUILT_INS,
  OPEN_TICKETS,
  policyGiven,
  policyStream,
  type PolicyCommand,
  type PolicyEvent,
} from '#domain/sla';
import { freshId, openTickets, Problem, ticketState, type CallerType, type House } from '#edge';
import {
  decodePolicyEvents,
  policyStory,
  previewPage,
  supposing,
  versionInForce,
  type PolicyStory,
  type ProposalTold,
} from '#engine/policies';
import { isUuid, later, toInstant, type Instant, type Recorded, type Uuid } from '#kernel';
import { Refused, UsageError, writeLine, type CommandBody, type Surroundings } from '../program.js';
import { withHouse } from '../with-house.js';
import { closedBy, type ClosedFrom } from './calendar.js';

/** A policy has some kilobytes. */
const LARGEST_BYTES = 1024 * 1024;

export const policyCommand: CommandBody = async (args, around) => {
  const { positionals, values } = parseArgs({
    args: [...args],
    allowPositionals: true,
    options: {
      policy: { type: 'string', default: 'default' },
      version: { type: 'string' },
      comment: { type: 'string' },
      'closed-by': { type: 'string' },
      country: { type: 'string' },
      region: { type: 'string' },
      from: { type: 'string' },
      to: { type: 'string' },
      effective: { type: 'string' },
      'open-tickets': { type: 'string' },
      limit: { type: 'string', default: '20' },
      token: { type: 'string' },
      json: { type: 'boolean', default: false },
    },
  });
  const [verb, what, ...more] = positionals;
  if (more.length > 0) throw new UsageError('too many arguments');
  const name = known(verb === 'show' ? (what ?? values.policy) : values.policy);
  const token = values.token ?? around.env['COVENANT_TOKEN'];
  const effective = values.effective === undefined ? null : instantOf(values.effective);
  switch (verb) {
    case 'list':
      return withHouse(around, (house) => list(house, around, values.json));
    case 'show':
      return withHouse(around, (house) => show(house, around, name, values.version));
    case 'propose': {
      if (what === undefined) throw new UsageError('name the file of the policy');
      const given = policyGiven(await withClosedDays(await jsonOf(what), values, around));
      if ('problems' in given)
        throw new Refused(
          given.problems.map(({ field, problem }) => `${what}: ${field} ${problem}`).join('\n'),
        );
      const { comment } = values;
      return withHouse(around, (house) =>
        decide(house, around, 'policies.propose', name, token, (by) => ({
          type: 'propose-policy',
          proposal: freshId(),
          definition: given.definition,
          ...by,
          ...(comment !== undefined && { comment }),
        })),
      );
    }
    case 'preview': {
      const proposal = proposalOf(what);
      const limit = Number(values.limit);
      if (!Number.isInteger(limit) || limit < 1 || limit > 1_000)
        throw new UsageError('--limit is a whole number from 1 to 1000');
      return withHouse(around, (house) =>
        preview(house, around, { name, proposal, effective, limit, json: values.json }),
      );
    }
    case 'activate': {
      const proposal = proposalOf(what);
      const open = OPEN_TICKETS.find((each) => each === values['open-tickets']);
      if (open === undefined) throw new UsageError(`--open-tickets is one of ${OPEN_TICKETS.join(', ')}`);
      return withHouse(around, async (house) => {
        // Built-in versions are in force since ever; without one, nothing would be before this one.
        if ((await storyOf(house, 'default')).versions.length === 0)
          throw new Refused('this desk was never started: start it once first');
        return decide(house, around, 'policies.activate', name, token, (by) => ({
          type: 'activate-policy',
          name,
          proposal,
          openTickets: open,
          approvals: house.settings.approvals,
          ...by,
          ...(effective && { effective }),
        }));
      });
    }
    case 'withdraw': {
      const proposal = proposalOf(what);
      return withHouse(around, (house) =>
        decide(house, around, 'policies.withdraw', name, token, (by) => ({
          type: 'withdraw-proposal',
          proposal,
          ...by,
        })),
      );
    }
    default:
      throw new UsageError('one of list, show, propose, preview, activate, withdraw is needed');
  }
};

function known(name: string): string {
  if (!BUILT_INS.some((each) => each === name))
    throw new UsageError(`there is no policy ${name}; there are ${BUILT_INS.join(', ')}`);
  return name;
}

function proposalOf(text: string | undefined): Uuid {
  if (!isUuid(text)) throw new UsageError('name a proposal by its id');
  return text;
}

function instantOf(text: string): Instant {
  const at = Date.parse(text);
  if (!/^\d{4}-\d\d-\d\dT\d\d:\d\d(:\d\d)?(Z|[+-]\d\d:\d\d)$/.test(text) || Number.isNaN(at))
    throw new UsageError('--effective is an instant such as 2027-01-01T00:00:00Z');
  return toInstant(at / 1000);
}

/** The policy with further closed days: of an iCalendar file, or the public holidays of a country. */
async function withClosedDays(
  given: unknown,
  asked: ClosedFrom & { readonly 'closed-by'?: string },
  { stderr }: Surroundings,
): Promise<unknown> {
  const { 'closed-by': path, country, region, from, to } = asked;
  if (path === undefined && country === undefined) {
    if (region !== undefined || from !== undefined || to !== undefined)
      throw new UsageError('--region, --from and --to go with --closed-by or --country');
    return given;
  }
  if (path !== undefined && country !== undefined) throw new UsageError('name one file, or a country');
  if (region !== undefined && country === undefined) throw new UsageError('--region is one of a country');
  const days = await closedBy(
    {
      ...(path !== undefined && { path }),
      ...(country !== undefined && { country }),
      ...(region !== undefined && { region }),
      ...(from !== undefined && { from }),
      ...(to !== undefined && { to }),
    },
    stderr,
  );
  const policy = given as { readonly calendar?: { readonly closed?: readonly string[] } } | null;
  // What is of another form is refused as a whole by what reads it.
  if (typeof policy?.calendar !== 'object' || !Array.isArray(policy.calendar?.closed ?? [])) return given;
  const closed = new Set([...(policy.calendar?.closed ?? []), ...days.map(({ date }) => date)]);
  return { ...policy, calendar: { ...policy.calendar, closed: [...closed].sort() } };
}

async function jsonOf(path: string): Promise<unknown> {
  let text: Buffer;
  try {
    text = await readFile(path);
  } catch (error) {
    throw new Refused(`${path}: it cannot be read (${(error as NodeJS.ErrnoException).code})`);
  }
  if (text.length > LARGEST_BYTES) throw new Refused(`${path}: it is larger than 1 MiB`);
  try {
    return JSON.parse(text.toString('utf8'));
  } catch {
    throw new Refused(`${path}: it is no JSON`);
  }
}

async function storyOf({ store, codec }: House, name: string): Promise<PolicyStory> {
  return policyStory(name, decodePolicyEvents(codec, await store.readStream(policyStream(name))));
}

const nowOf = async ({ store }: House): Promise<Instant> => toInstant((await store.now()) / 1_000_000);

async function list(house: House, { stdout }: Surroundings, json: boolean): Promise<number> {
  const now = await nowOf(house);
  for (const name of BUILT_INS) {
    const story = await storyOf(house, name);
    const inForce = versionInForce(story, now)?.ref ?? null;
    if (json) {
      const proposals = story.proposals.map(({ comment: _, ...rest }) => rest);
      await writeLine(stdout, JSON.stringify({ ...story, inForce, proposals }));
      continue;
    }
    await writeLine(stdout, `${name}: ${inForce ?? 'none'} is in force`);
    for (const { ref, source, effective, approval, openTickets: open } of story.versions)
      await writeLine(
        stdout,
        `  ${ref.padEnd(20)} from ${effective}  ${source}${approval ? `, by ${approval}, open tickets: ${open}` : ''}`,
      );
    for (const { proposal, status, proposedAt } of story.proposals)
      if (status === 'pending') await writeLine(stdout, `  ${proposal} proposed ${proposedAt}`);
  }
  return 0;
}

/** What it says, in the form in which it can be changed and proposed. */
async function show(
  house: House,
  { stdout }: Surroundings,
  name: string,
  number: string | undefined,
): Promise<number> {
  const story = await storyOf(house, name);
  const told =
    number === undefined
      ? versionInForce(story, await nowOf(house))
      : story.versions.find(({ version }) => String(version) === number);
  if (!told) throw new Refused(`there is no version ${number ?? 'in force'} of ${name}`);
  await writeLine(stdout, JSON.stringify(asPolicyGiven(told.definition), null, 2));
  return 0;
}

/** In the name of whoever the token says, with the rights of its role: the same as over HTTP (ruling 33). */
async function decide(
  house: House,
  { stdout }: Surroundings,
  operation: Operation,
  name: string,
  token: string | undefined,
  command: (common: Pick<PolicyCommand, 'occurredAt' | 'by'> & { by: CallerType['actor'] }) => PolicyCommand,
): Promise<number> {
  if (token === undefined)
    throw new UsageError('whoever decides says so by --token or COVENANT_TOKEN (covenant token makes one)');
  const { actor, role } = await house.keeper.admit(token).catch((error: unknown) => {
    throw error instanceof Problem ? new Refused('the token is not valid') : error;
  });
  if (!grant(operation, role)) throw new Refused(`the role ${role} has no part in this`);
  const came = await house.policyVersions.transact(
    { stream: policyStream(name), actor, correlation: freshId() },
    (occurredAt) => command({ occurredAt, by: actor }),
  );
  if (came.outcome === 'refused') throw new Refused(came.refusal.detail);
  if (came.outcome !== 'accepted') throw new Refused(`it was answered ${came.outcome}`);
  await writeLine(stdout, told(name, came.events));
  return 0;
}

function told(name: string, [event]: readonly Recorded<PolicyEvent>[]): string {
  switch (event?.type) {
    case 'sla.policy-proposed.v1':
      return `${event.data.proposal} is proposed`;
    case 'sla.policy-proposal-withdrawn.v1':
      return `${event.data.proposal} is withdrawn`;
    case 'sla.policy-activated.v1': {
      const { version, effective, approval, openTickets: open } = event.data;
      return `${name}@${version} is in force from ${effective}, made by ${approval}; open tickets: ${open}`;
    }
    case 'house.command-noted.v1':
    case undefined:
      return 'nothing to do';
  }
}

async function preview(
  house: House,
  { stdout }: Surroundings,
  asked: {
    readonly name: string;
    readonly proposal: Uuid;
    readonly effective: Instant | null;
    readonly limit: number;
    readonly json: boolean;
  },
): Promise<number> {
  const { name, limit } = asked;
  const now = await nowOf(house);
  const { proposals } = await storyOf(house, name);
  const proposal: ProposalTold | undefined = proposals.find((each) => each.proposal === asked.proposal);
  if (!proposal) throw new Refused(`there is no proposal ${asked.proposal} of ${name}`);
  if (asked.effective !== null && asked.effective < now) throw new Refused('--effective has passed');
  const effective = later(asked.effective ?? now, now);
  const position = await house.views.passed();
  const { summary, items, next } = await previewPage(
    {
      open: async (after, size) => {
        const found = await openTickets(house, after, size);
        if (found.parked.length > 0) throw new Refused('a read model is incomplete: covenant views status');
        return found;
      },
      state: (ticket) => ticketState(house, ticket),
    },
    name,
    supposing(name, proposal.definition, house.policies(), effective),
    { limit, from: null },
  );
  if (asked.json) {
    await writeLine(
      stdout,
      JSON.stringify({ name, effective, position, summary, items, more: next !== null }),
    );
    return 0;
  }
  const {
    tickets,
    promises,
    movedTickets,
    movedDues,
    earlier,
    later: after,
    begun,
    ended,
    atOnce,
    seconds,
  } = summary!;
  const say = (line: string): Promise<void> => writeLine(stdout, line);
  await say(`${name} from ${effective} on, by what was recorded up to ${position}; re-targeted,`);
  await say(
    `of ${tickets} open tickets with ${promises} unbroken promises ${movedTickets} tickets would move:`,
  );
  await say(
    `${movedDues} due instants, ${earlier} earlier, ${after} later, ${begun} begun, ${ended} ended; ${atOnce} due at once`,
  );
  if (seconds)
    await say(`by ${span(seconds.least)} to ${span(seconds.greatest)}, the median ${span(seconds.median)}`);
  for (const { number, priority, dues } of items)
    for (const { clock, from, to, seconds: by } of dues)
      await say(
        `${number.padEnd(12)} ${priority}  ${clock.padEnd(16)} ${from ?? '-'} → ${to ?? '-'}${by === null ? '' : `  ${span(by)}`}`,
      );
  if (next !== null) await say(`… and more (--limit)`);
  return 0;
}

/** `-1d 02:30:00` of real time. */
function span(seconds: number): string {
  const all = Math.abs(seconds);
  const two = (n: number): string => String(Math.floor(n)).padStart(2, '0');
  const days = Math.floor(all / 86_400);
  const time = `${two((all % 86_400) / 3600)}:${two((all % 3600) / 60)}:${two(all % 60)}`;
  return `${seconds < 0 ? '-' : '+'}${days > 0 ? `${days}d ` : ''}${time}`;
}
