import { applyDecorators, SetMetadata } from '@nestjs/common';
import {
  ApiBearerAuth,
  ApiBody,
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
      headers: { ...position, ...(withId && etag) } as never,
    }),
    ...responses(
      [
        ...ALWAYS,
        ...ON_COMMANDS,
        ...(withId ? (['not-found'] as const) : []),
        ...(conditional ? (['stale'] as const) : []),
      ],
      refusals,
    ),
  );
}

export function Query(operation: Operation, path: string, documented: DocumentedQuery): MethodDecorator {
  const { answer, paged = false, filters = [] } = documented;
  const withId = path.includes(':id');
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
    ApiQuery({
      name: 'after',
      required: false,
      description:
        'A Covenant-Position: the answer holds at least everything up to it. Waits a moment, else 503; beyond the head of the log 400.',
      schema: { type: 'string' },
    }),
    ApiResponse({
      status: 200,
      type: answer,
      description: 'As of the position in the header, or later.',
      headers: { ...position, ...(documented.etag && etag) } as never,
    }),
    ...responses([...ALWAYS, ...ON_QUERIES, ...(withId ? (['not-found'] as const) : [])]),
  );
}
