import { Injectable } from '@nestjs/common';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { DocumentBuilder, SwaggerModule, type OpenAPIObject } from '@nestjs/swagger';
import { BODY_LIMIT, CORRELATION_HEADER, POSITION_HEADER } from '../run/server.js';

const ABOUT = `An event-sourced service desk: every promise is a recorded fact with a due instant.

**Asking twice changes nothing.** Give every POST an \`Idempotency-Key\`; the same key with the same body gives the first answer again, for ever and in any process, with another body 422.

**Nobody overwrites unseen.** \`ETag\` and \`If-Match\` count what people did; a timer never makes yours stale.

**Read your own writes.** Every answer carries \`Covenant-Position\`; \`?after=<position>\` on a read waits, briefly, until the answer holds everything up to it.

**What you may not see does not exist.** An id out of your scope, or of no form an id has, answers as an unknown one does: 404. An id in a body that has no form an id has is bad input (400).

**Names.** Groups, categories and vendors are given by name; in answers they have an id as well. \`intake\` is the queue of tickets that no group has yet.

**Limits.** Body ${BODY_LIMIT / 1024 / 1024} MiB, text 64 KiB of UTF-8, an event 256 KiB, what one request records 1 MiB; pages of 1 to 200 items. U+0000, lone surrogates, names given twice in one object and nesting deeper than 32 are refused. Unknown fields are refused. Instants are RFC 3339; they are kept in whole seconds UTC.

**Errors** are RFC 9457 problem+json. Their \`code\` is stable; \`errors\` lists fields.`;

/** OpenAPI 3.1 of all that Nest serves; made once, when the routes are known. */
@Injectable()
export class ApiDocument {
  private text = '';

  take(document: OpenAPIObject): void {
    this.text = JSON.stringify(document);
  }

  get json(): string {
    return this.text;
  }
}

const string = (description: string, more: object = {}) => ({
  description,
  schema: { type: 'string', ...more },
});

/** To be called before the application listens: `bootstrap`'s `prepare`. */
export function describeApi(app: NestFastifyApplication): void {
  const config = new DocumentBuilder()
    .setOpenAPIVersion('3.1.1')
    .setTitle('Covenant')
    .setDescription(ABOUT)
    .setVersion('1')
    .addBearerAuth({
      type: 'http',
      scheme: 'bearer',
      bearerFormat: 'JWT',
      description: '`npm run covenant -- token --role agent --name alice` prints one; they live 12 hours.',
    })
    .addTag('tickets')
    .addTag('queues')
    .addTag('live')
    .addTag('analytics')
    .addTag('knowledge')
    .build();
  const document = SwaggerModule.createDocument(app, config, { operationIdFactory: (_, method) => method });
  const components = (document.components ??= {});
  Object.assign((components.headers ??= {}), {
    [title(POSITION_HEADER)]: string(
      'Position of the log that the answer holds; opaque, rising; for ?after=.',
    ),
    ETag: string('Strong tag of the object, for If-Match.'),
    'Retry-After': { description: 'Seconds.', schema: { type: 'integer' } },
    [title(CORRELATION_HEADER)]: string(
      'Id of this request in logs and recorded facts; yours if it has the form.',
      {
        pattern: '^[A-Za-z0-9-]{1,64}$',
      },
    ),
  });
  const schemas = (components.schemas ??= {}) as Record<string, { additionalProperties?: boolean }>;
  for (const [name, schema] of Object.entries(schemas))
    if (name.endsWith('Request') || name.endsWith('Given')) schema.additionalProperties = false;
  Object.assign(schemas, { Problem: PROBLEM });
  app.get(ApiDocument).take(document);
}

const title = (header: string): string => header.replace(/(^|-)[a-z]/g, (letter) => letter.toUpperCase());

const PROBLEM = {
  type: 'object',
  description: 'RFC 9457.',
  required: ['type', 'title', 'status', 'detail', 'code', 'correlation'],
  properties: {
    type: { type: 'string', format: 'uri' },
    title: { type: 'string' },
    status: { type: 'integer', minimum: 400, maximum: 599 },
    detail: { type: 'string' },
    code: { type: 'string', description: 'Stable; for programs.' },
    correlation: { type: 'string', description: 'Of this request, as in X-Correlation-Id.' },
    errors: {
      type: 'array',
      items: {
        type: 'object',
        required: ['field', 'problem'],
        properties: {
          field: { type: 'string', description: 'Path; empty for the whole body.' },
          problem: { type: 'string' },
        },
      },
    },
  },
};
