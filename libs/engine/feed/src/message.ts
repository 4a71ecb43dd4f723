import type { CloudEvent, TicketMessage, TicketMessageType, Topic } from '#contracts';
import type { Delivery } from './port.js';

/** One public message, read and known to keep its schema. */
export type Published = {
  readonly [T in TicketMessageType]: CloudEvent<T, Extract<TicketMessage, { readonly type: T }>['data']>;
}[TicketMessageType];

/**
 * Holds a record's value against the published schema of its type: where it breaks it (a path of the schema
 * and a keyword, never a value), or null.
 */
export type Check = (type: string, value: object) => string | null;

/** What a record turned out to be. */
export type Read =
  | { readonly as: 'message'; readonly message: Published }
  /** No message at all, or one that breaks its schema; the reason holds nothing of its content. */
  | { readonly as: 'broken'; readonly reason: string }
  /** A message of ours that this program does not know: it is too old (ruling 48). */
  | { readonly as: 'too-new'; readonly type: string };

/** Stored names of messages, of whatever release. */
const OURS = /^covenant\.[a-z][a-z-]{0,60}\.v\d{1,6}$/;

/**
 * Reads one record: CloudEvent envelope and JSON Schema of its message. A type of the form of ours that its
 * topic does not have is a later release's; any other is no message.
 */
export function read(delivery: Delivery, topics: readonly Topic[], check: Check): Read {
  if (delivery.message) return { as: 'message', message: delivery.message as Published };
  const broken = (reason: string): Read => ({ as: 'broken', reason });
  let value: unknown;
  try {
    value = JSON.parse(delivery.value);
  } catch {
    // The parser's own message quotes the text.
    return broken('not-json: the value is no JSON');
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    return broken('breaks-schema: the value is no object');
  const { type, subject } = value as { readonly type?: unknown; readonly subject?: unknown };
  const topic = topics.find(({ name }) => name === delivery.topic);
  if (typeof type !== 'string' || !topic || !Object.hasOwn(topic.messages, type))
    return typeof type === 'string' && OURS.test(type)
      ? { as: 'too-new', type }
      : broken('breaks-schema: /type names no message of the topic');
  const wrong = check(type, value);
  if (wrong !== null) return broken(`breaks-schema: ${type} ${wrong}`);
  if (subject !== delivery.key) return broken(`wrong-key: ${type} lies under a key that is not its subject`);
  return { as: 'message', message: value as Published };
}
