/**
 * The parameters of `split`, all in one place.
 *
 * | | |
 * |---|---|
 * | Ring | Z_q[X]/(X^n + 1), n = 2048, q = 2^32 |
 * | Secret | ternary, uniform in {-1, 0, 1}, one for each block |
 * | Error | centred binomial of 42 bits: standard deviation sqrt(42/4) = 3.24 |
 * | Public polynomials | one for each dimension, shared by all blocks of a collection |
 * | Plain numbers | scores within ±2047: t = 2^12 |
 * | Security, by the tables of the Homomorphic Encryption Standard (Albrecht et al., 2018) for ternary secrets at n = 2048 | log q may be 54 for 128 bits, 37 for 192 bits (classical), 51 and 35 (quantum); here it is 32 |
 *
 * **This awaits independent review.** A modulus that is a power of two and public polynomials that many secrets share are both
 * known from the literature (module and multi-secret learning with errors), but nobody beside its makers has looked at this
 * combination, and no lattice estimator was run for it. Wherever `split` shows, it says so.
 *
 * @module vault/split/parameters
 */

/** Coefficients of a polynomial: vectors of a block. */
export const RING = 2048;
/** Scores are numbers modulo 2^12, within ±2047. */
export const SCORE_BITS = 12;
/** By how much plain numbers are raised above the error. */
export const PLAIN_SHIFT = 32 - SCORE_BITS;
/** Numbers of a vector are rounded at this scale: a length of 1 becomes 38. */
export const SCALE = 38;
/** Dimensions that vectors are brought to. */
export const DIMENSIONS = 192;
/** Slots of a block that hold secret vectors, to see whether Eve computes rightly. */
export const CANARIES = 16;
/** Vectors of the owner in a block. */
export const BLOCK_VECTORS = RING - CANARIES;
/** Bits of an error sample: half of them are added, half taken off. */
export const ERROR_BITS = 42;

export const REVIEW_WARNING =
  "The mode 'split' awaits independent review: its parameters are within the published tables (2048 coefficients, 32-bit modulus), but no cryptographer outside this project has examined them. Keep what must not leak in 'sealed'.";
