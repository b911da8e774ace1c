/**
 * `A`: whoever endorses shares the loss.
 *
 * `A = max(0.5, product over endorsees of (1 - 0.10 * min(1, 20 / n) * 2^(-age / 90 days)))`, over endorsees that were struck
 * while endorsed, by the age of the last such incident; n is how many peers the endorser endorsed then.
 *
 * @module trust/score/accountability
 */
import { decay } from './decay.ts';
import { ENDORSEMENTS_IN_FULL } from './endorsements.ts';
import type { Endorsement, Incident } from './inputs.ts';

export const SHARED_COST = 0.1;
export const SHARED_HALF_LIFE_DAYS = 90;
export const LEAST_ACCOUNTABILITY = 0.5;

/** An endorsee's misconduct while endorsed. */
export interface SharedLoss {
  readonly endorsee: string;
  /** The last incident while endorsed. */
  readonly at: number;
  /** `n`: how many the endorser endorsed then. */
  readonly endorsed: number;
}

/**
 * Losses that an endorser shares. `n` counts only endorsements that were in force and seen by then: endorsing a crowd
 * afterwards, even with an earlier date, thins nothing.
 */
export function sharedLosses(
  given: readonly Endorsement[],
  incidentsOf: (peerId: string) => readonly Incident[],
): SharedLoss[] {
  const last = new Map<string, number>();
  for (const { endorsee, from, until } of given)
    for (const { at } of incidentsOf(endorsee))
      if (at >= from && at < until) last.set(endorsee, Math.max(at, last.get(endorsee) ?? at));
  return [...last].map(([endorsee, at]) => {
    const then = given.filter((each) => at >= each.from && at < each.until && at >= each.seen);
    return { endorsee, at, endorsed: Math.max(1, new Set(then.map((each) => each.endorsee)).size) };
  });
}

/** `A`, 0.5 to 1. */
export function accountabilityTerm(losses: readonly SharedLoss[], now: number): number {
  const product = losses.reduce(
    (left, { at, endorsed }) =>
      left *
      (1 -
        SHARED_COST * Math.min(1, ENDORSEMENTS_IN_FULL / endorsed) * decay(now - at, SHARED_HALF_LIFE_DAYS)),
    1,
  );
  return Math.max(LEAST_ACCOUNTABILITY, product);
}
