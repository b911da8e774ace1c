/** Half-lives. @module trust/score/decay */

export const DAY_MS = 86_400_000;

/** `2^(-age / half-life)`: 1 for what is new, or dated in the future. */
export function decay(ageMs: number, halfLifeDays: number): number {
  return ageMs <= 0 ? 1 : 2 ** (-ageMs / (halfLifeDays * DAY_MS));
}
