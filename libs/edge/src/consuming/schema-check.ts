import { Ajv2020 } from 'ajv/dist/2020.js';
import { messageSchema, TOPICS } from '#contracts';
import type { Check } from '#engine/feed';

/** Holds records against the published schemas; compiled once, at the first of a type. */
export function schemaCheck(): Check {
  const ajv = new Ajv2020({ allowUnionTypes: true, formats: { 'date-time': true } });
  const topics = new Map(
    TOPICS.flatMap((topic) => Object.keys(topic.messages).map((type) => [type, topic] as const)),
  );
  const compiled = new Map<string, ReturnType<typeof ajv.compile>>();
  return (type, value) => {
    let valid = compiled.get(type);
    if (!valid) compiled.set(type, (valid = ajv.compile(messageSchema(topics.get(type)!, type))));
    if (valid(value)) return null;
    // A path of the schema and a keyword: neither comes from the record.
    const { instancePath, keyword } = valid.errors![0]!;
    return `${instancePath} ${keyword}`;
  };
}
