/**
 * Numbers for people: bytes, durations, rates. Unknown values (null) say so. Machine output never uses these.
 *
 * @module base/format
 */

const UNKNOWN = 'unknown';
const BYTE_UNITS = ['B', 'kB', 'MB', 'GB', 'TB', 'PB'] as const;

/** Decimal units, three significant digits: `512 B`, `1.50 kB`, `323 MB`. */
export function formatBytes(bytes: number | null): string {
  if (bytes === null || !Number.isFinite(bytes)) return UNKNOWN;
  let unit = 0;
  let size = Math.abs(bytes);
  // 999.5 would be printed as 1000 of the same unit.
  while (size >= 999.5 && unit < BYTE_UNITS.length - 1) {
    size /= 1000;
    unit++;
  }
  return `${bytes < 0 ? '-' : ''}${unit === 0 ? Math.round(size) : significant(size)} ${BYTE_UNITS[unit]}`;
}

/** `0.4 ms`, `850 ms`, `1.23 s`, `2 min 05 s`, `3 h 04 min`, `2 d 03 h`. */
export function formatDuration(ms: number | null): string {
  if (ms === null || !Number.isFinite(ms)) return UNKNOWN;
  if (ms < 0) return `-${formatDuration(-ms)}`;
  if (ms < 999.5) return `${ms < 10 && !Number.isInteger(ms) ? ms.toFixed(1) : Math.round(ms)} ms`;
  if (ms < 59_950) return `${significant(ms / 1000)} s`;
  const seconds = Math.round(ms / 1000);
  if (seconds < 3600) return pair(seconds, 60, 'min', 's');
  const minutes = Math.round(seconds / 60);
  if (minutes < 24 * 60) return pair(minutes, 60, 'h', 'min');
  return pair(Math.round(minutes / 60), 24, 'd', 'h');
}

/**
 * What to do about something that begins in the future: mostly one of two clocks is wrong, and nobody can tell which.
 *
 * @param from ms since 1970
 */
export function aheadText(from: number, now: number): string {
  return `which is ${formatDuration(from - now)} ahead of this machine's clock (${new Date(now).toISOString()}). Unless that is meant, check this machine's clock and that of whoever made it`;
}

/** `22.9 tok/s`, `0.05 tok/s`. `perSecond` counts units in one second. */
export function formatRate(perSecond: number | null, unit: string): string {
  if (perSecond === null || !Number.isFinite(perSecond)) return UNKNOWN;
  return `${Math.abs(perSecond) >= 1000 ? formatCount(Math.round(perSecond)) : significant(perSecond)} ${unit}/s`;
}

/** `3.40 MB/s`. */
export function formatByteRate(bytesPerSecond: number | null): string {
  return bytesPerSecond === null || !Number.isFinite(bytesPerSecond)
    ? UNKNOWN
    : `${formatBytes(bytesPerSecond)}/s`;
}

/** Digits in groups of three: `1,234,567`. The same on every machine, whatever its locale. */
export function formatCount(count: number | null): string {
  if (count === null || !Number.isFinite(count)) return UNKNOWN;
  return String(count).replace(/^-?\d+/, (digits) => digits.replace(/\B(?=(\d{3})+$)/g, ','));
}

/** `1 thread`, `2 threads`, `1,000 threads`. */
export function formatPlural(count: number, one: string, many = `${one}s`): string {
  return `${formatCount(count)} ${count === 1 ? one : many}`;
}

/** `34 %`; one decimal under ten. `part` is a fraction. */
export function formatPercent(part: number | null): string {
  if (part === null || !Number.isFinite(part)) return UNKNOWN;
  const percent = part * 100;
  return `${Math.abs(percent) < 9.95 && !Number.isInteger(percent) ? percent.toFixed(1) : Math.round(percent)} %`;
}

function significant(value: number): string {
  const size = Math.abs(value);
  return value.toFixed(size >= 99.95 ? 0 : size >= 9.995 ? 1 : 2);
}

function pair(total: number, base: number, big: string, small: string): string {
  return `${Math.floor(total / base)} ${big} ${String(total % base).padStart(2, '0')} ${small}`;
}
