import { applyDecorators, SetMetadata } from '@nestjs/common';
import {
  ApiBearerAuth,
  ApiBody,
  ApiExtraModels,
  ApiHeader,
  ApiOperation,
  ApiParam,
  ApiQuery,
  ApiResponse,
} from '@nestjs/swagger';
import { access, type Operation } from '#domain/access';
import { valid } from '../input/validate.js';
import { Problem, PROBLEMS, type ProblemCode } from '../problem/problem.js';
import { REFUSAL_STATUS, type RefusalCode } from '../problem/refusals.js';
import { TakesPass } from '../run/request.js';

export const OPERATION = 'covenant:operation';

type Class = new () => object;

interface Documented {
  readonly summary: string;
  readonly about?: string;
  readonly answer: Class;
  /** 200 unless given. */
  readonly status?: 200 | 201;
  readonly tag: string;
}

interface DocumentedCommand extends Documented {
  readonly request: Class;
  /** False where there is nothing yet to match. */
  readonly conditional?: boolean;
  /** Codes of its own refusals, answered with 400, 403, 404 or 409. */
  readonly refusals?: readonly RefusalCode[];
}

interface DocumentedQuery extends Documented {
  readonly paged?: boolean;
  /** False where the answer is of this moment, and waits for nothing. */
  readonly after?: false;
  readonly filters?: readonly {
    readonly name: string;
    readonly about: string;
    readonly values?: readonly (string | number)[];
  }[];
  readonly etag?: boolean;
}

const position = { 'Covenant-Position': { $ref: '#/components/headers/Covenant-Position' } };
const etag = { ETag: { $ref: '#/components/headers/ETag' } };

/** Codes that any operation may answer with. */
const ALWAYS: readonly ProblemCode[] = [
  'bad-request',
  'not-authenticated',
  'not-permitted',
  'internal',
  'not-ready',
  'stopping',
];
const ON_COMMANDS: readonly ProblemCode[] = [
  'bad-json',
  'bad-text',
  'too-deep',
  'bad-input',
  'in-future',
  'too-large',
  'unsupported-media-type',
  'key-reused',
  'contention',
  'not-recorded',
  'outcome-unknown',
  'log-unavailable',
  'older-than-log',
  'storage-low',
  'clock-untrusted',
];
const ON_QUERIES: readonly ProblemCode[] = [
  'bad-input',
  'unknown-position',
  'views-unavailable',
  'view-lag',
  'view-parked',
  'too-many-waiting',
];

function responses(codes: readonly ProblemCode[], refusals: readonly RefusalCode[] = []): MethodDecorator[] {
  const byStatus = new Map<number, string[]>();
  const add = (status: number, code: string) => byStatus.set(status, [...(byStatus.get(status) ?? []), code]);
  for (const code of codes) add(PROBLEMS[code][0], code);
  for (const code of refusals) add(REFUSAL_STATUS[code], code);
  return [...byStatus].map(([status, of]) =>
    ApiResponse({
      status,
      description: `Codes: ${of.join(', ')}.`,
      ...(status === 503 && {
        headers: { 'Retry-After': { $ref: '#/components/headers/Retry-After' } as never },
      }),
      content: { 'application/problem+json': { schema: { $ref: '#/components/schemas/Problem' } } },
    }),
  );
}

const rolesOf = (operation: Operation): string =>
  Object.entries(access[operation])
    .map(([role, { scope }]) => (scope === 'any' ? role : `${role} (${scope})`))
    .join(', ');

const described = (operation: Operation, { summary, about, tag }: Documented): MethodDecorator =>
  ApiOperation({
    operationId: operation,
    summary,
    description: `${about ? `${about}\n\n` : ''}Roles: ${rolesOf(operation)}.`,
    tags: [tag],
  });

const pathId = (has: boolean): MethodDecorator[] =>
  has
    ? [
        ApiParam({
          name: 'id',
          schema: { type: 'string' },
          description: 'Id as this desk gave it; anything else is unknown (404).',
        }),
      ]
    : [];

function isValid(request: Class, body: object): boolean {
  try {
    valid(request, body);
    return true;
  } catch (error) {
    if (error instanceof Problem) return false;
    throw error;
  }
}

