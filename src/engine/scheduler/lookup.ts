/**
 * Guesses what comes next from what stands in the text already ("prompt lookup"): where the last tokens stood before, what
 * followed them there. Costs no model: answers that quote, correct or go on with their prompt are guessed well.
 *
 * A table without chains, by hashes of the last three and of the last two tokens, holds where each was seen last. What a
 * collision overwrites is a guess that is not made; what it finds is compared token by token.
 *
 * @module engine/scheduler/lookup
 */

/** Lengths of the runs that are looked for, the most telling first. */
const RUNS = [3, 2] as const;
/** Equal tokens before a guess that are counted at most. */
const MOST_MATCH = 16;
const LEAST_SLOTS = 1 << 10;
const MOST_SLOTS = 1 << 17;

export interface Proposal {
  readonly draft: Int32Array;
  /** Tokens at the end that also stand before the place where the draft comes from. */
  readonly match: number;
}

export interface Lookup {
  /**
   * Tokens that may follow `tokens[0..count)`, at most `most`, none after one of `last`. Reads what was added since the last
   * call, so it costs O(1) a token in all.
   */
  propose(tokens: Int32Array, count: number, most: number): Proposal;
  /** The tokens are others now. */
  reset(): void;
}

const NOTHING: Proposal = { draft: new Int32Array(0), match: 0 };

/** @param last tokens that nothing follows */
export function createLookup(last: ReadonlySet<number>): Lookup {
  /** For each run length: hash of a run -> position behind it, 0 = none. */
  let tables: readonly Int32Array[] = [];
  let slots = 0;
  /** Runs that end before this position are in the tables. */
  let seen = 0;

  function hash(tokens: Int32Array, end: number, run: number): number {
    let word = run;
    for (let i = end - run; i < end; i++) word = Math.imul(word ^ tokens[i]!, 0x9e3779b1) ^ (word >>> 15);
    return (word ^ (word >>> 13)) & (slots - 1);
  }

  function read(tokens: Int32Array, count: number): void {
    if (slots < Math.min(MOST_SLOTS, count * 2)) {
      slots = LEAST_SLOTS;
      while (slots < Math.min(MOST_SLOTS, count * 4)) slots *= 2;
      tables = RUNS.map(() => new Int32Array(slots));
      seen = 0;
    }
    // A run is of use once something stands behind it.
    for (let end = Math.max(seen, 1); end < count; end++)
      for (const [i, run] of RUNS.entries()) if (end >= run) tables[i]![hash(tokens, end, run)] = end;
    seen = count;
  }

  return {
    propose(tokens, count, most) {
      if (most < 1) return NOTHING;
      read(tokens, count);
      for (const [i, run] of RUNS.entries()) {
        if (count <= run) continue;
        const behind = tables[i]![hash(tokens, count, run)]!;
        if (behind === 0 || behind >= count) continue;
        let same = 0;
        while (same < Math.min(behind, MOST_MATCH) && tokens[behind - 1 - same] === tokens[count - 1 - same])
          same++;
        if (same < run) continue;
        const draft = new Int32Array(most);
        let length = 0;
        while (length < most) {
          const from = behind + length;
          // What repeats itself goes on to.
          const token = from < count ? tokens[from]! : draft[from - count]!;
          if (last.has(token)) break;
          draft[length++] = token;
        }
        return { draft: draft.subarray(0, length), match: same };
      }
      return NOTHING;
    },
    reset() {
      tables = [];
      slots = 0;
      seen = 0;
    },
  };
}
