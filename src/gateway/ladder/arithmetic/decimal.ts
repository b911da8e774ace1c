/**
 * Fractions and roots as people write them.
 *
 * @module gateway/ladder/arithmetic/decimal
 */
import { isqrt, type Rational } from './rational.ts';

/** Significant digits of what cannot be written exactly. */
export const DIGITS = 12;
/** Decimals of a number that is written out exactly, and digits of each part of a fraction. */
const MAX_EXACT = 40;

/** The decimal expansion, whole; null when it does not end within `maxDecimals`. */
export function exactDecimal({ n, d }: Rational, mark: string, maxDecimals = MAX_EXACT): string | null {
  let decimals = 0;
  let scale = 1n;
  while ((n * scale) % d !== 0n) {
    if (++decimals > maxDecimals) return null;
    scale *= 10n;
  }
  return placed((n * scale) / d, decimals, mark);
}

/** `n/d`; null when it is too long to be of use. */
export function fraction({ n, d }: Rational): string | null {
  const text = `${n}/${d}`;
  return text.length > 2 * MAX_EXACT ? null : text;
}

/** `DIGITS` significant digits of x, rounded half up. x is not 0. */
export function approximately(x: Rational, mark: string): string {
  const size = { n: x.n < 0n ? -x.n : x.n, d: x.d };
  const written = rounded((scale) => scaled(size, scale), exponentOf(size.n, size.d), mark);
  return x.n < 0n ? `-${written}` : written;
}

/** `DIGITS` significant digits of the square root of x > 0, rounded exactly. */
export function rootApproximately(x: Rational, mark: string): string {
  const half = Math.floor(exponentOf(x.n, x.d) / 2);
  // round(√s) = floor((floor(√4s) + 1) / 2), with s = x × 100^scale.
  return rounded(
    (scale) => {
      const [n, d] = scale >= 0 ? [x.n * 100n ** BigInt(scale), x.d] : [x.n, x.d * 100n ** BigInt(-scale)];
      return (isqrt((4n * n) / d) + 1n) / 2n;
    },
    half,
    mark,
  );
}

/** round(x × 10^scale), half up. */
function scaled(x: Rational, scale: number): bigint {
  const [n, d] = scale >= 0 ? [x.n * 10n ** BigInt(scale), x.d] : [x.n, x.d * 10n ** BigInt(-scale)];
  return (2n * n + d) / (2n * d);
}

/** e with 10^e <= n/d < 10^(e+1). */
function exponentOf(n: bigint, d: bigint): number {
  const guess = n.toString().length - d.toString().length;
  const [high, low] = guess >= 0 ? [n, d * 10n ** BigInt(guess)] : [n * 10n ** BigInt(-guess), d];
  return high >= low ? guess : guess - 1;
}

/** @param exponent of the value, or one too low */
function rounded(at: (scale: number) => bigint, exponent: number, mark: string): string {
  let e = exponent;
  let digits = at(DIGITS - 1 - e);
  // Rounded up to the next power of ten, or the exponent was one too low.
  if (digits.toString().length > DIGITS) digits = at(DIGITS - 1 - ++e);
  if (e >= 0 && e < DIGITS) return placed(digits, DIGITS - 1 - e, mark);
  if (e < 0 && e >= -6) return placed(digits, DIGITS - 1 - e, mark);
  return `${placed(digits, DIGITS - 1, mark)} × 10^${e}`;
}

function placed(value: bigint, decimals: number, mark: string): string {
  if (decimals === 0) return value.toString();
  const digits = (value < 0n ? -value : value).toString().padStart(decimals + 1, '0');
  const at = digits.length - decimals;
  return `${value < 0n ? '-' : ''}${digits.slice(0, at)}${mark}${digits.slice(at)}`;
}
