import { kafkaFeed, type KafkaAddress } from '#adapters/feed-kafka';
import { localFeed, type LocalFeedOptions } from '#adapters/feed-local';
import type { Feed } from '#engine/feed';
import type { Logger } from '#kernel';
import type { WhatIsOpen } from './what-is-open.js';

/** Where public messages come from: Kafka where it is named, else the log itself. */
export type FeedSource =
  { readonly kafka: KafkaAddress } | { readonly log: Omit<LocalFeedOptions, 'logger'> };

/** The feed of a process, made at the first ask: most processes have no use for one. */
export function feedOnce(source: FeedSource, logger: Logger, open: WhatIsOpen): () => Feed {
  let feed: Feed | undefined;
  return () => {
    if (!feed) {
      feed =
        'kafka' in source ? kafkaFeed({ ...source.kafka, logger }) : localFeed({ ...source.log, logger });
      void open.add(feed);
    }
    return feed;
  };
}
