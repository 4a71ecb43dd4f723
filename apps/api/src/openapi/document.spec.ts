import { beforeAll, afterAll, describe, expect, it } from '@jest/globals';
import { FastifyAdapter, type NestFastifyApplication } from '@nestjs/platform-fastify';
import { Test } from '@nestjs/testing';
import { House } from '#edge';
import { ApiModule } from '../api.module.js';
import { ApiDocument, describeApi } from './document.js';

describe('the OpenAPI document', () => {
  let app: NestFastifyApplication;
  let document: any;

  beforeAll(async () => {
    const module = await Test.createTestingModule({ imports: [ApiModule] })
      .useMocker((token) => (token === House ? { means: {} } : undefined))
      .compile();
    app = module.createNestApplication<NestFastifyApplication>(new FastifyAdapter() as never);
    describeApi(app);
    await app.init();
    document = JSON.parse(app.get(ApiDocument).json);
  });
  afterAll(() => app.close());

  it('is OpenAPI 3.1', () => {
    console.log(JSON.stringify(document, null, 1).slice(0, 9000));
    console.log(Object.keys(document.paths), Object.keys(document.components.schemas));
    expect(document.openapi).toBe('3.1.1');
  });
});
