import { toInstant, type Instant } from '#kernel';

const RFC3339 = /^(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(?:\.\d{1,9})?(Z|[+-]\d\d:\d\d)$/;

/** An RFC 3339 instant floored to whole seconds UTC; null where the text names none (February 30, 24:00, leap seconds). */
export function instantFrom(text: string): Instant | null {
  const match = RFC3339.exec(text);
  if (!match) return null;
  const [, local, offset] = match as unknown as [string, string, string];
  const civil = Date.parse(`${local}Z`);
  if (Number.isNaN(civil) || `${new Date(civil).toISOString().slice(0, 19)}` !== local) return null;
  const at = Date.parse(local + offset);
  return Number.isNaN(at) || at < -62_135_596_800_000 ? null : toInstant(at / 1000);
}
