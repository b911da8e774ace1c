/**
 * Bob's end of `split`: seals vectors into blocks, makes the two halves of a question, and reads scores from the two replies.
 *
 * A block is 192 polynomials b_j = a_j · s + 2^20 · x_j + e_j; coefficient i of x_j is number j of the vector in slot i. Each Eve adds them up
 * by her half of the question, and neither half alone tells anything: one is uniform, and so is the other. What both replies have
 * together is A · s plus the scores, and A Bob knows.
 *
 * A slot is sealed once, under a secret that belongs to the block's name alone, which is drawn when it is sealed: two vectors under one
 * secret and slot would give away their difference, and no count that somebody could turn back stands between.
 *
 * Whether Eve computed rightly is seen twice: 16 canaries in secret slots have to have their scores; and the scores of all slots,
 * weighed by secret numbers, have to make a sum that was noted when the block was sealed. One altered score of any slot passes the sum
 * with a chance of 2^-31.
 *
 * @module vault/split/bob
 */
import { KithError, type Random, toHex } from '../../base/index.ts';
import type { CollectionKeys } from '../keys/keys.ts';
import { createKernel } from './kernel.ts';
import { BLOCK_VECTORS, CANARIES, DIMENSIONS, PLAIN_SHIFT, RING, SCORE_BITS } from './parameters.ts';
import { MAX_LENGTH } from './quantise.ts';
import { canariesOf, errorsOf, publicPolynomial, secretOf, weightsOf } from './stream.ts';

const ROW_BYTES = RING * 4;
/** Bytes of a block at an Eve. */
export const CIPHER_BYTES = DIMENSIONS * ROW_BYTES;
/** Bytes of a half of a question: 12 bits a number. */
export const SHARE_BYTES = (DIMENSIONS * SCORE_BITS) / 8;
/** Bytes of an Eve's reply for one block. */
export const REPLY_BYTES = RING * 2;
const MODULUS = 1 << SCORE_BITS;
const HALF = MODULUS / 2;
/** A prime below 2^31. */
const PRIME = 2_147_483_647;

/** Blocks whose facts are kept: 30 kB each. */
const KEPT_FACTS = 1024;

interface BlockFacts {
  readonly offsets: Uint32Array;
  /** The first so many are added, the others taken off. */
  readonly plus: number;
  readonly weights: Float64Array;
  readonly canaries: { readonly slots: Uint16Array; readonly rows: readonly Int8Array[] };
  /** Slots of the owner's vectors, ascending. */
  readonly free: Uint16Array;
}

/** What Bob keeps of a block: in the sealed manifest. */
export interface BlockCheck {
  /** 32 hex digits, drawn for this block: its secret follows from them. */
  readonly block: string;
  /** Weighed sums of each dimension, modulo 2^31 - 1; u32, little-endian. */
  readonly sums: Uint32Array;
}

export interface SealedBlock extends BlockCheck {
  /** What an Eve gets. */
  readonly cipher: Uint8Array;
}

/** The two halves of a question, and what Bob needs to read the replies. */
export interface SplitQuestion {
  readonly first: Uint8Array;
  readonly second: Uint8Array;
  readonly query: Int8Array;
  /** Sum of the public polynomials, weighed by both halves together. */
  readonly sum: Uint32Array;
}

export interface SplitKeeper {
  /** @param rows of the owner's vectors, 1 to 2032; as `quantise` gives them @param random draws the name of the block */
  seal(rows: readonly Int8Array[], random: Pick<Random, 'bytes'>): SealedBlock;
  /** In which slot each row of a block lies. */
  slots(block: string): Uint16Array;
  /** @param query as `quantise` gives it @param random of the operating system */
  ask(query: Int8Array, random: Pick<Random, 'bytes'>): SplitQuestion;
  /**
   * Scores of the rows of a block.
   *
   * @param first the reply to the first half: 4096 bytes, likewise `second`
   * @throws KithError `vault_altered`: one of the two Eves did not compute what she was asked
   */
  read(question: SplitQuestion, check: BlockCheck, first: Uint8Array, second: Uint8Array): Int16Array;
}

