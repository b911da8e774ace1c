/**
 * Computed prefixes that outlive their request. A finished sequence rests here with its KV cells; a new prompt
 * shares the longest common prefix with any resting or running sequence; cells go back when others need them.
 *
 * Lookup bound: O(prompt) hashing, then O(log(prompt / HASH_CHUNK) + HASH_CHUNK) per sequence, then O(prompt) to
 * confirm the winner. Only a hash collision costs more: one exact comparison with every sequence.
 *
 * Eviction is GreedyDual-Size with frequency (Cherkasova, "Improving WWW Proxies Performance with
 * Greedy-Dual-Size-Frequency Caching Policy", 1998): value = age at last use + uses x cost / size, where size is
 * the cells nobody else holds and cost the work to compute those positions again. A victim loses its tail first,
 * since what is left is still a prefix worth having.
 *
 * @module engine/kv/prefix-cache
 */
import type { KvCells } from './cells.ts';
import { chunkHash, HASH_CHUNK, type Sequence } from './sequence.ts';

export interface PrefixCacheOptions {
  /** Resting sequences at most. @default 256 */
  readonly maxEntries?: number;
  /** Cells that only resting sequences may hold. @default all */
  readonly maxCells?: number;
  /** Position at which attention costs as much as the rest of the block; about 6 x embedding width. @default 12288 */
  readonly attentionHalf?: number;
}

export interface PrefixMatch {
  readonly sequence: Sequence;
  /** Common tokens, at least 1. */
  readonly length: number;
}

export interface PrefixCache {
  /** Sequences at rest. */
  readonly entries: number;
  /** Cells freed by eviction so far. */
  readonly evictedCells: number;
  /** Longest common prefix of `tokens[0..limit)` with a resting or one of the `running` sequences. */
  match(tokens: Int32Array, limit: number, running: Iterable<Sequence>): PrefixMatch | null;
  /** A new running sequence that shares what matched; counts as a use of the entry. */
  use(match: PrefixMatch): Sequence;
  /** Takes a sequence over to rest. One whose tokens are a prefix of another's gives way to the other. */
  insert(sequence: Sequence): void;
  /** Evicts until at least `cells` are free. False if running sequences hold too many (then all else is evicted). */
  evict(cells: number): boolean;
  /** Drops everything. */
  clear(): void;
}

interface Entry {
  readonly sequence: Sequence;
  /** Age of the cache when this entry was last used. */
  age: number;
  uses: number;
}

/** Cells freed per step at least, so that a decode that needs one cell does not choose a victim for each token. */
const EVICT_STEP = 32;

