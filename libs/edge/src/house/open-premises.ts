import { kafkaFeed } from '#adapters/feed-kafka';
import { localFeed } from '#adapters/feed-local';
import { givenSecrets } from '#adapters/files';
import { everyEvent, upcasters } from '#engine/catalogue';
import type { Feed } from '#engine/feed';
import { identities as identitiesOf } from '#engine/identity';
import { decoder } from '#engine/store';
import { doorkeeper } from '../auth/tokens.js';
import type { ProcessLog } from '../observe/log.js';
import { openMetrics } from '../observe/metrics.js';
import { Readiness } from '../observe/readiness.js';
import { SettingsRefused, type Settings } from '../settings/settings.js';
import { kafkaAddress, unreadyOf } from './kafka.js';
import { openLog, type OpenLogOptions } from './open-log.js';
import type { Premises } from './premises.js';
import { WhatIsOpen } from './what-is-open.js';

/**
 * Opens what a process works with that lives on public messages alone: no keys of persons, no read models of
 * the desk's, nothing that records a fact. With Kafka its database is its own; without, the messages come from
 * the log, which lies in the same one, read without what it holds sealed.
 *
 * Errors: SettingsRefused, SecretRefused, LogUnavailable, LogReplaced.
 */
export async function openPremises(settings: Settings, logger: ProcessLog): Promise<Premises> {
  const { databaseUrl: url } = settings;
  if (url === undefined) throw new SettingsRefused(['DATABASE_URL must be given.']);
  const open = new WhatIsOpen();
  try {
    const secrets = givenSecrets(['authSecret', 'identitySecret'], settings.secrets);
    const metrics = openMetrics();
    const readiness = new Readiness();
    const identities = identitiesOf(secrets.identitySecret);
    const feed = await (settings.kafka
      ? fromKafka(settings, logger, readiness, open)
      : fromTheLog(settings, url, { logger, metrics, readiness }, open));
    return {
      settings,
      databaseUrl: url,
      identities,
      keeper: doorkeeper({ secret: secrets.authSecret, identities, now: Date.now }),
      logger,
      metrics,
      readiness,
      feed,
      keep: (opening) => open.add(opening),
      close: () => open.close(),
    };
  } catch (error) {
    await open.close();
    throw error;
  }
}

/** While Kafka is away the tables answer (ruling 52); what only a person can mend makes the process unready. */
async function fromKafka(
  settings: Settings,
  logger: ProcessLog,
  readiness: Readiness,
  open: WhatIsOpen,
): Promise<Feed> {
  const feed = await open.add(kafkaFeed({ ...(await kafkaAddress(settings)), logger }));
  readiness.add('kafka', 'feed-unavailable', () => {
    const unready = unreadyOf(feed.trouble);
    return unready === 'feed-unavailable' ? null : unready;
  });
  return feed;
}

/** The log as a feed reads it: there are no keys in it. */
async function fromTheLog(
  { eventStoreUrl }: Settings,
  url: string,
  around: Pick<OpenLogOptions, 'logger' | 'metrics' | 'readiness'>,
  open: WhatIsOpen,
): Promise<Feed> {
  const { store, between } = await openLog(
    { url, ...(eventStoreUrl !== undefined && { eventStoreUrl }), as: 'command', ...around },
    open,
  );
  around.readiness.add('log', 'log-unavailable', async () => {
    await store.head();
    return null;
  });
  const decode = decoder({ catalogue: everyEvent, upcasters });
  return open.add(localFeed({ store, between, decode, logger: around.logger }));
}
