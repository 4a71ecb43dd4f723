import { beforeAll, afterAll, describe, expect, it } from '@jest/globals';
import { FastifyAdapter, type NestFastifyApplication } from '@nestjs/platform-fastify';
import { Test } from '@nestjs/testing';
import { OPERATIONS } from '#domain/access';
import { ApiDocument, describeApi, House, openMetrics } from '#edge';
import { ApiModule } from '../api.module.js';

describe('the OpenAPI document', () => {
  let app: NestFastifyApplication;
  let document: any;

  beforeAll(async () => {
    const module = await Test.createTestingModule({ imports: [ApiModule] })
      .useMocker((token) => (token === House ? { means: {}, metrics: openMetrics() } : undefined))
      .compile();
    app = module.createNestApplication<NestFastifyApplication>(new FastifyAdapter() as never);
    describeApi(app);
    await app.init();
    document = JSON.parse(app.get(ApiDocument).json);
  });
  afterAll(() => app.close());

  it('holds every row of the access table but those of consumers as one operation, and no other', () => {
    const operations = Object.values<any>(document.paths)
      .flatMap((methods) => Object.values<any>(methods))
      .map(({ operationId }) => operationId as string);
    const own = OPERATIONS.filter((operation) => !/^(analytics|knowledge)\./.test(operation));
    expect(operations.sort()).toEqual(own.sort());
  });

  it('says of every request body that unknown fields are refused', () => {
    const requests = Object.entries<any>(document.components.schemas).filter(([name]) =>
      name.endsWith('Request'),
    );
    expect(requests).toHaveLength(23);
    for (const [name, { additionalProperties }] of requests)
      expect([name, additionalProperties]).toEqual([name, false]);
  });
});
