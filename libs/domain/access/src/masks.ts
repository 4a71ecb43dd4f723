import type { Mask } from './access.js';

/**
 * What a customer sees of their own ticket: what was said and promised to them, not how the desk passes it
 * around. Names are those of the answers; a field that is not listed is not shown.
 */
const PUBLIC = {
  ticket: [
    'id',
    'number',
    'status',
    'channel',
    'priority',
    'subject',
    'requester',
    'promises',
    'rating',
    'openedAt',
    'resolvedAt',
    'closedAt',
  ],
  clock: ['clock', 'cycle', 'state', 'startedAt', 'due', 'breached', 'breachedAt'],
  entry: ['id', 'type', 'occurredAt', 'recordedAt', 'actor', 'data', 'text'],
  actor: ['role'],
} as const;

/** Of a public event, the fields of its data and texts that are the requester's to see. */
const PUBLIC_DATA: Readonly<Record<string, readonly string[]>> = {
  'desk.ticket-opened.v1': ['number', 'channel', 'priority', 'subject', 'text'],
  'desk.message-received.v1': ['channel', 'text'],
  'desk.message-sent.v1': ['channel', 'text'],
  'desk.ticket-held.v1': ['reason'],
  'desk.ticket-resumed.v1': ['reason'],
  'desk.ticket-prioritised.v1': ['priority'],
  'desk.ticket-resolved.v1': ['resolution'],
  'desk.ticket-reopened.v1': ['reason'],
  'desk.ticket-closed.v1': [],
  'desk.ticket-merged.v1': [],
  'desk.ticket-rated.v1': ['score', 'comment'],
};

export type Shown = keyof typeof PUBLIC;

function picked<T extends object>(thing: T, fields: readonly string[]): Partial<T> {
  const shown: Partial<T> = {};
  for (const field of fields) if (field in thing) shown[field as keyof T] = thing[field as keyof T];
  return shown;
}

/** A thing as the mask lets it be seen. */
export function shown<T extends object>(mask: Mask, kind: Shown, thing: T): Partial<T> {
  return mask === 'all' ? thing : picked(thing, PUBLIC[kind]);
}

/** An event's data, or its texts, as the mask lets them be seen; nothing of an event the requester has no part in. */
export function shownData<T extends object>(mask: Mask, type: string, data: T): Partial<T> {
  return mask === 'all' ? data : picked(data, PUBLIC_DATA[type] ?? []);
}