export function createKeeper(keys: Pick<CollectionKeys, 'key'>): SplitKeeper {
  const secretKey = keys.key('secret');
  const noiseKey = keys.key('noise');
  const publicSeed = keys.key('public');
  // [-a | a] of one polynomial for products, its result, lists of offsets; then all public polynomials and factors.
  const [twice, out, lists, factors, publics] = [
    0,
    2 * ROW_BYTES,
    3 * ROW_BYTES,
    5 * ROW_BYTES,
    6 * ROW_BYTES,
  ];
  const kernel = createKernel(publics + DIMENSIONS * ROW_BYTES);
  const { buffer } = kernel.memory;
  const words = (at: number, count: number) => new Uint32Array(buffer, at, count);
  for (let j = 0; j < DIMENSIONS; j++)
    words(publics + j * ROW_BYTES, RING).set(publicPolynomial(publicSeed, j));

  /** a · s modulo X^n + 1, at `out`. */
  function times(a: Uint32Array, listed: readonly [number, number, number]): Uint32Array {
    const both = words(twice, 2 * RING);
    both.set(a, RING);
    for (let i = 0; i < RING; i++) both[i] = -a[i]!;
    kernel.turn(twice, listed[0], listed[1], listed[1], listed[2], ROW_BYTES, out);
    return words(out, RING);
  }

  const facts = new Map<string, BlockFacts>();

  /** What belongs to a block's number. It takes a millisecond to make, so that of those asked for last it is kept. */
  function factsOf(block: string): BlockFacts {
    const known = facts.get(block);
    if (known !== undefined) return known;
    const { plus, minus } = secretOf(secretKey, block);
    const { slots, rows } = canariesOf(noiseKey, block, CANARIES, DIMENSIONS);
    const taken = new Set(slots);
    const made: BlockFacts = {
      // Where the secret is not zero, as offsets into [-a | a].
      offsets: Uint32Array.from([...plus, ...minus], (position) => (RING - position) * 4),
      plus: plus.length,
      weights: weightsOf(noiseKey, block),
      canaries: { slots, rows },
      free: Uint16Array.from(
        Array.from({ length: RING }, (_, slot) => slot).filter((slot) => !taken.has(slot)),
      ),
    };
    if (facts.size >= KEPT_FACTS) facts.delete(facts.keys().next().value!);
    facts.set(block, made);
    return made;
  }

  function list({ offsets, plus }: BlockFacts): [number, number, number] {
    words(lists, offsets.length).set(offsets);
    return [lists, lists + plus * 4, lists + offsets.length * 4];
  }

  return {
    seal(rows, random) {
      const block = toHex(random.bytes(16));
      if (rows.length === 0 || rows.length > BLOCK_VECTORS)
        throw new RangeError(`A block has 1 to ${BLOCK_VECTORS} vectors, not ${rows.length}.`);
      if (
        rows.some(
          (row) => row.length !== DIMENSIONS || row.reduce((sum, v) => sum + v * v, 0) > MAX_LENGTH ** 2,
        )
      )
        throw new RangeError('A vector is none that was quantised.');
      const own = factsOf(block);
      const { slots, rows: known } = own.canaries;
      const { free, weights } = own;
      const bySlot: (Int8Array | undefined)[] = new Array(RING);
      for (const [i, row] of rows.entries()) bySlot[free[i]!] = row;
      for (const [i, row] of known.entries()) bySlot[slots[i]!] = row;
      const listed = list(own);
      const cipher = new Uint32Array(DIMENSIONS * RING);
      const sums = new Uint32Array(DIMENSIONS);
      for (let j = 0; j < DIMENSIONS; j++) {
        const product = times(words(publics + j * ROW_BYTES, RING), listed);
        const errors = errorsOf(noiseKey, block, j);
        let sum = 0;
        for (let i = 0; i < RING; i++) {
          const plain = bySlot[i]?.[j] ?? 0;
          sum += plain * weights[i]!;
          cipher[j * RING + i] = product[i]! + (plain << PLAIN_SHIFT) + errors[i]!;
        }
        sums[j] = modulo(sum);
      }
      return { block, sums, cipher: new Uint8Array(cipher.buffer) };
    },
    slots: (block) => factsOf(block).free,
    ask(query, random) {
      const noise = random.bytes(DIMENSIONS * 2);
      const [first, second, both] = [0, 0, 0].map(() => new Int32Array(DIMENSIONS)) as [
        Int32Array,
        Int32Array,
        Int32Array,
      ];
      for (let j = 0; j < DIMENSIONS; j++) {
        const drawn = (noise[2 * j]! | (noise[2 * j + 1]! << 8)) & (MODULUS - 1);
        first[j] = centred(drawn);
        second[j] = centred((query[j]! - first[j]!) & (MODULUS - 1));
        both[j] = first[j]! + second[j]!;
      }
      new Int32Array(buffer, factors, DIMENSIONS).set(both);
      kernel.multiply(publics, factors, DIMENSIONS, ROW_BYTES, out);
      const sum = words(out, RING).slice();
      return { first: packShare(first), second: packShare(second), query, sum };
    },
    read(question, check, first, second) {
      const { block, sums } = check;
      if (first.length !== REPLY_BYTES || second.length !== REPLY_BYTES) throw altered(block);
      const own = factsOf(block);
      const { weights } = own;
      const product = times(question.sum, list(own));
      const scores = new Int16Array(RING);
      let weighed = 0;
      for (let i = 0; i < RING; i++) {
        const a = first[2 * i]! | (first[2 * i + 1]! << 8);
        const b = second[2 * i]! | (second[2 * i + 1]! << 8);
        const height = (a + b + 1 - (product[i]! >>> 16)) & 0xffff;
        const score = centred(((height + 8) >> 4) & (MODULUS - 1));
        scores[i] = score;
        weighed += score * weights[i]!;
      }
      let wanted = 0;
      for (let j = 0; j < DIMENSIONS; j++) wanted += sums[j]! * question.query[j]!;
      const { slots, rows } = own.canaries;
      const canary = (i: number) =>
        rows[i]!.reduce((sum, value, j) => sum + value * question.query[j]!, 0) === scores[slots[i]!];
      if (modulo(weighed) !== modulo(wanted) || !slots.every((_, i) => canary(i))) throw altered(block);
      const out = new Int16Array(BLOCK_VECTORS);
      for (let i = 0; i < out.length; i++) out[i] = scores[own.free[i]!]!;
      return out;
    },
  };
}

