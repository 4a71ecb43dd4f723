import { Module } from '@nestjs/common';
import { openKnowledgeTables } from '#adapters/consumers-postgres';
import { AccessModule, DocumentationModule, Premises } from '#edge';
import { Candidates } from './candidates.controller.js';
import { KnowledgeHome } from './home.js';
import { KnowledgeLoop } from './knowledge-loop.js';

@Module({
  providers: [
    {
      provide: KnowledgeHome,
      inject: [Premises],
      useFactory: (premises: Premises): Promise<KnowledgeHome> =>
        premises.keep(openKnowledgeTables({ url: premises.databaseUrl, logger: premises.logger })),
    },
  ],
  exports: [KnowledgeHome],
})
export class KnowledgeHomeModule {}

/** What is asked of the tables. */
@Module({
  imports: [KnowledgeHomeModule, AccessModule, DocumentationModule],
  controllers: [Candidates],
})
export class KnowledgeRoutes {}

/** Messages → tables. */
@Module({ imports: [KnowledgeHomeModule], providers: [KnowledgeLoop] })
export class KnowledgeDigestion {}

/** Both, in one process. */
@Module({ imports: [KnowledgeRoutes, KnowledgeDigestion] })
export class KnowledgeModule {}
