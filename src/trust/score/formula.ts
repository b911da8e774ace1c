/**
 * The score: `T = M * S * A * [C + (1 - C) * 0.35 * r']` with `r' = r + (1 - c) * 0.25 * p`.
 *
 * Credentials and conduct fill each other's gap; conduct alone brings at most 0.35, and rank alone, where nothing was seen
 * yet, a quarter of that.
 *
 * @module trust/score/formula
 */

export const CONDUCT_WEIGHT = 0.35;
export const RANK_WEIGHT = 0.25;

export interface ScoreParts {
  /** `C` */
  readonly credentials: number;
  /** `r` */
  readonly observations: number;
  /** `c` */
  readonly confidence: number;
  /** `p` */
  readonly rank: number;
  /** `M` */
  readonly moderation: number;
  /** `S` */
  readonly strikes: number;
  /** `A` */
  readonly accountability: number;
}

/** `T`, 0 to 1. */
export function combine(parts: ScoreParts): number {
  const conduct = parts.observations + (1 - parts.confidence) * RANK_WEIGHT * parts.rank;
  const earned = parts.credentials + (1 - parts.credentials) * CONDUCT_WEIGHT * conduct;
  return parts.moderation * parts.strikes * parts.accountability * earned;
}
