/**
 * Scale and perturb: vectors that are still near to each other when they were, which is all the scheme promises and just what gives them away.
 *
 * It is SAP of Fuchsbauer, Ghosal, Hauke and O'Neill ("Approximate Distance-Comparison-Preserving Symmetric Encryption", 2021, section 5):
 * c = s·m + λ, with a secret scale s, and λ uniform in a ball of radius s·β/4, drawn by a pseudorandom function of a nonce. Two things are
 * added. A secret rotation comes first: without it c points where m does, so that whoever has a list of candidates or a model that inverts embeddings needs
 * no known pair at all (distances stay, so that a search finds the same). And the nonce follows from the vector, so that putting one
 * again does not give a second noise, by which the first is averaged away; equal vectors look equal. (Keys of a new epoch do give one.)
 *
 * @module vault/perturbed/sap
 */
import { createCipheriv, createHmac, hkdfSync } from 'node:crypto';
import { KEY_BYTES } from '../keys/keys.ts';
import { NOISE } from './parameters.ts';

/** Turns vectors of one length into perturbed ones. */
export interface Perturber {
  /** The secret scale: 1 to 256. */
  readonly scale: number;
  /** A vector of as many numbers, in units of the scale. */
  perturb(vector: Float32Array): Float32Array;
  /** The rotation alone. */
  rotate(vector: Float32Array): Float64Array;
}

/** Each pairs all numbers anew: after twice the logarithm of the dimension every number depends on every other. */
const roundsFor = (dimension: number): number => 2 * Math.ceil(Math.log2(Math.max(2, dimension)));

interface Round {
  /** Numbers 2i and 2i + 1 of this order are turned into each other. */
  readonly order: Uint16Array;
  readonly cosines: Float64Array;
  readonly sines: Float64Array;
}

/** @param key 32 bytes: `perturb` of the collection's epoch @param noise radius as a share of a length of 1 */
export function createPerturber(key: Uint8Array, dimension: number, noise = NOISE): Perturber {
  const [scaleKey, turnKey, nonceKey, noiseKey] = ['scale', 'turn', 'nonce', 'noise'].map((use) =>
    below(key, use),
  ) as [Uint8Array, Uint8Array, Uint8Array, Uint8Array];
  const scale = 2 ** (8 * uniform(words(scaleKey, ZERO, 1)[0]!));
  const rounds = roundsOf(turnKey, dimension);
  // Pairs of normal numbers take two words each, the radius one.
  const pairs = Math.ceil(dimension / 2);

  function rotate(vector: Float32Array): Float64Array {
    const out = Float64Array.from(vector);
    for (const { order, cosines, sines } of rounds)
      for (let i = 0; i + 1 < dimension; i += 2) {
        const a = order[i]!;
        const b = order[i + 1]!;
        const c = cosines[i >> 1]!;
        const s = sines[i >> 1]!;
        const x = out[a]!;
        const y = out[b]!;
        out[a] = c * x - s * y;
        out[b] = s * x + c * y;
      }
    return out;
  }

  return {
    scale,
    rotate,
    perturb(vector) {
      if (vector.length !== dimension) throw new RangeError(`A vector has ${dimension} numbers.`);
      const bytes = new Uint8Array(vector.buffer, vector.byteOffset, vector.byteLength);
      const nonce = createHmac('sha256', nonceKey).update(bytes).digest().subarray(0, ZERO.length);
      const drawn = words(noiseKey, nonce, 2 * pairs + 1);
      const direction = normals(drawn, dimension);
      let squares = 0;
      for (const value of direction) squares += value * value;
      // Uniform in the ball: the direction of a normal vector, and the root of as many degrees of a uniform number.
      const radius = noise * uniform(drawn[2 * pairs]!) ** (1 / dimension);
      const factor = radius / Math.sqrt(squares);
      const turned = rotate(vector);
      const out = new Float32Array(dimension);
      for (let i = 0; i < dimension; i++) out[i] = scale * (turned[i]! + factor * direction[i]!);
      return out;
    },
  };
}

const ZERO = new Uint8Array(16);

const below = (key: Uint8Array, use: string): Uint8Array =>
  new Uint8Array(hkdfSync('sha256', key, new Uint8Array(0), `kith-perturb-v1/${use}`, KEY_BYTES));

/** AES-256 in counter mode from the nonce on. */
function words(key: Uint8Array, nonce: Uint8Array, count: number): Uint32Array {
  const stream = createCipheriv('aes-256-ctr', key, nonce).update(new Uint8Array(count * 4));
  return new Uint32Array(Uint8Array.from(stream).buffer);
}

/** Above 0, at most 1. */
const uniform = (word: number): number => (word + 1) / 2 ** 32;

/** Box and Muller (1958). */
function normals(drawn: Uint32Array, count: number): Float64Array {
  const out = new Float64Array(count);
  for (let i = 0; i < count; i += 2) {
    const length = Math.sqrt(-2 * Math.log(uniform(drawn[i]!)));
    const angle = 2 * Math.PI * uniform(drawn[i + 1]!);
    out[i] = length * Math.cos(angle);
    if (i + 1 < count) out[i + 1] = length * Math.sin(angle);
  }
  return out;
}

/** A walk over rotations of two numbers at a time. */
function roundsOf(key: Uint8Array, dimension: number): Round[] {
  const pairs = dimension >> 1;
  return Array.from({ length: roundsFor(dimension) }, (_, round) => {
    const nonce = Buffer.alloc(ZERO.length);
    nonce.writeUInt32LE(round + 1);
    const drawn = words(key, nonce, dimension + pairs);
    const order = Uint16Array.from({ length: dimension }, (__, i) => i).sort(
      (a, b) => drawn[a]! - drawn[b]! || a - b,
    );
    const angles = Float64Array.from(drawn.subarray(dimension), (word) => 2 * Math.PI * uniform(word));
    return { order, cosines: angles.map(Math.cos), sines: angles.map(Math.sin) };
  });
}
