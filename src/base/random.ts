/**
 * Randomness as a parameter. `systemRandom` is the operating system's generator and the only one fit for keys
 * and ids; `createSeededRandom` repeats itself exactly and is fit for tests, sampling and simulations.
 *
 * @module base/random
 */
import { randomFillSync } from 'node:crypto';

export interface Random {
  /** `count` random bytes. */
  bytes(count: number): Uint8Array;
  /** Uniform integer in [0, 2^32). */
  uint32(): number;
  /** Uniform in [0, 1) with 53 random bits. */
  float(): number;
}

const POOL_BYTES = 1024;
/** Ids take a few bytes each; keys and what is longer are drawn by themselves. */
const MAX_POOLED = 16;

/** The operating system's generator. Small draws come from small pools, since each call into it costs about 1 µs. */
export const systemRandom: Random = (() => {
  const pool = new Uint32Array(POOL_BYTES / 4);
  let used = pool.length;
  const uint32 = () => {
    if (used === pool.length) {
      randomFillSync(pool);
      used = 0;
    }
    const value = pool[used]!;
    pool[used++] = 0;
    return value;
  };
  const small = new Uint8Array(POOL_BYTES);
  let taken = small.length;
  return {
    bytes(count) {
      if (count > MAX_POOLED) return randomFillSync(new Uint8Array(count));
      if (taken + count > small.length) {
        randomFillSync(small);
        taken = 0;
      }
      const bytes = small.slice(taken, taken + count);
      small.fill(0, taken, taken + count);
      taken += count;
      return bytes;
    },
    uint32,
    float: () => toFloat(uint32(), uint32()),
  };
})();

/**
 * xoshiro128** 1.1 (Blackman and Vigna, "Scrambled linear pseudorandom number generators", 2018).
 *
 * A number seeds it through SplitMix32 (increment 0x9e3779b9, the murmur3 finaliser), four draws for the four
 * state words; four words set the state directly. `bytes` are the little-endian bytes of successive draws.
 */
export function createSeededRandom(seed: number | readonly [number, number, number, number]): Random {
  const state = typeof seed === 'number' ? splitMix32(seed) : Uint32Array.from(seed);
  // The all-zero state is the one fixed point of the generator.
  if (state.every((word) => word === 0)) state[0] = 1;
  let [a, b, c, d] = state as unknown as [number, number, number, number];
  const uint32 = () => {
    const product = Math.imul(b, 5);
    const result = Math.imul((product << 7) | (product >>> 25), 9) >>> 0;
    const shifted = b << 9;
    c ^= a;
    d ^= b;
    b ^= c;
    a ^= d;
    c ^= shifted;
    d = (d << 11) | (d >>> 21);
    return result;
  };
  return {
    bytes(count) {
      const out = new Uint8Array(count);
      for (let at = 0; at < count; at += 4) {
        const word = uint32();
        for (let byte = 0; byte < 4 && at + byte < count; byte++) out[at + byte] = word >>> (8 * byte);
      }
      return out;
    },
    uint32,
    float: () => toFloat(uint32(), uint32()),
  };
}

function splitMix32(seed: number): Uint32Array {
  let counter = seed >>> 0;
  return Uint32Array.from({ length: 4 }, () => {
    counter = (counter + 0x9e3779b9) >>> 0;
    let word = counter ^ (counter >>> 16);
    word = Math.imul(word, 0x85ebca6b);
    word ^= word >>> 13;
    word = Math.imul(word, 0xc2b2ae35);
    return (word ^ (word >>> 16)) >>> 0;
  });
}

/** 27 bits of one draw and 26 of the other make the 53 bits of a double's mantissa. */
function toFloat(high: number, low: number): number {
  return ((high >>> 5) * 67_108_864 + (low >>> 6)) / 9_007_199_254_740_992;
}
