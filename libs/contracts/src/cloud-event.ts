import { objectOf, s, type JsonSchema, type Schema } from './schema.js';

/** CloudEvents 1.0, structured JSON: what stands in the value of every record. */
export interface CloudEvent<Type extends string = string, D = unknown> {
  readonly specversion: '1.0';
  /** Id of the event in the log: readers tell repeats by it. */
  readonly id: string;
  /** `/covenant/logs/<identity of the log>`. */
  readonly source: string;
  readonly type: Type;
  /** Id of the aggregate, and the record's key. */
  readonly subject: string;
  /** When it happened; RFC 3339, UTC, whole seconds. */
  readonly time: string;
  readonly datacontenttype: 'application/json';
  readonly dataschema: string;
  /** Extension: where it stands in the log; opaque, rising as text. */
  readonly position: string;
  /** Extension: its place in the aggregate's own history, 0 for the first. */
  readonly revision: number;
  /** Extension: when it was recorded; RFC 3339 with microseconds. */
  readonly recordedat: string;
  readonly data: D;
}

export const CONTENT_TYPE = 'application/cloudevents+json; charset=utf-8';

/** Names of the record headers; values are UTF-8 text. */
export const HEADERS = { id: 'ce_id', type: 'ce_type', position: 'ce_position' } as const;

/** JSON Schema of a whole record value. */
export function envelopeSchema(type: string, data: JsonSchema): JsonSchema {
  const constant = (text: string): Schema<string> => ({ json: { type: 'string', const: text } });
  return objectOf({
    specversion: constant('1.0'),
    id: s.id('id of the event in the log: a repeat has the same'),
    source: s.name('`/covenant/logs/<identity of the log>`'),
    type: constant(type),
    subject: s.id('id of the aggregate, and the record’s key'),
    time: s.instant('when it happened'),
    datacontenttype: constant('application/json'),
    dataschema: s.name('where this schema is described'),
    position: s.name('where it stands in the log; opaque, rising as text'),
    revision: s.integer('count', 'its place in the aggregate’s history, 0 for the first'),
    recordedat: s.name('when it was recorded; RFC 3339 with microseconds'),
    data: { json: data },
  });
}
