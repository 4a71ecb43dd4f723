import { setTimeout as pause } from 'node:timers/promises';
import { queue, ticket } from '#domain/desk';
import { person } from '#domain/people';
import { BUILT_INS, ENGINE, policyVersions } from '#domain/sla';
import { freeBytes, openEmbedded } from '#adapters/embedded-postgres';
import { openSecrets } from '#adapters/files';
import { openNumbers, openPostgresVault } from '#adapters/log-postgres';
import { openViews } from '#adapters/views-postgres';
import { everyEvent, upcasters } from '#engine/catalogue';
import { identities as identitiesOf } from '#engine/identity';
import { policyBook, recordBuiltIn } from '#engine/policies';
import { codec as codecOf, decodedOnce, opener, transactor, type Means } from '#engine/store';
import type { Position } from '#kernel';
import { doorkeeper } from '../auth/tokens.js';
import { failureOf } from '../observe/failure.js';
import type { ProcessLog } from '../observe/log.js';
import { openMetrics } from '../observe/metrics.js';
import { Readiness } from '../observe/readiness.js';
import { Problem } from '../problem/problem.js';
import type { Settings } from '../settings/settings.js';
import { admission, admitted } from './admission.js';
import { systemChance } from './chance.js';
import { openClock } from './clock.js';
import type { House } from './house.js';
import { kafkaAddress } from './kafka.js';
import { feedOnce } from './open-feed.js';
import { openLog } from './open-log.js';
import { WhatIsOpen } from './what-is-open.js';

export interface OpenHouseOptions {
  /** There is one desk on a data folder at a time, and any number of commands beside it (ruling 35). */
  readonly as: 'desk' | 'command';
  readonly logger: ProcessLog;
  /** Where the embedded database lies whose use another thread of this process has: its disk is watched here, too. */
  readonly storedIn?: string | undefined;
}

/** Milliseconds between looks at the disk, and at the policies that other processes may have made. */
const DISK = 5_000;
const POLICIES = 5_000;
/** Milliseconds that a read waits for its view. */
const VIEW_PATIENCE = 5_000;

/**
 * Opens everything a process of the desk works with; whatever fails, what was opened before is closed again.
 *
 * Errors: SecretRefused, EmbeddedRefused, LogUnavailable, LogReplaced, WrongMasterKey, OlderThanLog.
 */
export async function openHouse(settings: Settings, options: OpenHouseOptions): Promise<House> {
  const open = new WhatIsOpen();
  try {
    return await furnish(settings, options, open);
  } catch (error) {
    await open.close();
    throw error;
  }
}

/** Ruling 40. The log refuses older ones itself. */
const NEWEST_TRIED = 18;

async function warnOfUntriedServer(
  pool: { query(text: string): Promise<{ rows: readonly unknown[] }> },
  logger: ProcessLog,
): Promise<void> {
  const { rows } = await pool.query(`SELECT current_setting('server_version_num')::int / 10000 AS major`);
  const { major } = rows[0] as { readonly major: number };
  if (major > NEWEST_TRIED)
    logger.warn(
      { major, newestTried: NEWEST_TRIED },
      'this PostgreSQL is newer than any the desk was tried on',
    );
}

