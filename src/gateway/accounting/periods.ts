/**
 * Days and the periods of budgets, in UTC. A day is a whole number: days since 1970-01-01.
 *
 * @module gateway/accounting/periods
 */
import type { Period } from './types.ts';

const DAY_MS = 86_400_000;

/** A clock before 1970 is taken for its first day. */
export const dayOf = (ms: number): number => Math.max(0, Math.floor(ms / DAY_MS));
export const startOfDay = (day: number): number => day * DAY_MS;

/** `2026-11-21` */
export const dayName = (day: number): string => new Date(startOfDay(day)).toISOString().slice(0, 10);

/** Null for what is no day of the calendar from 1970 to 9999. */
export function dayNamed(name: string): number | null {
  if (!/^\d{4}-\d\d-\d\d$/.test(name)) return null;
  const ms = Date.parse(name);
  if (Number.isNaN(ms) || ms < 0) return null;
  const day = dayOf(ms);
  // 2026-02-30 would be the second of March.
  return dayName(day) === name ? day : null;
}

/** First day of the period that `day` lies in, and the first day after it; null: it has no such. */
export function periodOf(
  per: Period,
  day: number,
): { readonly from: number | null; readonly to: number | null } {
  switch (per) {
    case 'day':
      return { from: day, to: day + 1 };
    case 'week': {
      // 1970-01-01 was a Thursday.
      const from = day - ((day + 3) % 7);
      return { from, to: from + 7 };
    }
    case 'month': {
      const date = new Date(startOfDay(day));
      const [year, month] = [date.getUTCFullYear(), date.getUTCMonth()];
      return { from: dayOf(Date.UTC(year, month, 1)), to: dayOf(Date.UTC(year, month + 1, 1)) };
    }
    case 'all':
      return { from: null, to: null };
  }
}
