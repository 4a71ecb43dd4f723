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
  actor: ['role'],
} as const;

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
