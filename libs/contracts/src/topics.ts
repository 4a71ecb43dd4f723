import { envelopeSchema } from './cloud-event.js';
import type { JsonSchema } from './schema.js';
import { dataSchema, ticketMessages, type MessageDefinition } from './ticket-messages.js';

/** One topic per kind of aggregate; its key is the aggregate's id, so that one aggregate's messages keep their order. */
export interface Topic {
  readonly name: string;
  readonly about: string;
  readonly messages: Readonly<Record<string, MessageDefinition>>;
}

export const TICKETS: Topic = {
  name: 'covenant.tickets.v1',
  about: 'What happens to tickets and to the promises on them.',
  messages: ticketMessages,
};

export const TOPICS: readonly Topic[] = [TICKETS];

/** Fixed at a topic's creation, never changed in place: keys would move to other partitions (ruling 38). */
export const PARTITIONS = 12;

/** Where consumers put what they cannot digest, with the reason in a header. */
export const deadLetters = (topic: string, consumer: string): string => `${topic}.dead.${consumer}`;

/** The published schema of one message: of the whole record value. */
export function messageSchema(
  topic: Topic,
  type: string,
): JsonSchema & { readonly $schema: string; readonly $id: string; readonly title: string } {
  const definition = topic.messages[type];
  if (!definition) throw new Error(`${topic.name} has no message ${type}`);
  return {
    $schema: 'https://json-schema.org/draft/2020-12/schema',
    $id: schemaId(type),
    title: type,
    description: definition.about,
    ...envelopeSchema(type, dataSchema(definition)),
  };
}

/** Also the `dataschema` of its messages. */
export const schemaId = (type: string): string => `urn:covenant:message:${type}`;
