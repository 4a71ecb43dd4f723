import { never, type Catalogue, type EventDefinition, type Field, type Fields } from '#kernel';

/** The envelope around every event's data, as it is read (kernel, `Recorded`). */
const ENVELOPE: readonly (readonly [field: string, type: string, about: string])[] = [
  ['id', 'id', 'the event’s own; made once per prepared append and kept for every repeat of it (ruling 10)'],
  ['type', 'name', 'stored name and version, as below; never the name of a class'],
  ['stream', 'name', '`<category>-<id>`'],
  ['revision', 'integer', 'in its stream, gapless from 0'],
  ['position', 'position', 'in the log, strictly increasing; opaque to clients (ruling 12)'],
  ['occurredAt', 'instant', 'when it happened'],
  ['recordedAt', 'microseconds', 'when the store took it, by the store’s clock (ruling 13)'],
  ['actor', 'record', 'who: `id`, `role`, and `onBehalfOf` where it was for another'],
  ['correlation', 'name', 'the request, import or flow it belongs to'],
  ['causation', 'id, optional', 'the event it follows from'],
  ['engine', 'name', 'version of the rules that computed it (ruling 8)'],
  ['key', 'record, optional', 'the request’s idempotency key and body, both as keyed hashes (ruling 11)'],
  [
    'sealed',
    'record, optional',
    'what persons typed: one blob per person, under that person’s key (ruling 31)',
  ],
];

/** docs/events.md: every event there is, made from the declarations that the code itself is written against. */
export function markdown(catalogue: Catalogue): string {
  const events = Object.entries(catalogue).sort(([a], [b]) => (a < b ? -1 : 1));
  const shared = sharedRecords(events.map(([, definition]) => definition));
  return [
    '# Events',
    '',
    '<!-- Made by `npm run docs:events` from the catalogue (libs/engine/catalogue); `npm test` compares. -->',
    '',
    'Every fact the desk records, by stored name. A name and version never change their meaning; what must',
    'change becomes a new version, and the old one is read through an upcaster.',
    '',
    '- **clear**: an id the house made, a code of a closed list, a name the house gives, a number, an instant.',
    '- **sealed**: typed by a person, encrypted with a key per person, and opened only where it is shown.',
    '- **id clear, text sealed**: a name that must be grouped and searched by; the log shows a keyed id.',
    '',
    'Instants are whole seconds, `2026-11-24T17:00:00Z`. Integers name their unit.',
    '',
    ...table(
      ['stored name', 'stream', 'what happened'],
      events.map(([type, e]) => [`[\`${type}\`](#${anchor(type)})`, streams(e), e.about]),
    ),
    '## Around every event',
    '',
    ...table(
      ['field', 'type', 'meaning'],
      ENVELOPE.map(([field, ...rest]) => [`\`${field}\``, ...rest]),
    ),
    ...events.flatMap(([type, definition]) => section(type, definition, shared)),
    ...(shared.length === 0 ? [] : ['## Records that several events carry', '']),
    ...shared.flatMap((record) => [`### ${title(record)}`, '', ...fieldTable(record.fields ?? {}, [])]),
  ].join('\n');
}

function section(type: string, definition: EventDefinition, shared: readonly Field[]): string[] {
  const { name, version } = parts(type);
  return [
    `## ${type}`,
    '',
    definition.about,
    '',
    `\`${name}\`, version ${version} · stream ${streams(definition)} · emitted by ${definition.by}`,
    '',
    ...(Object.keys(definition.fields as Fields).length === 0
      ? ['No fields.', '']
      : fieldTable(definition.fields as Fields, shared)),
  ];
}

/** `desk.ticket-opened` and 1 of `desk.ticket-opened.v1`. */
function parts(type: string): { name: string; version: number } {
  const [, name, version] = /^(.+)\.v(\d+)$/.exec(type) ?? [];
  if (name === undefined) throw new Error(`${type} does not end in its version, .v1`);
  return { name, version: Number(version) };
}

const streams = (definition: EventDefinition): string =>
  definition.streams
    .map((category) => (category === '*' ? 'of any kind' : `\`${category}-<id>\``))
    .join(', ');

function fieldTable(fields: Fields, shared: readonly Field[]): string[] {
  return table(['field', 'type', 'stored', 'meaning'], rows('', fields, shared));
}

/** A record's own fields follow it, by their path: `hours[].from`. */
function rows(prefix: string, fields: Fields, shared: readonly Field[]): string[][] {
  return Object.entries(fields).flatMap(([name, field]) => {
    const path = `${prefix}${name}`;
    const inner = innermost(field);
    const named = shared.includes(inner);
    return [
      [`\`${path}\``, typeOf(field, named), storedAs(field), field.about],
      ...(inner.kind === 'record' && !named
        ? rows(`${path}${'[]'.repeat(depth(field))}.`, inner.fields ?? {}, shared)
        : []),
    ];
  });
}

function typeOf(field: Field, named: boolean): string {
  const type = bareType(field, named);
  return [type, ...(field.nullable ? ['or null'] : []), ...(field.optional ? ['(optional)'] : [])].join(' ');
}

function bareType(field: Field, named: boolean): string {
  switch (field.kind) {
    case 'id':
    case 'name':
    case 'instant':
    case 'flag':
    case 'text':
    case 'term':
      return field.kind;
    case 'code':
      return (field.values ?? []).map((value) => `\`${value}\``).join(', ');
    case 'integer':
      return `integer, ${field.unit}`;
    case 'list':
      return `list of ${field.of === undefined ? 'nothing' : bareType(field.of, named)}`;
    case 'record':
      return named ? `[${title(field)}](#${anchor(title(field))})` : 'record';
    default:
      return never(field.kind);
  }
}

function storedAs(field: Field): string {
  switch (field.kind) {
    case 'text':
      return 'sealed';
    case 'term':
      return 'id clear, text sealed';
    case 'id':
    case 'code':
    case 'name':
    case 'instant':
    case 'integer':
    case 'flag':
    case 'list':
    case 'record':
      return 'clear';
    default:
      return never(field.kind);
  }
}

const innermost = (field: Field): Field => (field.of === undefined ? field : innermost(field.of));
const depth = (field: Field): number => (field.of === undefined ? 0 : 1 + depth(field.of));

/** Record declarations that stand in more than one event, in the order in which they are first met. */
function sharedRecords(definitions: readonly EventDefinition[]): readonly Field[] {
  const met = new Map<Field, number>();
  for (const definition of definitions) {
    const here = new Set(
      Object.values(definition.fields as Fields)
        .map(innermost)
        .filter(({ kind }) => kind === 'record'),
    );
    for (const record of here) met.set(record, (met.get(record) ?? 0) + 1);
  }
  return [...met].filter(([, times]) => times > 1).map(([record]) => record);
}

const title = (record: Field): string => record.about.charAt(0).toUpperCase() + record.about.slice(1);

/** As GitHub and its like make them: lower case, blanks to hyphens, the rest of the punctuation dropped. */
const anchor = (heading: string): string =>
  heading
    .toLowerCase()
    .replace(/[^\p{L}\p{N} _-]/gu, '')
    .replace(/ /g, '-');

function table(head: readonly string[], body: readonly (readonly string[])[]): string[] {
  const line = (cells: readonly string[]): string =>
    `| ${cells.map((cell) => cell.replace(/\|/g, '\\|')).join(' | ')} |`;
  return [line(head), `|${head.map(() => '---').join('|')}|`, ...body.map(line), ''];
}