async function furnish(
  settings: Settings,
  { as, logger, storedIn: elsewhere }: OpenHouseOptions,
  open: WhatIsOpen,
): Promise<House> {
  const { dataDir } = settings;
  const metrics = openMetrics();
  const readiness = new Readiness();
  const gate = admission();

  const embedded =
    settings.databaseUrl === undefined ? await open.add(openEmbedded({ dataDir, as, logger })) : null;
  const url = embedded?.url ?? settings.databaseUrl!;
  const secrets = await openSecrets({
    dataDir,
    given: settings.secrets,
    make: embedded !== null,
    files: embedded !== null,
  });

  const { eventStoreUrl } = settings;
  const log = await openLog(
    { url, ...(eventStoreUrl !== undefined && { eventStoreUrl }), as, logger, metrics, readiness },
    open,
  );
  const { store, pool } = log;
  await warnOfUntriedServer(pool, logger);
  const vault = await open.add(openPostgresVault({ pool, masterKey: secrets.masterKey, logger }));
  const numbers = await open.add(openNumbers({ pool, logger }));
  const views = log.counted(await open.add(openViews({ url, logger })));

  const clock = await open.add(openClock({ server: () => store.now(), logger }));
  const chance = systemChance();
  const codec = codecOf({ catalogue: everyEvent, vault, chance, upcasters });
  const decodeOnce = decodedOnce(codec.decode);
  const means: Means = { store, codec, chance, clock, engine: ENGINE, pause };
  const identities = identitiesOf(secrets.identitySecret);
  const feed = feedOnce(
    settings.kafka
      ? { kafka: await kafkaAddress(settings) }
      : { log: { store, decode: decodeOnce, between: log.between } },
    logger,
    open,
  );

  const book = await policyBook(store, codec, BUILT_INS);
  // Only desks see to the zone of the policy `default`: a command may well be run without DESK_ZONE. And a
  // process whose clock is wrong records nothing, not even this (ruling 1).
  let builtInsStand = as === 'command';
  const keepPolicies = async (): Promise<void> => {
    if (!builtInsStand && clock.trusted) {
      await recordBuiltIn(means, 'default', settings.deskZone);
      builtInsStand = true;
    }
    await book.refresh();
  };
  await keepPolicies();
  open.every(POLICIES, () =>
    keepPolicies().catch((error: unknown) => {
      gate.met(error);
      logger.warn({ failure: failureOf(error) }, 'the policies could not be read');
    }),
  );

  const storedIn = embedded?.folder ?? elsewhere;
  if (storedIn !== undefined) {
    const look = async (): Promise<void> => gate.free(await freeBytes(storedIn));
    await look();
    open.every(DISK, () =>
      look().catch((error: unknown) =>
        logger.warn({ failure: failureOf(error) }, 'the free space of the disk could not be read'),
      ),
    );
    metrics.gauge('covenant_storage_free_bytes', 'Free disk under the embedded database', null, () =>
      freeBytes(storedIn),
    );
  }

  readiness.add('log', 'log-unavailable', async () => {
    await store.head();
    return null;
  });
  readiness.add('views', 'views-unavailable', async () => {
    await views.ready();
    return null;
  });
  readiness.add('clock', 'clock-untrusted', () => (clock.trusted ? null : 'clock-untrusted'));
  readiness.add('events', 'older-than-log', () => (gate.olderThan === null ? null : 'older-than-log'));

  metrics.gauge(
    'covenant_clock_ahead_seconds',
    'This process’s clock minus the database server’s',
    null,
    () => (clock.ahead === null ? new Map<string, number>() : clock.ahead / 1000),
  );
  const figures = async () => views.figures(await store.head());
  metrics.gauge(
    'covenant_view_lag_events',
    'Events a view has not folded yet',
    'view',
    async () => new Map((await figures()).map(({ view, behind }) => [view, behind])),
  );
  metrics.gauge(
    'covenant_view_parked_streams',
    'Streams a view cannot go on with',
    'view',
    async () => new Map((await figures()).map(({ view, parkedStreams }) => [view, parkedStreams])),
  );

  return {
    settings,
    secrets,
    databaseUrl: url,
    embedded: embedded !== null && eventStoreUrl === undefined,
    storedIn,
    store,
    between: log.between,
    vault,
    codec,
    decodeOnce,
    means,
    identities,
    policies: () => {
      if (!builtInsStand) {
        clock.now();
        throw Problem.of('not-ready', 'The policies of this desk are not recorded yet.');
      }
      return book.current();
    },
    activations: () => book.activated(),
    refreshPolicies: () => book.refresh(),
    numbers,
    views,
    caughtUp: async (after) => {
      if (after === undefined) return;
      const head = async (): Promise<Position> => (await store.head()).position;
      const waited = await views.waitFor(after, { timeoutMs: VIEW_PATIENCE, head });
      switch (waited) {
        case 'passed':
          return;
        case 'late':
          throw Problem.of('view-lag', 'The read models have not passed this position yet; ask again.');
        case 'crowded':
          throw Problem.of('too-many-waiting', 'Too many reads wait for the read models; ask again.');
        case 'beyond-head':
          throw Problem.of('unknown-position', 'The log has not come to this position.');
      }
    },
    open: opener(vault),
    tickets: admitted(gate, transactor({ ...means, decider: ticket })),
    queues: admitted(gate, transactor({ ...means, decider: queue })),
    people: admitted(gate, transactor({ ...means, decider: person })),
    policyVersions: admitted(gate, transactor({ ...means, decider: policyVersions })),
    admission: gate,
    clock,
    keeper: doorkeeper({ secret: secrets.authSecret, identities, now: Date.now }),
    logger,
    metrics,
    readiness,
    get feed() {
      return feed();
    },
    keep: (opening) => open.add(opening),
    close: () => open.close(),
  };
}
