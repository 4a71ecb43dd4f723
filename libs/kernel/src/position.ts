/**
 * Where a log stands: opaque to clients, strictly increasing as text (ruling 12). Logs that promise a
 * gapless ordinal write it as sixteen decimal digits.
 */
export type Position = string & { readonly __position: true };

export const START = '0000000000000000' as Position;

const FORM = /^\d{16,20}$/;

export function isPosition(text: unknown): text is Position {
  return typeof text === 'string' && FORM.test(text);
}

export function toPosition(ordinal: number): Position {
  return String(ordinal).padStart(16, '0') as Position;
}

export function toOrdinal(position: Position): number {
  return Number(position);
}