export function createPrefixCache(cells: KvCells, options: PrefixCacheOptions = {}): PrefixCache {
  const maxEntries = options.maxEntries ?? 256;
  const maxCells = options.maxCells ?? cells.count;
  const attentionHalf = options.attentionHalf ?? 12_288;
  const entries: Entry[] = [];
  let age = 0;
  let evictedCells = 0;
  let scratch = new Uint32Array(64);

  function remove(entry: Entry): void {
    entries.splice(entries.indexOf(entry), 1);
    entry.sequence.dispose();
  }

  function value(entry: Entry, from: number): number {
    const meanPosition = (from + entry.sequence.length - 1) / 2;
    return entry.age + entry.uses * (1 + meanPosition / attentionHalf);
  }

  /** The entry of least value among those `eligible`, with the first position that it alone holds. */
  function poorest(eligible: (entry: Entry, exclusiveFrom: number) => boolean): Entry | null {
    let best: Entry | null = null;
    let bestValue = Number.POSITIVE_INFINITY;
    for (const entry of entries) {
      const from = exclusiveFrom(cells, entry.sequence);
      if (!eligible(entry, from)) continue;
      const worth = value(entry, from);
      if (worth < bestValue) {
        best = entry;
        bestValue = worth;
      }
    }
    if (best !== null) age = Math.max(age, bestValue);
    return best;
  }

  function evict(target: number): boolean {
    while (cells.free < target) {
      const victim = poorest((entry, from) => from < entry.sequence.length);
      if (victim !== null) {
        const { sequence } = victim;
        const drop = Math.max(target - cells.free, EVICT_STEP);
        const before = cells.free;
        sequence.truncate(Math.max(exclusiveFrom(cells, sequence), sequence.length - drop));
        evictedCells += cells.free - before;
        if (sequence.length === 0) remove(victim);
        continue;
      }
      // What rests is shared among resting sequences: one that lies wholly inside another is dropped for nothing.
      const covered = poorest(({ sequence }) => cells.pins(sequence.cells[sequence.length - 1]!) === 0);
      if (covered === null) return false;
      remove(covered);
    }
    return true;
  }

  return {
    get entries() {
      return entries.length;
    },
    get evictedCells() {
      return evictedCells;
    },
    match(tokens, limit, running) {
      const chunks = Math.floor(limit / HASH_CHUNK);
      if (scratch.length < chunks) scratch = new Uint32Array(chunks * 2);
      for (let i = 0; i < chunks; i++) {
        scratch[i] = chunkHash(i === 0 ? 0 : scratch[i - 1]!, tokens, i * HASH_CHUNK);
      }
      let best: Sequence | null = null;
      let length = 0;
      const offer = (sequence: Sequence) => {
        const common = likelyCommon(sequence, tokens, scratch, limit);
        if (common > length) {
          best = sequence;
          length = common;
        }
      };
      for (const entry of entries) offer(entry.sequence);
      for (const sequence of running) offer(sequence);
      if (best === null) return null;
      if (commonLength(best, tokens, limit) >= length) return { sequence: best, length };
      // Two different prefixes have one hash: compare everything.
      best = null;
      length = 0;
      const compare = (sequence: Sequence) => {
        const common = commonLength(sequence, tokens, limit);
        if (common > length) {
          best = sequence;
          length = common;
        }
      };
      for (const entry of entries) compare(entry.sequence);
      for (const sequence of running) compare(sequence);
      return best === null ? null : { sequence: best, length };
    },
    use(match) {
      const entry = entries.find(({ sequence }) => sequence === match.sequence);
      if (entry !== undefined) {
        entry.uses++;
        entry.age = age;
      }
      return match.sequence.fork(match.length);
    },
    insert(sequence) {
      sequence.setPinned(false);
      if (sequence.length === 0 || maxEntries < 1) {
        sequence.dispose();
        return;
      }
      let uses = 1;
      for (const entry of [...entries]) {
        const other = entry.sequence;
        const shorter = Math.min(other.length, sequence.length);
        const full = Math.floor(shorter / HASH_CHUNK);
        if (full > 0 && other.hashes[full - 1] !== sequence.hashes[full - 1]) continue;
        if (commonLength(other, sequence.tokens, shorter) < shorter) continue;
        if (other.length >= sequence.length) {
          entry.age = age;
          sequence.dispose();
          return;
        }
        uses = Math.max(uses, entry.uses);
        remove(entry);
      }
      if (entries.length >= maxEntries) {
        const victim = poorest(() => true)!;
        const before = cells.free;
        remove(victim);
        evictedCells += cells.free - before;
      }
      entries.push({ sequence, age, uses });
      evict(cells.count - cells.pinned - maxCells);
    },
    evict,
    clear() {
      for (const entry of entries) entry.sequence.dispose();
      entries.length = 0;
    },
  };
}

/** First position whose cell nobody else holds. Holders share prefixes, so the counts never rise along a sequence. */
function exclusiveFrom(cells: KvCells, sequence: Sequence): number {
  let low = 0;
  let high = sequence.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (cells.refs(sequence.cells[middle]!) > 1) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** Common tokens by chunk hashes, then token by token within the first chunk that differs. Never too short. */
function likelyCommon(sequence: Sequence, tokens: Int32Array, hashes: Uint32Array, limit: number): number {
  const end = Math.min(sequence.length, limit);
  let low = 0;
  let high = Math.floor(end / HASH_CHUNK);
  while (low < high) {
    const middle = (low + high + 1) >>> 1;
    if (sequence.hashes[middle - 1] === hashes[middle - 1]) low = middle;
    else high = middle - 1;
  }
  let at = low * HASH_CHUNK;
  while (at < end && sequence.tokens[at] === tokens[at]) at++;
  return at;
}

function commonLength(sequence: Sequence, tokens: Int32Array, limit: number): number {
  const end = Math.min(sequence.length, limit);
  let at = 0;
  while (at < end && sequence.tokens[at] === tokens[at]) at++;
  return at;
}
