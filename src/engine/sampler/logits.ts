/**
 * Passes over one row of logits (32,000 to 152,000 floats). Each is a single loop without allocation.
 *
 * Equal logits are ordered by token id, lowest first, everywhere. `-Infinity` means "cannot be chosen"; NaN and
 * `+Infinity` are errors of whoever computed the row.
 *
 * @module engine/sampler/logits
 */
import { KithError } from '../../base/index.ts';

/** @throws KithError `logits_invalid` */
export function invalidLogits(what: string, token: number): never {
  throw new KithError(
    'logits_invalid',
    `The model computed ${what}, so no next token can be chosen. The model file may be damaged or its numbers may overflow; try another quantisation or the CPU device.`,
    { details: { token } },
  );
}

/**
 * Token with the largest logit. Eight comparisons per turn: a vocabulary costs a third of what a plain loop takes,
 * since hardly any turn finds a larger value. NaN fails `<=` as a larger value does.
 */
export function argmax(logits: Float32Array): number {
  let best = Number.NEGATIVE_INFINITY;
  let token = -1;
  const scan = (from: number, to: number) => {
    for (let i = from; i < to; i++) {
      const value = logits[i]!;
      if (value <= best) continue;
      if (Number.isNaN(value)) invalidLogits('a logit that is not a number', i);
      best = value;
      token = i;
    }
  };
  const even = logits.length & ~7;
  for (let i = 0; i < even; i += 8) {
    const none =
      logits[i]! <= best &&
      logits[i + 1]! <= best &&
      logits[i + 2]! <= best &&
      logits[i + 3]! <= best &&
      logits[i + 4]! <= best &&
      logits[i + 5]! <= best &&
      logits[i + 6]! <= best &&
      logits[i + 7]! <= best;
    if (!none) scan(i, i + 8);
  }
  scan(even, logits.length);
  if (token < 0) invalidLogits('no finite logit at all', -1);
  if (best === Number.POSITIVE_INFINITY) invalidLogits('an infinite logit', token);
  return token;
}

/** ln of the sum of exp(logits), the normaliser of the raw distribution. */
export function logSumExp(logits: Float32Array): number {
  const max = logits[argmax(logits)]!;
  let sum = 0;
  for (let i = 0; i < logits.length; i++) sum += Math.exp(logits[i]! - max);
  return max + Math.log(sum);
}

/**
 * The `k` largest logits, largest first, into `ids[0..]`; returns how many there are (fewer than k when others are
 * -Infinity). A heap of k whose root is the worst kept: most tokens cost one comparison with it.
 *
 * @param ids at least k long
 */
export function selectTop(logits: Float32Array, k: number, ids: Int32Array): number {
  let size = 0;
  let worst = Number.NEGATIVE_INFINITY;
  for (let i = 0; i < logits.length; i++) {
    const value = logits[i]!;
    if (value <= worst) continue;
    if (Number.isNaN(value)) invalidLogits('a logit that is not a number', i);
    if (size < k) {
      ids[size] = i;
      siftUp(logits, ids, size++);
    } else {
      ids[0] = i;
      siftDown(logits, ids, size);
    }
    if (size === k) worst = logits[ids[0]!]!;
  }
  if (size === 0) invalidLogits('no finite logit at all', -1);
  for (let end = size - 1; end > 0; end--) {
    const worstId = ids[0]!;
    ids[0] = ids[end]!;
    ids[end] = worstId;
    siftDown(logits, ids, end);
  }
  if (logits[ids[0]!] === Number.POSITIVE_INFINITY) invalidLogits('an infinite logit', ids[0]!);
  return size;
}

/** a comes before b in the heap: smaller logit, or the same and a larger id. */
function worse(logits: Float32Array, a: number, b: number): boolean {
  const x = logits[a]!;
  const y = logits[b]!;
  return x < y || (x === y && a > b);
}

function siftUp(logits: Float32Array, ids: Int32Array, from: number): void {
  let at = from;
  const id = ids[at]!;
  while (at > 0) {
    const parent = (at - 1) >>> 1;
    if (!worse(logits, id, ids[parent]!)) break;
    ids[at] = ids[parent]!;
    at = parent;
  }
  ids[at] = id;
}

function siftDown(logits: Float32Array, ids: Int32Array, size: number): void {
  let at = 0;
  const id = ids[0]!;
  for (;;) {
    let child = 2 * at + 1;
    if (child >= size) break;
    if (child + 1 < size && worse(logits, ids[child + 1]!, ids[child]!)) child++;
    if (!worse(logits, ids[child]!, id)) break;
    ids[at] = ids[child]!;
    at = child;
  }
  ids[at] = id;
}

const bits = new Uint32Array(1);
const float = new Float32Array(bits.buffer);
/** Ids below 2^21 and 32 bits of logit fit the 53 bits of a double. */
const ID_SPAN = 2 ** 21;

/**
 * Sorts `ids[0..count)` by logit, largest first. Logit and id become one number whose order is the wanted one, so
 * that the engine's own number sort does the work (about 10 ms for 150,000 tokens; a comparator takes ten times as long).
 *
 * @param keys scratch, at least `count` long
 */
export function sortByLogit(logits: Float32Array, ids: Int32Array, count: number, keys: Float64Array): void {
  for (let i = 0; i < count; i++) {
    const id = ids[i]!;
    float[0] = logits[id]! + 0; // -0 + 0 is 0: both zeros get one key
    const word = bits[0]!;
    const descending = word >>> 31 === 1 ? word : ~word & 0x7fffffff;
    keys[i] = (descending >>> 0) * ID_SPAN + id;
  }
  const used = keys.subarray(0, count).sort();
  for (let i = 0; i < count; i++) ids[i] = used[i]! % ID_SPAN;
}
