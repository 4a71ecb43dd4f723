import type { Readable } from 'node:stream';
import { ticket } from '#domain/desk';
import { person, personStream, type PersonEvent, type PersonState } from '#domain/people';
import { zoneOf, type Policies } from '#domain/sla';
import { isDemonstration, type House } from '#edge';
import { project } from '#engine/views';
import {
  caseIds,
  caseReader,
  casesSoFar,
  takeIn,
  Tally,
  type CaseSoFar,
  type ImportDesk,
  type ImportMapping,
  type PersonOf,
  type Rejected,
} from '#engine/import';
import { recordBuiltIn } from '#engine/policies';
import { foldStream, transactor } from '#engine/store';
import { toInstant, type Instant, type Position } from '#kernel';
import { projectingOf } from '../projecting.js';
import { Refused } from '../program.js';
import { gather, type Gathered } from './gathering.js';
import { inFlight } from './in-flight.js';

export interface ImportOptions {
  readonly mapping: ImportMapping;
  readonly files: readonly string[];
  readonly stdin: () => Readable;
  readonly zone: string;
  /** `name@version`; absent: the built-in of the zone (ruling 19). */
  readonly policy?: string;
  /** Where the spool lies meanwhile. */
  readonly folder: string;
  readonly signal: AbortSignal;
}

export type Progress =
  | { readonly phase: 'reading'; readonly rows: number; readonly done: number; readonly of: number | null }
  | { readonly phase: 'naming' | 'taking in'; readonly done: number; readonly of: number }
  | { readonly phase: 'views'; readonly behind: number };

export interface ImportWatch {
  readonly progress: (progress: Progress) => void;
  readonly rejected: (row: Rejected) => Promise<void>;
}

export interface Imported {
  readonly tally: Tally;
  readonly policy: string;
  readonly appended: number;
  /** Up to which the views have come. */
  readonly position: Position;
  readonly parkedStreams: number;
  /** True where it was told to stop before its end. */
  readonly stopped: boolean;
}

/** Cases on their way at once: enough for groups of commits, and for their memory nothing. */
const CASES = 128;
const PERSONS = 256;
/** Folded tickets kept: a case is seldom met twice. */
const KEPT = 256;
const VIEWS_LOOK_MS = 500;

/**
 * Takes a log in, and ends when the views have caught up with what it appended (ruling 20). Where no desk
 * projects, this does.
 *
 * Errors: Refused, SourceRefused, MappingMismatch, UnknownZone, UnknownPolicy, and those of the store; what
 * was appended before one stays, and the next run goes on from there.
 */
export async function importLog(house: House, options: ImportOptions, watch: ImportWatch): Promise<Imported> {
  const { mapping, signal } = options;
  if (await isDemonstration(house.store))
    throw new Refused(
      'this store holds demonstration data, and real tickets do not go among invented ones.\n' +
        'Name another folder for them, and start the desk on it: DATA_DIR=./data-real',
    );
  const zone = zoneOf(options.zone);
  const tally = new Tally();
  const policy = await pinned(house, options, tally);
  const { identities } = house;
  const now = toInstant((await house.store.now()) / 1_000_000);

  const gathered = await gather(
    options.files,
    {
      ...(mapping.delimiter !== undefined && { delimiter: mapping.delimiter }),
      folder: options.folder,
      stdin: options.stdin,
      reading: (columns) => caseReader(mapping, columns, { identities, zone, now, noticed: tally }),
      signal,
    },
    {
      read: ({ rows, bytes, size }) => watch.progress({ phase: 'reading', rows, done: bytes, of: size }),
      rejected: watch.rejected,
    },
  );
  const projector = new AbortController();
  // Stands by where a desk leads, and takes over should that desk end.
  let failed: Error | undefined;
  const projecting = project(projectingOf(house), projector.signal).catch((error: unknown) => {
    failed = error instanceof Error ? error : new Error(String(error));
  });
  try {
    tally.rows = gathered.rows;
    tally.replaced = gathered.replaced;
    const desk: ImportDesk = {
      store: house.store,
      codec: house.codec,
      tickets: transactor({ ...house.means, decider: ticket, cached: KEPT }),
      ids: caseIds(identities, mapping.source),
      importer: identities.person('covenant', `import:${mapping.source}`),
      policies: policy.policies,
      policy: policy.ref,
      number: () => house.numbers.next('T'),
    };
    await namePersons(house, desk, mapping.source, gathered, tally, options, watch);
    await takeInCases(house, desk, gathered, tally, options, watch);
    const { position } = await house.store.head();
    await viewsCaughtUp(house, position, () => failed, watch);
    const parkedStreams = (await house.views.figures({ position })).reduce(
      (n, view) => n + view.parkedStreams,
      0,
    );
    return {
      tally,
      policy: policy.ref,
      appended: tally.events.total,
      position,
      parkedStreams,
      stopped: signal.aborted,
    };
  } finally {
    projector.abort();
    await projecting;
    await gathered.close();
  }
}