const centred = (value: number): number => (value >= HALF ? value - MODULUS : value);

/** Of a whole number within ±2^53. */
const modulo = (value: number): number => ((value % PRIME) + PRIME) % PRIME;

/** Two numbers of 12 bits in three bytes. */
export function packShare(share: Int32Array): Uint8Array {
  const out = new Uint8Array(SHARE_BYTES);
  for (let i = 0; i < share.length; i += 2) {
    const a = share[i]! & 0xfff;
    const b = share[i + 1]! & 0xfff;
    out.set([a & 0xff, (a >> 8) | ((b & 0xf) << 4), b >> 4], (i / 2) * 3);
  }
  return out;
}

export function unpackShare(bytes: Uint8Array): Int32Array {
  const out = new Int32Array(DIMENSIONS);
  for (let i = 0; i < out.length; i += 2) {
    const [a, b, c] = bytes.subarray((i / 2) * 3, (i / 2) * 3 + 3) as unknown as [number, number, number];
    out[i] = centred(a | ((b & 0xf) << 8));
    out[i + 1] = centred((b >> 4) | (c << 4));
  }
  return out;
}

function altered(block: string): KithError {
  return new KithError(
    'vault_altered',
    `The scores of block ${block} are not those of what was sealed: one of the two Eves computed something else. They are not used; other replicas are asked.`,
    { status: 502, details: { block } },
  );
}
