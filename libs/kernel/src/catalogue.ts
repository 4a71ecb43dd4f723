import type { PersonId, Uuid } from './ids.js';
import type { Instant } from './time.js';

/**
 * The language in which events are declared. One declaration gives the types that decide and evolve are
 * written against, what the codec seals, and docs/events.md; so no fact can have a second form.
 *
 * A field is clear (ids we made, codes of a closed list, numbers, instants) or typed by a person and
 * sealed (ruling 31). Sealed fields stand only at the top level of an event, so that one blob per person
 * holds all of them.
 */
export interface Field<Given = unknown, Clear = Given> {
  readonly kind:
    'id' | 'code' | 'name' | 'instant' | 'integer' | 'flag' | 'text' | 'term' | 'list' | 'record';
  readonly about: string;
  readonly optional?: boolean;
  readonly nullable?: boolean;
  readonly values?: readonly string[];
  readonly unit?: string;
  readonly of?: Field;
  readonly fields?: Fields;
  /** Types only; never set. */
  readonly given?: Given;
  readonly clear?: Clear;
}

export type Fields = Readonly<Record<string, Field<any, any>>>;

/** What a person typed, and under whose key it is sealed. */
export interface Personal {
  readonly of: PersonId;
  readonly text: string;
}

/**
 * A name that a person typed and that the desk must still group and search by (a group, a category, a
 * number in another system): in clear only its keyed id, the text sealed under the desk's key.
 */
export interface Term extends Personal {
  readonly id: Uuid;
}

declare const OMITTED: unique symbol;
export type Omitted = typeof OMITTED;

/** The kinds of fields. */
export const f = {
  /** An id that we made. */
  id: (about: string): Field<Uuid> => ({ kind: 'id', about }),
  /** One of a closed list. */
  code: <const V extends string>(about: string, values: readonly V[]): Field<V> => ({
    kind: 'code',
    about,
    values,
  }),
  /** A name the house gives (`default@1`, a zone, a number said on the phone), never what a client typed. */
  name: (about: string): Field<string> => ({ kind: 'name', about }),
  instant: (about: string): Field<Instant> => ({ kind: 'instant', about }),
  integer: (unit: string, about: string): Field<number> => ({ kind: 'integer', unit, about }),
  flag: (about: string): Field<boolean> => ({ kind: 'flag', about }),
  /** Typed by a person; sealed. */
  text: (about: string): Field<Personal, Omitted> => ({ kind: 'text', about }),
  /** Typed by a person, yet grouped and searched by; see Term. */
  term: (about: string): Field<Term, Uuid> => ({ kind: 'term', about }),
  list: <G, C>(about: string, of: Field<G, C>): Field<readonly G[], readonly C[]> => ({
    kind: 'list',
    about,
    of,
  }),
  record: <F extends Fields>(about: string, fields: F): Field<Given<F>, Clear<F>> => ({
    kind: 'record',
    about,
    fields,
  }),
  optional: <G, C>(field: Field<G, C>): Field<G, C> & { readonly optional: true } => ({
    ...field,
    optional: true,
  }),
  nullable: <G, C>(field: Field<G, C>): Field<G | null, C | null> =>
    ({ ...field, nullable: true }) as Field<G | null, C | null>,
} as const;

type GivenOf<F> = F extends Field<infer G, any> ? G : never;
type ClearOf<F> = F extends Field<any, infer C> ? C : never;
type IsOptional<F> = F extends { readonly optional: true } ? true : false;
type Flat<T> = { [K in keyof T]: T[K] };

/** An event's data as decided: texts and terms in full. */
export type Given<F extends Fields> = Flat<
  { readonly [K in keyof F as IsOptional<F[K]> extends true ? never : K]: GivenOf<F[K]> } & {
    readonly [K in keyof F as IsOptional<F[K]> extends true ? K : never]?: GivenOf<F[K]>;
  }
>;

/** An event's data as stored and folded: texts gone (sealed beside it), terms as their ids. */
export type Clear<F extends Fields> = Flat<
  {
    readonly [
      K in keyof F as IsOptional<F[K]> extends true ? never : ClearOf<F[K]> extends Omitted ? never : K
    ]: ClearOf<F[K]>;
  } & {
    readonly [
      K in keyof F as IsOptional<F[K]> extends true ? (ClearOf<F[K]> extends Omitted ? never : K) : never
    ]?: ClearOf<F[K]>;
  }
>;

export interface EventDefinition<F extends Fields = Fields> {
  /** Category of the streams it stands in (`ticket` of `ticket-<id>`); several where a fact is shared. */
  readonly streams: readonly string[];
  /** The command, timer or flow that emits it. */
  readonly by: string;
  readonly about: string;
  readonly fields: F;
}

/** Stored event names (`desk.ticket-opened.v1`) to their definitions. */
export type Catalogue = Readonly<Record<string, EventDefinition<any>>>;

export const event = <F extends Fields>(
  streams: readonly string[],
  by: string,
  about: string,
  fields: F,
): EventDefinition<F> => ({ streams, by, about, fields });

/** The union of what decide may emit. */
export type FactOf<C extends Catalogue> = {
  [T in keyof C & string]: C[T] extends EventDefinition<infer F>
    ? { readonly type: T; readonly data: Given<F> }
    : never;
}[keyof C & string];

/** The union of what evolve and views fold. */
export type EventOf<C extends Catalogue> = {
  [T in keyof C & string]: C[T] extends EventDefinition<infer F>
    ? { readonly type: T; readonly data: Clear<F> }
    : never;
}[keyof C & string];

type SealedFields = readonly { readonly field: string; readonly kind: 'text' | 'term' }[];

const sealedByDefinition = new WeakMap<EventDefinition, SealedFields>();

/** Top-level fields whose text is sealed, by event type; for the codec. */
export function sealedFields(definition: EventDefinition): SealedFields {
  let sealed = sealedByDefinition.get(definition);
  if (sealed === undefined) {
    sealed = Object.entries(definition.fields as Fields)
      .filter(([, f]) => f.kind === 'text' || f.kind === 'term')
      .map(([field, f]) => ({ field, kind: f.kind as 'text' | 'term' }));
    sealedByDefinition.set(definition, sealed);
  }
  return sealed;
}

/** An event's data parted into what stands in clear and what persons typed, by whose key it is to be sealed. */
export function separate(
  data: object,
  fields: SealedFields,
): { clear: object; typed: Map<PersonId, Record<string, string>> } {
  const typed = new Map<PersonId, Record<string, string>>();
  if (fields.length === 0) return { clear: data, typed };
  // Built up rather than taken away from: an object that lost a field is slow to read and to write.
  const clear: Record<string, unknown> = {};
  for (const name in data) {
    const given = (data as Record<string, unknown>)[name];
    const kind = fields.find(({ field }) => field === name)?.kind;
    if (kind === undefined || given === undefined || (given === null && kind === 'term')) clear[name] = given;
    else if (given !== null) {
      const { of, text } = given as Personal;
      const texts = typed.get(of);
      if (texts) texts[name] = text;
      else typed.set(of, { [name]: text });
      if (kind === 'term') clear[name] = (given as Term).id;
    }
  }
  return { clear, typed };
}
