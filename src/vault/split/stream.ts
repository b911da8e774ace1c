/**
 * Randomness that can be made again: AES-256 in counter mode under a key of its own for each use (NIST SP 800-38A section 6.5). What
 * is drawn is never written down.
 *
 * @module vault/split/stream
 */
import { createCipheriv, hkdfSync } from 'node:crypto';
import { ERROR_BITS, RING } from './parameters.ts';

/** `length` bytes of the stream that belongs to key and use. */
export function streamOf(key: Uint8Array, use: string, length: number): Uint8Array {
  const own = new Uint8Array(
    hkdfSync('sha256', key, Buffer.alloc(0), Buffer.from(`kith-split-v1/${use}`), 32),
  );
  const cipher = createCipheriv('aes-256-ctr', own, new Uint8Array(16));
  const made = cipher.update(new Uint8Array(length));
  // Numbers are read from it: a copy begins at a boundary of 8 bytes.
  return Uint8Array.from(made);
}

/** Polynomial of dimension `j`: uniform numbers modulo 2^32. Not secret by itself, but only its owner needs it. */
export const publicPolynomial = (seed: Uint8Array, j: number): Uint32Array =>
  new Uint32Array(streamOf(seed, `public/${j}`, RING * 4).buffer);

/** Where a secret is 1 and where it is -1; it is 0 elsewhere. */
export interface Secret {
  /** Ascending. */
  readonly plus: Uint16Array;
  readonly minus: Uint16Array;
}

/** Uniform over {-1, 0, 1} by rejection: bytes below 255 modulo 3. */
export function secretOf(key: Uint8Array, block: string): Secret {
  const plus: number[] = [];
  const minus: number[] = [];
  // 1 in 256 is refused: with 64 more than needed it is never too short in practice, and then longer ones are drawn.
  for (let length = RING + 64; ; length *= 2) {
    const bytes = streamOf(key, `secret/${block}`, length);
    let made = 0;
    plus.length = 0;
    minus.length = 0;
    for (let at = 0; at < length && made < RING; at++) {
      const byte = bytes[at]!;
      if (byte === 255) continue;
      const value = byte % 3;
      if (value === 1) plus.push(made);
      else if (value === 2) minus.push(made);
      made += 1;
    }
    if (made === RING) return { plus: Uint16Array.from(plus), minus: Uint16Array.from(minus) };
  }
}

const HALF = ERROR_BITS / 2;
const MASK = 2 ** HALF - 1;

/** Bits that are set, of 32. */
function weight(bits: number): number {
  let v = bits - ((bits >>> 1) & 0x5555_5555);
  v = (v & 0x3333_3333) + ((v >>> 2) & 0x3333_3333);
  return (((v + (v >>> 4)) & 0x0f0f_0f0f) * 0x0101_0101) >>> 24;
}

/** Errors of one polynomial, centred binomial: 21 bits less 21 bits. */
export function errorsOf(key: Uint8Array, block: string, j: number): Int8Array {
  const words = new Uint32Array(streamOf(key, `error/${block}/${j}`, RING * 8).buffer);
  const out = new Int8Array(RING);
  for (let i = 0; i < RING; i++) out[i] = weight(words[2 * i]! & MASK) - weight(words[2 * i + 1]! & MASK);
  return out;
}

/** Secret weights of a block's check, below 2^30. */
export function weightsOf(key: Uint8Array, block: string): Float64Array {
  const words = new Uint32Array(streamOf(key, `weights/${block}`, RING * 4).buffer);
  return Float64Array.from(words, (word) => word >>> 2);
}

/** Which slots of a block hold canaries, ascending, and their numbers: small ones in all dimensions. */
export function canariesOf(
  key: Uint8Array,
  block: string,
  count: number,
  dimensions: number,
): { readonly slots: Uint16Array; readonly rows: readonly Int8Array[] } {
  const draw = new Uint32Array(streamOf(key, `canary/slots/${block}`, RING * 4).buffer);
  // Those with the smallest draws: every selection is as likely.
  const slots = Uint16Array.from(
    Array.from(draw.keys())
      .sort((a, b) => draw[a]! - draw[b]! || a - b)
      .slice(0, count)
      .sort((a, b) => a - b),
  );
  const bytes = streamOf(key, `canary/rows/${block}`, count * dimensions);
  const rows = Array.from(slots, (_, c) =>
    Int8Array.from(bytes.subarray(c * dimensions, (c + 1) * dimensions), (byte) => (byte % 5) - 2),
  );
  return { slots, rows };
}
