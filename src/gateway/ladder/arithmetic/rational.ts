/**
 * Exact fractions of bounded size.
 *
 * @module gateway/ladder/arithmetic/rational
 */

/** In lowest terms, `d` > 0. */
export interface Rational {
  readonly n: bigint;
  readonly d: bigint;
}

/** Bits of a numerator or denominator: about 1,200 digits. */
export const MAX_BITS = 4096;
const MAX_FACTORIAL = 1000n;

const abs = (x: bigint): bigint => (x < 0n ? -x : x);
/** Bits of |x|, rounded up to a multiple of four. */
const bits = (x: bigint): number => abs(x).toString(16).length * 4;

function gcd(a: bigint, b: bigint): bigint {
  let [x, y] = [abs(a), abs(b)];
  while (y !== 0n) [x, y] = [y, x % y];
  return x;
}

/** Null: the denominator is 0, or the result is too large. */
export function rational(n: bigint, d = 1n): Rational | null {
  if (d === 0n) return null;
  if (bits(n) > 2 * MAX_BITS + 8 || bits(d) > 2 * MAX_BITS + 8) return null;
  const divisor = gcd(n, d) * (d < 0n ? -1n : 1n);
  const reduced = { n: n / divisor, d: d / divisor };
  return bits(reduced.n) > MAX_BITS || bits(reduced.d) > MAX_BITS ? null : reduced;
}

export const add = (a: Rational, b: Rational) => rational(a.n * b.d + b.n * a.d, a.d * b.d);
export const subtract = (a: Rational, b: Rational) => rational(a.n * b.d - b.n * a.d, a.d * b.d);
export const multiply = (a: Rational, b: Rational) => rational(a.n * b.n, a.d * b.d);
export const divide = (a: Rational, b: Rational) => rational(a.n * b.d, a.d * b.n);

/**
 * The remainder of whole numbers, the first not negative and the second positive. Null for all others: languages and
 * calculators disagree about their remainders.
 */
export function remainder(a: Rational, b: Rational): Rational | null {
  if (a.d !== 1n || b.d !== 1n || a.n < 0n || b.n <= 0n) return null;
  return { n: a.n % b.n, d: 1n };
}

/** Whole exponents only. Null also for 0 to the power of 0, about which conventions disagree. */
export function power(base: Rational, exponent: Rational): Rational | null {
  if (exponent.d !== 1n) return null;
  if (base.n === 0n) return exponent.n > 0n ? base : null;
  const times = abs(exponent.n);
  // 1 and -1 stay small whatever the exponent.
  if (abs(base.n) === 1n && base.d === 1n) return { n: times % 2n === 0n ? 1n : base.n, d: 1n };
  if (times > BigInt(MAX_BITS)) return null;
  // A number of b bits has at least (b - 1) × times bits as a power; `bits` is up to 4 too high.
  const smallest = Math.max(bits(base.n), bits(base.d)) - 4;
  if (smallest * Number(times) > MAX_BITS) return null;
  const [n, d] = [base.n ** times, base.d ** times];
  return exponent.n >= 0n ? rational(n, d) : rational(d, n);
}

export function factorial(x: Rational): Rational | null {
  if (x.d !== 1n || x.n < 0n || x.n > MAX_FACTORIAL) return null;
  let product = 1n;
  for (let factor = 2n; factor <= x.n; factor++) {
    product *= factor;
    if (bits(product) > MAX_BITS) return null;
  }
  return { n: product, d: 1n };
}

/** The greatest whole number whose square is at most `x`, which is not negative. */
export function isqrt(x: bigint): bigint {
  if (x < 2n) return x;
  // Newton's method from above: falls until it is there.
  let guess = 1n << BigInt(Math.ceil((bits(x) + 1) / 2));
  for (;;) {
    const next = (guess + x / guess) >> 1n;
    if (next >= guess) return guess;
    guess = next;
  }
}

/** Null where the root is no fraction. */
export function exactRoot(x: Rational): Rational | null {
  if (x.n < 0n) return null;
  const [n, d] = [isqrt(x.n), isqrt(x.d)];
  return n * n === x.n && d * d === x.d ? { n, d } : null;
}
