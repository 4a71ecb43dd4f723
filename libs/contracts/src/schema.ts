/**
 * The small part of JSON Schema (2020-12) in which messages are written, and the types that follow from it:
 * one source gives the published schema, the AsyncAPI page and what the compiler checks.
 */
export interface Schema<T = unknown> {
  readonly json: JsonSchema;
  readonly optional?: boolean;
  /** Types only; never set. */
  readonly of?: T;
}

export interface JsonSchema {
  readonly type?: string | readonly string[];
  readonly description?: string;
  readonly format?: string;
  readonly pattern?: string;
  readonly enum?: readonly (string | null)[];
  readonly const?: string;
  readonly minimum?: number;
  readonly items?: JsonSchema;
  readonly properties?: Readonly<Record<string, JsonSchema>>;
  readonly required?: readonly string[];
}

export type Fields = Readonly<Record<string, Schema<any>>>;

type Value<S> = S extends Schema<infer T> ? T : never;
type Flat<T> = { [K in keyof T]: T[K] };
/** The data of a message. Readers meet fields that they do not know: schemas evolve by addition (ruling 38). */
export type Data<F extends Fields> = Flat<
  {
    readonly [K in keyof F as F[K] extends { readonly optional: true } ? never : K]: Value<F[K]>;
  } & {
    readonly [K in keyof F as F[K] extends { readonly optional: true } ? K : never]?: Value<F[K]>;
  }
>;

const UUID = '^[0-9a-f]{8}-[0-9a-f]{4}-[1-8][0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$';

export const s = {
  /** UUID in lower case. */
  id: (description: string): Schema<string> => ({ json: { type: 'string', pattern: UUID, description } }),
  /** A name that the house gives: a number said on the phone, a policy version. */
  name: (description: string): Schema<string> => ({ json: { type: 'string', description } }),
  /** One of a list that may grow: readers take what they do not know as "other". */
  code: <const V extends string>(description: string, values: readonly V[]): Schema<V> => ({
    json: { type: 'string', description: `${description}; one of ${values.join(', ')}, or later ones` },
  }),
  /** RFC 3339, UTC, whole seconds. */
  instant: (description: string): Schema<string> => ({
    json: {
      type: 'string',
      format: 'date-time',
      pattern: '^\\d{4}-\\d\\d-\\d\\dT\\d\\d:\\d\\d:\\d\\dZ$',
      description,
    },
  }),
  integer: (unit: string, description: string): Schema<number> => ({
    json: { type: 'integer', description: `${description} (${unit})` },
  }),
  flag: (description: string): Schema<boolean> => ({ json: { type: 'boolean', description } }),
  list: <T>(description: string, of: Schema<T>): Schema<readonly T[]> => ({
    json: { type: 'array', description, items: of.json },
  }),
  record: <F extends Fields>(description: string, fields: F): Schema<Data<F>> => ({
    json: { description, ...objectOf(fields) },
  }),
  optional: <T>(of: Schema<T>): Schema<T> & { readonly optional: true } => ({ ...of, optional: true }),
  nullable: <T>(of: Schema<T>): Schema<T | null> => ({
    json: { ...of.json, type: [of.json.type as string, 'null'] },
  }),
} as const;

/** Open to fields that are added later. */
export function objectOf(fields: Fields): JsonSchema {
  return {
    type: 'object',
    properties: Object.fromEntries(Object.entries(fields).map(([name, { json }]) => [name, json])),
    required: Object.entries(fields)
      .filter(([, { optional }]) => !optional)
      .map(([name]) => name),
  };
}
