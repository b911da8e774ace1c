/**
 * When a server wants to be asked again, from wherever it says so.
 *
 * Read in this order: `retry-after-ms`; `retry-after` as seconds or as an HTTP date (RFC 9110, section 10.2.3); Gemini's
 * `RetryInfo.retryDelay` ("34.07s"); `retry_after` (seconds) or `retry_after_ms` in the body; the sentences "try again in
 * 6m0.5s" and "retry after 15 seconds".
 *
 * @module gateway/upstream/retry-after
 */
import type { Headers } from './wire/index.ts';

/** Nothing is believed beyond a day. */
const MAX_MS = 86_400_000;
/** Values looked at inside a body. */
const maxValues = 200;

/**
 * ms from now, 0 or more; null when nothing is said.
 *
 * @param now ms since the epoch
 */
export function retryAfterOf(headers: Headers, body: unknown, message: string, now: number): number | null {
  const ms = numberOf(text(headers['retry-after-ms']));
  if (ms !== null) return bounded(ms);
  const after = text(headers['retry-after']);
  const seconds = numberOf(after);
  if (seconds !== null) return bounded(seconds * 1000);
  if (after !== null && !Number.isNaN(Date.parse(after))) return bounded(Date.parse(after) - now);
  return inBody(body) ?? inSentence(message);
}

function inBody(body: unknown): number | null {
  const pending: unknown[] = [body];
  for (let seen = 0; pending.length > 0 && seen < maxValues; seen++) {
    const value = pending.shift();
    if (typeof value !== 'object' || value === null) continue;
    for (const [key, each] of Object.entries(value).slice(0, maxValues)) {
      if (key === 'retryDelay' && typeof each === 'string') {
        const ms = durationOf(each);
        if (ms !== null) return bounded(ms);
      }
      if (key === 'retry_after_ms' && typeof each === 'number') return bounded(each);
      if ((key === 'retry_after' || key === 'retryAfter') && typeof each === 'number')
        return bounded(each * 1000);
      if (typeof each === 'object') pending.push(each);
    }
  }
  return null;
}

function inSentence(message: string): number | null {
  const match =
    /\b(?:try|retry)(?: again)? (?:in|after) ((?:\d{1,6}(?:\.\d{1,9})? ?(?:milliseconds?|ms|seconds?|secs?|minutes?|mins?|hours?|[hms])\b ?)+|(?:\d{1,6}(?:\.\d{1,9})?(?:ms|h|m|s))+)/i.exec(
      message.slice(0, 4000),
    );
  const ms = match?.[1] === undefined ? null : durationOf(match[1]);
  return ms === null ? null : bounded(ms);
}

const UNITS: readonly (readonly [RegExp, number])[] = [
  [/^(?:ms|milli)/i, 1],
  [/^s/i, 1000],
  [/^m/i, 60_000],
  [/^h/i, 3_600_000],
];

/** `1m2.5s`, `20ms`, `15 seconds` in ms; null for anything else. */
function durationOf(value: string): number | null {
  let total: number | null = null;
  for (const [, amount, unit] of value.slice(0, 100).matchAll(/(\d{1,9}(?:\.\d{1,9})?) ?([a-z]+)/gi)) {
    const factor = UNITS.find(([pattern]) => pattern.test(unit!))?.[1];
    if (factor === undefined) return null;
    total = (total ?? 0) + Number(amount) * factor;
  }
  return total;
}

function text(value: string | string[] | undefined): string | null {
  const first = Array.isArray(value) ? value[0] : value;
  return first === undefined || first.trim() === '' ? null : first.trim();
}

function numberOf(value: string | null): number | null {
  return value !== null && /^\d{1,12}(?:\.\d{1,9})?$/.test(value) ? Number(value) : null;
}

function bounded(ms: number): number {
  return Math.min(Math.max(0, Math.ceil(ms)), MAX_MS);
}
