/**
 * `S`, and quarantine: what confirmed misconduct costs.
 *
 * `S = product over incidents of (1 - 0.5 * 2^(-age / 90 days))`. Beside it, each incident opens a quarantine of
 * 30 * 2^(k - 1) days, at most 365, where k is the number of incidents in the 365 days before it, itself counted.
 *
 * @module trust/score/strikes
 */
import { DAY_MS, decay } from './decay.ts';
import type { Incident } from './inputs.ts';

export const STRIKE_HALF_LIFE_DAYS = 90;
export const STRIKE_COST = 0.5;
export const QUARANTINE_DAYS = 30;
export const QUARANTINE_MAX_DAYS = 365;
/** How far back incidents make a quarantine longer. */
export const RELAPSE_DAYS = 365;

/** `S`, 0 to 1. */
export function strikeTerm(incidents: readonly Incident[], now: number): number {
  return incidents.reduce(
    (product, { at }) => product * (1 - STRIKE_COST * decay(now - at, STRIKE_HALF_LIFE_DAYS)),
    1,
  );
}

/** When the last quarantine ends or ended, ms; null without incidents. */
export function quarantineEnd(incidents: readonly Incident[]): number | null {
  const times = incidents.map(({ at }) => at).sort((a, b) => a - b);
  let end: number | null = null;
  let first = 0;
  for (const [i, at] of times.entries()) {
    while (at - times[first]! >= RELAPSE_DAYS * DAY_MS) first++;
    const days = Math.min(QUARANTINE_MAX_DAYS, QUARANTINE_DAYS * 2 ** (i - first));
    end = Math.max(end ?? 0, at + days * DAY_MS);
  }
  return end;
}
