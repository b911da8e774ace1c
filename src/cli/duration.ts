/** Spans of time as people write them on a command line. @module cli/duration */

const units: Readonly<Record<string, number>> = {
  s: 1_000,
  m: 60_000,
  h: 3_600_000,
  d: 86_400_000,
  w: 7 * 86_400_000,
  y: 365 * 86_400_000,
};
/** A hundred years: beyond it a date stops being one. */
const longestMs = 100 * units.y!;

/** `90s`, `30m`, `12h`, `30d`, `8w`, `1y` in ms; null for anything else, and for more than a hundred years. */
export function parseDuration(text: string): number | null {
  const match = /^(\d{1,9})([smhdwy])$/.exec(text.trim());
  if (!match) return null;
  const ms = Number(match[1]) * units[match[2]!]!;
  return ms > 0 && ms <= longestMs ? ms : null;
}
