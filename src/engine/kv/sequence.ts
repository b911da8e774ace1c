/**
 * One sequence's positions: which token stands at each and which KV cell holds its keys and values.
 *
 * A position's cell is written once and never again: rolling back gives the cell away, forking shares it. So two
 * sequences that share a cell always share everything before it too, which is what the prefix cache builds on.
 *
 * @module engine/kv/sequence
 */
import type { KvCells } from './cells.ts';

/** Tokens per prefix hash. A prefix is compared by hash at these steps and by token inside the last one. */
export const HASH_CHUNK = 32;
/** What stands for a token that is not known (hidden states came in). Such positions never match a prompt. */
export const NO_TOKEN = -1;

export interface Sequence {
  /** Positions that have a cell. */
  readonly length: number;
  /** `cells[p]` holds position p, for p < length. The array is replaced when it grows: read it anew after `append`. */
  readonly cells: Int32Array;
  /** `tokens[p]` is the token at position p, for p < length, or NO_TOKEN. Replaced when it grows, too. */
  readonly tokens: Int32Array;
  /** `hashes[i]` covers tokens 0 .. (i + 1) * HASH_CHUNK - 1, for every full chunk. */
  readonly hashes: Uint32Array;
  /** A running sequence pins its cells; a cached one lets them be evicted. */
  readonly pinned: boolean;
  readonly disposed: boolean;
  /**
   * Takes cells for the next `n` positions, whose tokens are `tokens[offset..]`. False, with nothing changed, when
   * too few cells are free: evict, wait or preempt.
   */
  append(n: number, tokens?: Int32Array, offset?: number): boolean;
  /** Rolls back to `length` positions; cells that nobody else holds become free. */
  truncate(length: number): void;
  /** A new running sequence that shares the first `length` positions. */
  fork(length?: number): Sequence;
  setPinned(pinned: boolean): void;
  /** Gives every cell back. Idempotent. */
  dispose(): void;
}

/** An empty running sequence. `capacity`: positions to make room for at once. */
export function createSequence(cells: KvCells, capacity = 64): Sequence {
  return new KvSequence(cells, capacity);
}

class KvSequence implements Sequence {
  length = 0;
  cells: Int32Array;
  tokens: Int32Array;
  hashes: Uint32Array;
  pinned = true;
  disposed = false;
  readonly #pool: KvCells;

  constructor(pool: KvCells, capacity: number) {
    this.#pool = pool;
    const room = Math.max(HASH_CHUNK, capacity);
    this.cells = new Int32Array(room);
    this.tokens = new Int32Array(room);
    this.hashes = new Uint32Array(Math.floor(room / HASH_CHUNK));
  }

  append(n: number, tokens?: Int32Array, offset = 0): boolean {
    if (this.disposed) throw new Error('append to a disposed sequence');
    const end = this.length + n;
    if (end > this.cells.length) this.#grow(end);
    const last = this.length === 0 ? -1 : this.cells[this.length - 1]!;
    if (!this.#pool.take(n, this.cells, this.length, this.pinned, last)) return false;
    if (tokens === undefined) this.tokens.fill(NO_TOKEN, this.length, end);
    else for (let i = 0; i < n; i++) this.tokens[this.length + i] = tokens[offset + i]!;
    this.#hashFrom(Math.floor(this.length / HASH_CHUNK), Math.floor(end / HASH_CHUNK));
    this.length = end;
    return true;
  }

  truncate(length: number): void {
    if (length >= this.length) return;
    if (length < 0) throw new RangeError(`truncate to ${length}`);
    this.#pool.release(this.cells, length, this.length, this.pinned);
    this.length = length;
  }

  fork(length = this.length): Sequence {
    if (this.disposed) throw new Error('fork of a disposed sequence');
    if (length < 0 || length > this.length)
      throw new RangeError(`fork of ${length} of ${this.length} positions`);
    const twin = new KvSequence(this.#pool, length + HASH_CHUNK);
    this.#pool.retain(this.cells, 0, length, true);
    twin.cells.set(this.cells.subarray(0, length));
    twin.tokens.set(this.tokens.subarray(0, length));
    twin.hashes.set(this.hashes.subarray(0, Math.floor(length / HASH_CHUNK)));
    twin.length = length;
    return twin;
  }

  setPinned(pinned: boolean): void {
    if (pinned === this.pinned) return;
    this.#pool.setPinned(this.cells, 0, this.length, pinned);
    this.pinned = pinned;
  }

  dispose(): void {
    if (this.disposed) return;
    this.truncate(0);
    this.disposed = true;
  }

  #grow(needed: number): void {
    const room = Math.max(needed, this.cells.length * 2);
    this.cells = grown(this.cells, room, this.length);
    this.tokens = grown(this.tokens, room, this.length);
    const hashes = new Uint32Array(Math.floor(room / HASH_CHUNK));
    hashes.set(this.hashes);
    this.hashes = hashes;
  }

  #hashFrom(chunk: number, end: number): void {
    for (let i = chunk; i < end; i++) {
      this.hashes[i] = chunkHash(i === 0 ? 0 : this.hashes[i - 1]!, this.tokens, i * HASH_CHUNK);
    }
  }
}

function grown(old: Int32Array, room: number, used: number): Int32Array {
  const next = new Int32Array(room);
  next.set(old.subarray(0, used));
  return next;
}

/** Hash of HASH_CHUNK tokens from `at` on top of the hash of all before (murmur3's 32-bit mixing). Only a hint:
 *  a match is always confirmed token by token. */
export function chunkHash(before: number, tokens: Int32Array, at: number): number {
  let hash = before ^ 0x9747b28c;
  for (let i = at; i < at + HASH_CHUNK; i++) {
    let word = Math.imul(tokens[i]!, 0xcc9e2d51);
    word = Math.imul((word << 15) | (word >>> 17), 0x1b873593);
    hash ^= word;
    hash = (Math.imul((hash << 13) | (hash >>> 19), 5) + 0xe6546b64) | 0;
  }
  hash ^= hash >>> 16;
  hash = Math.imul(hash, 0x85ebca6b);
  return (hash ^ (hash >>> 13)) >>> 0;
}
