import { toInstant, type EpochSeconds, type Instant } from '#kernel';
import type { LocalSeconds, Zone } from './zones.js';

const DAY = 86_400;

/** Civil days since 1970-01-01. */
export type LocalDay = number;

/** @returns NaN where the text is no date of the form `YYYY-MM-DD`. */
export function parseDate(text: string): LocalDay {
  const day = /^\d{4}-\d\d-\d\d$/.test(text) ? Date.parse(`${text}T00:00:00Z`) / 1000 / DAY : NaN;
  return formatDate(day) === text ? day : NaN;
}

export function formatDate(day: LocalDay): string {
  return Number.isNaN(day) ? '' : toInstant(day * DAY).slice(0, 10);
}

/** ISO: 1 Monday to 7 Sunday. */
export function weekdayOf(day: LocalDay): number {
  return ((((day + 3) % 7) + 7) % 7) + 1;
}

export function localSeconds(zone: Zone, at: EpochSeconds): LocalSeconds {
  return at + zone.offsetAt(at);
}

export function localDay(zone: Zone, at: EpochSeconds): LocalDay {
  return Math.floor(localSeconds(zone, at) / DAY);
}

/** Local time with its offset, `2026-06-08T14:00:00-04:00`, for showing beside the instant. */
export function localText(zone: Zone, at: Instant): string {
  const seconds = Date.parse(at) / 1000;
  const offset = zone.offsetAt(seconds);
  const minutes = Math.floor(Math.abs(offset) / 60);
  const two = (n: number): string => String(n).padStart(2, '0');
  const odd = Math.abs(offset) % 60;
  return `${toInstant(seconds + offset).slice(0, 19)}${offset < 0 ? '-' : '+'}${two(Math.floor(minutes / 60))}:${two(minutes % 60)}${odd === 0 ? '' : `:${two(odd)}`}`;
}
