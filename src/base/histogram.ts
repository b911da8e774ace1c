/**
 * Counts of numbers in buckets that widen with the number, so that quantiles come out with the same relative error
 * for microseconds and for hours. Observing is a few nanoseconds and allocates nothing.
 *
 * Each power of two is cut into 16 equal buckets, (low, high]: a quantile is at most 6.25 % from the true one. The index is
 * the exponent and the top four bits of the mantissa of the double itself (IEEE 754), so no logarithm is computed.
 *
 * @module base/histogram
 */

const stepsPerOctave = 16;
const lowestExponent = -6;
const highestExponent = 22;
/** Numbers up to 2^-6 fall into bucket 0. */
const buckets = (highestExponent - lowestExponent) * stepsPerOctave + 1;
/** Bits of 2^-6 from the 17th of the high word on: what bucket 0 ends with. */
const offset = (1023 + lowestExponent) * stepsPerOctave - 1;

const float = new Float64Array(1);
const words = new Uint32Array(float.buffer);
const high = new Uint8Array(new Uint16Array([1]).buffer)[0] === 1 ? 1 : 0;

/** Bucket of a number. Zero, negative numbers and NaN fall into the first, what is over 2^22 into the last. */
function bucketOf(value: number): number {
  if (!(value > 2 ** lowestExponent)) return 0;
  if (value > 2 ** highestExponent) return buckets - 1;
  float[0] = value;
  const top = words[high]!;
  // An exact bound belongs to the bucket below it: Prometheus counts what is less than or equal.
  const exact = words[1 - high] === 0 && (top & 0xffff) === 0;
  return (top >>> 16) - offset - (exact ? 1 : 0);
}

/** Upper bound of a bucket. */
function upperOf(bucket: number): number {
  const octave = Math.floor(bucket / stepsPerOctave);
  return 2 ** (lowestExponent + octave) * (1 + (bucket % stepsPerOctave) / stepsPerOctave);
}

/** Bounds at which cumulative counts are exact: 2^-6, 2^-5, ... 2^22. */
export function isExactBound(value: number): boolean {
  const exponent = Math.log2(value);
  return Number.isInteger(exponent) && exponent >= lowestExponent && exponent <= highestExponent;
}

export class Histogram {
  readonly counts = new Uint32Array(buckets);
  count = 0;
  sum = 0;
  /** Greatest number observed; 0 without any. */
  max = 0;

  observe(value: number): void {
    const bucket = bucketOf(value);
    this.counts[bucket] = this.counts[bucket]! + 1;
    this.count++;
    this.sum += value;
    if (value > this.max) this.max = value;
  }

  /** Adds what another one counted. */
  add(other: Histogram): void {
    if (other.count === 0) return;
    for (let bucket = 0; bucket < buckets; bucket++)
      this.counts[bucket] = this.counts[bucket]! + other.counts[bucket]!;
    this.count += other.count;
    this.sum += other.sum;
    this.max = Math.max(this.max, other.max);
  }

  clear(): void {
    this.counts.fill(0);
    this.count = 0;
    this.sum = 0;
    this.max = 0;
  }

  /** The number that a share `q` (0 to 1) of all is at or below, interpolated within its bucket; null without any. */
  quantile(q: number): number | null {
    if (this.count === 0) return null;
    const rank = Math.min(Math.max(q, 0), 1) * this.count;
    let below = 0;
    for (let bucket = 0; bucket < buckets; bucket++) {
      const here = this.counts[bucket]!;
      if (here === 0 || below + here < rank) {
        below += here;
        continue;
      }
      const from = bucket === 0 ? 0 : upperOf(bucket - 1);
      const value = from + (upperOf(bucket) - from) * Math.max(0, (rank - below) / here);
      return Math.min(value, this.max);
    }
    return this.max;
  }

  /** How many are at or below a bound, one for each bound. `bounds` ascend and are exact ones (`isExactBound`). */
  cumulative(bounds: readonly number[]): number[] {
    const result: number[] = [];
    let bucket = 0;
    let sum = 0;
    for (const bound of bounds) {
      const last = bucketOf(bound);
      for (; bucket <= last; bucket++) sum += this.counts[bucket]!;
      result.push(sum);
    }
    return result;
  }
}

/** Slots of the sliding window. */
const slots = 10;

/** A histogram of everything since the start, and of the last minutes. */
export class RecentHistogram {
  readonly total = new Histogram();
  readonly #slotMs: number;
  /** Made when first needed, then used again and again. */
  readonly #slots: (Histogram | undefined)[] = new Array(slots).fill(undefined);
  /** Slot that is written now, counted from time 0. */
  #at = 0;
  #until = Number.NEGATIVE_INFINITY;

  /** The window is made of ten slots: it covers between nine tenths of `windowMs` and all of it. */
  constructor(windowMs: number) {
    this.#slotMs = windowMs / slots;
  }

  /** `now`: monotonic ms, never going back. */
  observe(value: number, now: number): void {
    if (now >= this.#until) this.#move(now);
    this.total.observe(value);
    this.#slots[this.#at % slots]!.observe(value);
  }

  /** Adds what was observed within the window to `into`. */
  addRecent(into: Histogram, now: number): void {
    const first = Math.floor(now / this.#slotMs) - slots + 1;
    for (let at = Math.max(first, this.#at - slots + 1); at <= this.#at; at++) {
      const slot = at < 0 ? undefined : this.#slots[at % slots];
      if (slot !== undefined) into.add(slot);
    }
  }

  /** What was observed within the window. */
  recent(now: number): Histogram {
    const sum = new Histogram();
    this.addRecent(sum, now);
    return sum;
  }

  #move(now: number): void {
    const at = Math.floor(now / this.#slotMs);
    // What was written a whole turn ago, or was skipped, is no longer recent.
    for (let old = Math.max(this.#at + 1, at - slots + 1); old <= at; old++)
      this.#slots[old % slots]?.clear();
    this.#at = at;
    this.#until = (at + 1) * this.#slotMs;
    this.#slots[at % slots] ??= new Histogram();
  }
}
