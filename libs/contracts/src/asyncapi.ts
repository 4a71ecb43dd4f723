import { CONTENT_TYPE, HEADERS } from './cloud-event.js';
import { messageSchema, PARTITIONS, TOPICS } from './topics.js';

/** The AsyncAPI 3.0 document of everything that leaves the house, from the same source as the schemas. */
export function asyncapi(version: string): object {
  const messages = TOPICS.flatMap((topic) =>
    Object.entries(topic.messages).map(([type, { about }]) => ({ topic, type, about })),
  );
  return {
    asyncapi: '3.0.0',
    info: {
      title: 'Covenant: what leaves the house',
      version,
      description:
        'CloudEvents 1.0 in structured JSON. Keys are aggregate ids; within one key order holds. Readers tell a ' +
        'repeat by its id, read committed, and take fields and codes that they do not know as added later.',
    },
    defaultContentType: CONTENT_TYPE,
    channels: Object.fromEntries(
      TOPICS.map((topic) => [
        topic.name,
        {
          address: topic.name,
          description: topic.about,
          messages: Object.fromEntries(
            Object.keys(topic.messages).map((type) => [type, { $ref: `#/components/messages/${type}` }]),
          ),
          bindings: {
            kafka: {
              partitions: PARTITIONS,
              topicConfiguration: { 'retention.ms': -1 },
              bindingVersion: '0.5.0',
            },
          },
        },
      ]),
    ),
    operations: Object.fromEntries(
      TOPICS.map((topic) => [
        `publish ${topic.name}`,
        { action: 'send', channel: { $ref: `#/channels/${topic.name}` } },
      ]),
    ),
    components: {
      messages: Object.fromEntries(
        messages.map(({ topic, type, about }) => [
          type,
          {
            name: type,
            summary: about,
            contentType: CONTENT_TYPE,
            headers: {
              type: 'object',
              properties: Object.fromEntries(
                Object.values(HEADERS).map((name) => [name, { type: 'string' }]),
              ),
              required: Object.values(HEADERS),
            },
            payload: {
              schemaFormat: 'application/schema+json;version=draft-2020-12',
              schema: messageSchema(topic, type),
            },
            bindings: { kafka: { key: { type: 'string', format: 'uuid' }, bindingVersion: '0.5.0' } },
          },
        ]),
      ),
    },
  };
}