/** The policy of the import, named by version so that it stays what it was (ruling 19). */
async function pinned(
  house: House,
  { policy, zone }: ImportOptions,
  tally: Tally,
): Promise<{ readonly ref: string; readonly policies: Policies }> {
  if (policy !== undefined && !/^[^@]+@\d+$/.test(policy))
    throw new Refused(`--policy names a policy and its version, such as default@1, not ${policy}`);
  const count = async (): Promise<number> => (await house.store.readStream('policy-import-default')).length;
  const before = await count();
  const ref = policy ?? (await recordBuiltIn(house.means, 'import-default', zone));
  const recorded = (await count()) - before;
  if (recorded > 0) tally.events.add('sla.policy-activated.v1', recorded);
  const policies = await house.refreshPolicies();
  policies.version(ref);
  return { ref, policies };
}

async function takeInCases(
  house: House,
  desk: ImportDesk,
  { reader, cases, rowsOf }: Gathered,
  tally: Tally,
  { signal }: ImportOptions,
  watch: ImportWatch,
): Promise<void> {
  let done = 0;
  const one = async (key: string, soFar: CaseSoFar): Promise<void> => {
    const rows = reader.read(key, await rowsOf(key));
    tally.read(rows);
    const taken = await takeIn(desk, reader, rows, soFar);
    tally.planned(taken.plan);
    for (const { type } of taken.events) tally.events.add(type);
    if (soFar.state.status === 'none' && taken.events.length > 0) tally.opened += 1;
    for (const rejected of taken.rejected) await watch.rejected(rejected);
    watch.progress({ phase: 'taking in', done: ++done, of: cases.length });
  };
  const flight = inFlight(CASES);
  for (let from = 0; from < cases.length && !signal.aborted; from += CASES) {
    house.admission.demand();
    const chunk = cases.slice(from, from + CASES);
    const soFar = await casesSoFar(desk, chunk);
    for (const key of chunk) await flight.begin(() => one(key, soFar.get(key)!));
  }
  await flight.landed();
}

/** Names lie in the persons' own streams (ruling 31); who is called so already costs nothing. */
async function namePersons(
  house: House,
  desk: ImportDesk,
  source: string,
  { persons }: Gathered,
  tally: Tally,
  { signal }: ImportOptions,
  watch: ImportWatch,
): Promise<void> {
  const all = [...persons.values()];
  let done = 0;
  const flight = inFlight(PERSONS);
  const digestOf = ({ name }: PersonOf) => house.identities.derived('naming', name, '');
  const name = async (who: PersonOf, since: Instant): Promise<void> => {
    const digest = digestOf(who);
    const by = { id: desk.importer, role: 'integration' } as const;
    const outcome = await house.people.transact(
      {
        stream: personStream(who.id),
        actor: by,
        correlation: who.id,
        ids: (facts) =>
          facts.map((_, n) => house.identities.derived('event', source, who.id, digest, String(n))),
      },
      () => ({ type: 'name-person', occurredAt: since, by, person: who.id, name: who.name, digest }),
    );
    if (outcome.outcome !== 'accepted') throw new Error(`naming a person was answered ${outcome.outcome}`);
    for (const { type } of outcome.events) tally.events.add(type);
  };
  for (let from = 0; from < all.length && !signal.aborted; from += PERSONS) {
    house.admission.demand();
    const chunk = all.slice(from, from + PERSONS);
    const stored = await house.store.readStreams(chunk.map(({ person: { id } }) => personStream(id)));
    for (const { person: who, since } of chunk) {
      const known = (stored.get(personStream(who.id)) ?? []).map(house.codec.decode);
      const { state } = foldStream<PersonState, PersonEvent>(person, known);
      if (state.status !== 'named' || state.digest !== digestOf(who))
        await flight.begin(() => name(who, since));
      watch.progress({ phase: 'naming', done: ++done, of: all.length });
    }
  }
  await flight.landed();
}

async function viewsCaughtUp(
  house: House,
  position: Position,
  failed: () => Error | undefined,
  watch: ImportWatch,
): Promise<void> {
  for (;;) {
    const failure = failed();
    if (failure !== undefined) throw failure;
    const behind = Math.max(0, ...(await house.views.figures({ position })).map((view) => view.behind));
    watch.progress({ phase: 'views', behind });
    const head = async (): Promise<Position> => (await house.store.head()).position;
    const waited = await house.views.waitFor(position, { timeoutMs: VIEWS_LOOK_MS, head });
    if (waited === 'passed') return;
  }
}