/** Names the row of the access table that a route stands under, and documents the route. */
export function Command(operation: Operation, path: string, documented: DocumentedCommand): MethodDecorator {
  const { request, answer, status = 200, conditional = true, refusals = [] } = documented;
  const withId = path.includes(':id');
  const named = path.includes(':');
  return applyDecorators(
    SetMetadata(OPERATION, operation),
    described(operation, documented),
    ApiBearerAuth(),
    ...pathId(withId),
    ApiHeader({
      name: 'Idempotency-Key',
      required: false,
      description:
        '1 to 255 visible ASCII characters. The same key with the same body gives the first answer again, for ever; with another body 422.',
      schema: { type: 'string', minLength: 1, maxLength: 255 },
    }),
    ...(conditional
      ? [
          ApiHeader({
            name: 'If-Match',
            required: false,
            description: 'The ETag last seen, or *; 412 where somebody has acted since.',
            schema: { type: 'string' },
          }),
        ]
      : []),
    ApiBody({ type: request, required: !isValid(request, {}) }),
    ApiResponse({
      status,
      type: answer,
      description: status === 201 ? 'Recorded.' : 'Recorded, or nothing to do.',
      headers: { ...position, ...(named && etag) } as never,
    }),
    ...responses(
      [
        ...ALWAYS,
        ...ON_COMMANDS,
        ...(named ? (['not-found'] as const) : []),
        ...(conditional ? (['stale'] as const) : []),
      ],
      refusals,
    ),
  );
}

export function Query(operation: Operation, path: string, documented: DocumentedQuery): MethodDecorator {
  const { answer, paged = false, filters = [], after = true } = documented;
  const withId = path.includes(':id');
  const named = path.includes(':');
  return applyDecorators(
    SetMetadata(OPERATION, operation),
    described(operation, documented),
    ApiBearerAuth(),
    ...pathId(withId),
    ...filters.map(({ name, about, values }) =>
      ApiQuery({
        name,
        required: false,
        description: about,
        schema: values
          ? { type: typeof values[0] === 'number' ? 'integer' : 'string', enum: [...values] }
          : { type: 'string', maxLength: 254 },
      }),
    ),
    ...(paged
      ? [
          ApiQuery({
            name: 'limit',
            required: false,
            description: 'Items on the page.',
            schema: { type: 'integer', minimum: 1, maximum: 200, default: 50 },
          }),
          ApiQuery({
            name: 'cursor',
            required: false,
            description: 'The `next` of the page before.',
            schema: { type: 'string', maxLength: 500 },
          }),
        ]
      : []),
    ...(after
      ? [
          ApiQuery({
            name: 'after',
            required: false,
            description:
              'A Covenant-Position: the answer holds at least everything up to it. Waits a moment, else 503; beyond the head of the log 400.',
            schema: { type: 'string' },
          }),
        ]
      : []),
    ApiResponse({
      status: 200,
      type: answer,
      description: after ? 'As of the position in the header, or later.' : 'As of now.',
      headers: { ...(after && position), ...(documented.etag && etag) } as never,
    }),
    ...responses([
      ...ALWAYS,
      ...(after ? ON_QUERIES : (['bad-input'] as const)),
      ...(named ? (['not-found'] as const) : []),
    ]),
  );
}

interface DocumentedStream extends Omit<Documented, 'answer' | 'status'> {
  /** What the data of an event is, by the event's name; absent: it has none worth a form. */
  readonly events: Readonly<Record<string, Class>>;
  readonly filters: readonly {
    readonly name: string;
    readonly about: string;
    readonly values: readonly string[];
  }[];
}

/** A route that answers with server-sent events for as long as the caller may listen (ruling 39). */
export function Stream(operation: Operation, documented: DocumentedStream): MethodDecorator {
  const { events, filters } = documented;
  const forms = Object.values(events);
  return applyDecorators(
    SetMetadata(OPERATION, operation),
    TakesPass(),
    described(operation, { ...documented, answer: forms[0]! }),
    ApiBearerAuth(),
    ApiExtraModels(...forms),
    ApiHeader({
      name: 'Last-Event-ID',
      required: false,
      description:
        'Position of the last event had: what came after it comes first. Browsers send it by themselves.',
      schema: { type: 'string' },
    }),
    ApiQuery({
      name: 'after',
      required: false,
      description: 'The same, for who can send no header; Last-Event-ID counts where both are given.',
      schema: { type: 'string' },
    }),
    ApiQuery({
      name: 'pass',
      required: false,
      description: 'In place of a token, for who can send no header.',
      schema: { type: 'string' },
    }),
    ...filters.map(({ name, about, values }) =>
      ApiQuery({ name, required: false, description: about, schema: { type: 'string', enum: [...values] } }),
    ),
    ApiResponse({
      status: 200,
      description: 'Server-sent events; the id of each is a position.',
      content: {
        'text/event-stream': {
          schema: {
            type: 'string',
            description: Object.entries(events)
              .map(([name, { name: form }]) => `${name}: ${form}`)
              .join('; '),
          },
        },
      },
    }),
    ...responses([...ALWAYS, 'bad-input', 'unknown-position', 'too-many-streams', 'log-unavailable']),
  );
}
