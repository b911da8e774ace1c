/** `--since`: how far back to look. @module cli/log-analysis/since */
import { InputError } from '../../base/index.ts';

const units = { s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000, w: 604_800_000 } as const;

/** ms since the epoch for `90s`, `30m`, `1h`, `2d`, `1w`, or a date such as 2026-01-31 or 2026-01-31T12:00. */
export function parseSince(text: string, now: number): number {
  const ago = /^(\d{1,6})\s*([smhdw])$/i.exec(text.trim());
  if (ago) return now - Number(ago[1]) * units[ago[2]!.toLowerCase() as keyof typeof units];
  const time = /^\d{4}-\d\d-\d\d/.test(text.trim()) ? Date.parse(text.trim()) : Number.NaN;
  if (Number.isNaN(time)) {
    throw new InputError(
      'invalid_since',
      `--since ${text.slice(0, 40)} is no time: use 30m, 1h, 2d, or a date such as 2026-01-31.`,
      { param: 'since' },
    );
  }
  return time;
}
