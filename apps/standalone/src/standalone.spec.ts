import { expect, it } from '@jest/globals';
import { FastifyAdapter, type NestFastifyApplication } from '@nestjs/platform-fastify';
import { Test } from '@nestjs/testing';
import { OPERATIONS } from '#domain/access';
import { ApiDocument, describeApi, House, openMetrics, Premises } from '#edge';
import { AnalyticsHome } from '../../analytics/src/home.js';
import { KnowledgeHome } from '../../knowledge-base/src/home.js';
import { FollowersThread } from './followers-thread.js';
import { StandaloneModule } from './standalone.module.js';

it('the whole desk documents every row of the access table as one operation, and no other', async () => {
  const module = await Test.createTestingModule({ imports: [StandaloneModule] })
    .useMocker((token) =>
      token === House || token === Premises ? { means: {}, metrics: openMetrics() } : undefined,
    )
    .overrideProvider(AnalyticsHome)
    .useValue({})
    .overrideProvider(KnowledgeHome)
    .useValue({})
    .overrideProvider(FollowersThread)
    .useValue({})
    .compile();
  const app = module.createNestApplication<NestFastifyApplication>(new FastifyAdapter() as never);
  describeApi(app);
  await app.init();
  const { paths } = JSON.parse(app.get(ApiDocument).json) as { paths: Record<string, object> };
  const operations = Object.values(paths)
    .flatMap((methods) => Object.values(methods))
    .map(({ operationId }: { operationId: string }) => operationId);
  expect(operations.sort()).toEqual([...OPERATIONS].sort());
  await app.close();
});
