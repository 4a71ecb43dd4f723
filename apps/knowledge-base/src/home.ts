import type { KnowledgeTables } from '#adapters/consumers-postgres';

/** The tables of this app, as a token for Nest. */
export abstract class KnowledgeHome implements KnowledgeTables {
  abstract readonly store: KnowledgeTables['store'];
  abstract candidates(
    ...asked: Parameters<KnowledgeTables['candidates']>
  ): ReturnType<KnowledgeTables['candidates']>;
  abstract categories(limit: number): ReturnType<KnowledgeTables['categories']>;
  abstract ready(): Promise<void>;
  abstract close(): Promise<void>;
}
