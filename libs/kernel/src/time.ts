/**
 * A point on the time line in whole seconds, UTC, as RFC 3339 text (`2026-11-24T17:00:00Z`): the only
 * form in events and commands. Texts of this form sort as the instants do, so `<` and `max` hold.
 */
export type Instant = string & { readonly __instant: true };

/** Whole seconds since 1970-01-01T00:00:00Z; for arithmetic. */
export type EpochSeconds = number;

const FORM = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/;

/** @throws RangeError when the text is not of the form `YYYY-MM-DDTHH:MM:SSZ` or names no real instant. */
export function instant(text: string): Instant {
  if (!FORM.test(text) || Number.isNaN(Date.parse(text)) || toInstant(Date.parse(text) / 1000) !== text)
    throw new RangeError(`not an instant in whole seconds UTC: ${text}`);
  return text as Instant;
}

export function toSeconds(at: Instant): EpochSeconds {
  return Date.parse(at) / 1000;
}

/** Recent conversions, by second modulo the size: a desk asks for the same few instants over and over. */
const RECENT = 256;
const recentSeconds = new Float64Array(RECENT).fill(NaN);
const recentTexts = new Array<Instant>(RECENT);

/** Floors to the second (ruling 1). */
export function toInstant(seconds: EpochSeconds): Instant {
  const whole = Math.floor(seconds);
  const place = whole & (RECENT - 1);
  if (recentSeconds[place] === whole) return recentTexts[place]!;
  const text = `${new Date(whole * 1000).toISOString().slice(0, 19)}Z` as Instant;
  recentSeconds[place] = whole;
  recentTexts[place] = text;
  return text;
}

export function earlier(a: Instant, b: Instant): Instant {
  return a < b ? a : b;
}

export function later(a: Instant, b: Instant): Instant {
  return a < b ? b : a;
}

/** `recordedAt`: whole microseconds since 1970, stamped by the store (ruling 13). */
export type Micros = number;

/** Microseconds as RFC 3339 text with six decimals, for people and machines outside. */
export function microsToText(micros: Micros): string {
  const seconds = Math.floor(micros / 1_000_000);
  return `${toInstant(seconds).slice(0, 19)}.${String(micros - seconds * 1_000_000).padStart(6, '0')}Z`;
}
