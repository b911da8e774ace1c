/**
 * The parameters of `perturbed`, all in one place, and the words that have to stand wherever it shows.
 *
 * **This is weak, and no choice of parameters makes it strong.** At any noise at which a search still finds things, some hundred known pairs of
 * a vector and what became of it tell nearly all others: `kith vpk bench` measures it. It is here for programs that can search plain
 * vectors and nothing else.
 *
 * @module vault/perturbed/parameters
 */

/**
 * Longest noise, as a share of the length of a vector of length 1: β/4 of the scheme. At 0.25 the exact ten are among the nearest 100 of
 * some ten thousand; at 0.5 and more they leave, and a known-pair attack hardly gets worse.
 */
export const NOISE = 0.25;
/** Rows that an Eve names for each hit that is wanted, at least so many and at most so many. */
export const OVER_FETCH = { factor: 8, least: 60, most: 256 } as const;

export const WEAK_LABEL = 'weak';
export const WEAK_WARNING =
  "The mode 'perturbed' is weak: it hides text from casual inspection, not from the operator. Who knows some hundred of your passages finds out nearly all vectors and questions, and a vector tells much of its text. Keep what must not leak 'sealed'.";
