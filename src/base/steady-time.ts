/**
 * Time that a wrong clock cannot push: what ages observations, incidents, quarantines and receipts of work.
 *
 * It goes with the wall clock while that moves by plausible steps: forwards, by at most a week between two looks. A larger
 * step, or one backwards, does not move it at first. When the clock comes back to where it was, nothing has happened; when
 * it stands by its new time for a day, it is believed. So a clock that is decades ahead for an hour neither wipes what was
 * seen nor ends a quarantine, and one that starts in 1970 stops nothing from ageing once it is set.
 *
 * @module base/steady-time
 */

const DAY_MS = 86_400_000;

/** The longest pause between two looks that is taken as it comes. */
export const PLAUSIBLE_STEP_MS = 7 * DAY_MS;
/** How long the clock has to go on from a jump before the jump is believed. */
export const BELIEVED_AFTER_MS = DAY_MS;

export interface SteadyTime {
  /** ms since 1970 as far as believed. */
  readonly steady: number;
  /** What the wall clock said last. */
  readonly wall: number;
  /** For how long it has moved by plausible steps, ms. */
  readonly agreed: number;
}

export function startedAt(wall: number): SteadyTime {
  return { steady: wall, wall, agreed: BELIEVED_AFTER_MS };
}

/** The time after a look at the wall clock. */
export function ticked(before: SteadyTime, wall: number): SteadyTime {
  const step = wall - before.wall;
  const isPlausible = step >= 0 && step <= PLAUSIBLE_STEP_MS;
  const agreed = isPlausible ? Math.min(BELIEVED_AFTER_MS, before.agreed + step) : 0;
  const steady = isPlausible ? before.steady + step : before.steady;
  const behind = wall - steady;
  const isNear = behind >= 0 && behind <= PLAUSIBLE_STEP_MS;
  return { steady: isNear || agreed >= BELIEVED_AFTER_MS ? wall : steady, wall, agreed };
}
