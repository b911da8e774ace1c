/**
 * Which KV cells are taken, and by how many sequences.
 *
 * A cell is one row of every K and V tensor. It is written once, by the sequence that took it, and may then be
 * read by any number of sequences that share the prefix it stands for. Two counts per cell: all holders, and
 * the holders that are running (`pins`), since a cell that only cached prefixes hold can be had back.
 *
 * @module engine/kv/cells
 */

export interface KvCells {
  /** Cells there are. */
  readonly count: number;
  /** Cells nobody holds. */
  readonly free: number;
  /** Cells that running sequences hold. `count - pinned` is what eviction of every cached prefix would leave free. */
  readonly pinned: number;
  /** One more than the highest cell held: attention costs grow with it. O(count / 32). */
  highWater(): number;
  /** Holders of a cell. */
  refs(cell: number): number;
  /** Running holders of a cell. */
  pins(cell: number): number;
  /**
   * Writes the `n` lowest free cells above `above`, ascending, to `out[offset..]` with one holder each; where the
   * end is reached, the lowest of all follow. All or nothing: false when fewer are free.
   *
   * Ascending, because attention adds up in the order of cells: a sequence whose cells ascend gives the same logits
   * to the last bit wherever they lie, and so whatever else runs (measured; out of order, Q8_0 log probabilities
   * move by up to 0.1).
   */
  take(n: number, out: Int32Array, offset: number, pinned: boolean, above?: number): boolean;
  /** One more holder for `cells[from..to)`. */
  retain(cells: Int32Array, from: number, to: number, pinned: boolean): void;
  /** One holder fewer for `cells[from..to)`; cells without a holder become free. */
  release(cells: Int32Array, from: number, to: number, pinned: boolean): void;
  /** Running holder becomes resting holder or the other way round. */
  setPinned(cells: Int32Array, from: number, to: number, pinned: boolean): void;
}

const ALL = 0xffffffff;

/** @param count cells, an integer >= 0 */
export function createKvCells(count: number): KvCells {
  if (!Number.isInteger(count) || count < 0) throw new RangeError(`KV cells: ${count} is not a count`);
  const refs = new Int32Array(count);
  const pins = new Int32Array(count);
  // One bit per cell, set = free. The first word that may have a set bit is kept, so that taking the lowest
  // free cell does not scan the taken ones again and again.
  const words = new Uint32Array(Math.ceil(count / 32));
  for (let cell = 0; cell < count; cell++) words[cell >>> 5]! |= 1 << (cell & 31);
  let firstWord = 0;
  let free = count;
  let pinned = 0;

  return {
    count,
    get free() {
      return free;
    },
    get pinned() {
      return pinned;
    },
    highWater() {
      for (let word = words.length - 1; word >= 0; word--) {
        const inWord = Math.min(32, count - word * 32);
        const all = inWord === 32 ? ALL : (1 << inWord) - 1;
        const taken = (~words[word]! & all) >>> 0;
        if (taken !== 0) return word * 32 + 32 - Math.clz32(taken);
      }
      return 0;
    },
    refs: (cell) => refs[cell]!,
    pins: (cell) => pins[cell]!,
    take(n, out, offset, pin, above = -1) {
      if (n > free) return false;
      let taken = 0;
      const takeWord = (word: number, allowed: number) => {
        let bits = words[word]! & allowed;
        while (bits !== 0 && taken < n) {
          const lowest = bits & -bits;
          const cell = word * 32 + 31 - Math.clz32(lowest);
          out[offset + taken++] = cell;
          refs[cell] = 1;
          pins[cell] = pin ? 1 : 0;
          bits ^= lowest;
          words[word]! ^= lowest;
        }
      };
      const start = (above + 1) >>> 5;
      if (start < words.length && start >= firstWord) takeWord(start, ALL << ((above + 1) & 31));
      for (let word = Math.max(start + 1, firstWord); taken < n && word < words.length; word++)
        takeWord(word, ALL);
      while (taken < n) {
        takeWord(firstWord, ALL);
        if (taken < n) firstWord++;
      }
      free -= n;
      if (pin) pinned += n;
      return true;
    },
    retain(cells, from, to, pin) {
      for (let i = from; i < to; i++) {
        const cell = cells[i]!;
        if (refs[cell]! < 1) throw new Error(`KV cell ${cell} is shared although nobody holds it`);
        refs[cell]!++;
        if (pin && pins[cell]!++ === 0) pinned++;
      }
    },
    release(cells, from, to, pin) {
      for (let i = from; i < to; i++) {
        const cell = cells[i]!;
        if (refs[cell]! < 1 || (pin && pins[cell]! < 1)) {
          throw new Error(`KV cell ${cell} is given back although nobody holds it`);
        }
        if (pin && --pins[cell]! === 0) pinned--;
        if (--refs[cell]! > 0) continue;
        const word = cell >>> 5;
        words[word]! |= 1 << (cell & 31);
        if (word < firstWord) firstWord = word;
        free++;
      }
    },
    setPinned(cells, from, to, pin) {
      for (let i = from; i < to; i++) {
        const cell = cells[i]!;
        if (pin) {
          if (pins[cell]!++ === 0) pinned++;
        } else {
          if (pins[cell]! < 1) throw new Error(`KV cell ${cell} is unpinned although nobody runs on it`);
          if (--pins[cell]! === 0) pinned--;
        }
      }
    },
  };
}
