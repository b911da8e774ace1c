/**
 * Whether guessing tokens pays: what passes of so many rows take, and how many tokens come out of them.
 *
 * One row of several costs what a single pass of it costs (one processor, small batches: 4 rows take 2 to 4 times as long as
 * one) or next to nothing (a path whose round trip takes longer than the computing). So both are measured, for each model:
 * ms of passes with guesses and without by their rows, and how many guesses were right. The choice is the number of guesses
 * with the most expected tokens in a ms.
 *
 * @module engine/scheduler/payoff
 */

/** Guesses of one sequence that may be checked in one pass. Few numbers, so that graphs are used again. */
export const DRAFTS = [1, 3, 7, 15] as const;
/** Gain below this is noise. */
const LEAST_GAIN = 1.1;
const WEIGHT = 0.2;
/** Passes of so many rows before what they take is believed: the first also builds its graph. */
const TRIALS = 2;
/** Passes that could have had guesses after which one has some, to see whether the machine or the path has changed. */
const TRY_AGAIN = 128;
/** What a row more is thought to cost before any was measured. */
const FIRST_ROW_COST = 0.05;
/** A clock of a test may stand still. */
const LEAST_MS = 1e-3;

/** How well one sequence is guessed. */
export interface Guessing {
  /** Share of guesses that are right when those before them were, of late. */
  readonly right: number;
  /** Guesses it may have next: more after those that were all right, fewer after none. */
  readonly most: number;
  /** After a pass with guesses. */
  add(guessed: number, right: number): void;
  /** After a pass without: whether the first one would have been right. */
  look(right: boolean): void;
}

const FIRST_RIGHT = 0.5;
/** Weight of a guess, and of each of the first few at least that of a mean. */
const LATE_WEIGHT = 0.1;

export function createGuessing(): Guessing {
  let right = FIRST_RIGHT;
  let looks = 0;
  let step = 1;
  function look(correct: boolean): void {
    right += Math.max(LATE_WEIGHT, 1 / (2 + looks++)) * ((correct ? 1 : 0) - right);
  }
  return {
    get right() {
      return right;
    },
    get most() {
      return DRAFTS[step]!;
    },
    add(guessed, correct) {
      for (let i = 0; i < Math.min(correct + 1, guessed); i++) look(i < correct);
      if (correct === guessed && guessed >= DRAFTS[step]!) step = Math.min(DRAFTS.length - 1, step + 1);
      else if (correct === 0) step = Math.max(0, step - 1);
    },
    look,
  };
}

/** A sequence that could have guesses. */
export interface Chance {
  /** Guesses there are. */
  readonly guesses: number;
  /** Share of them that will be right. */
  readonly right: number;
}

export interface Payoff {
  /** Guesses for each sequence at most; 0 = a pass without. `others`: rows of sequences without guesses. */
  choose(chances: readonly Chance[], others: number, maxRows: number): number;
  /** After a pass of decodes: its rows, with or without guesses among them, and ms. */
  pass(rows: number, guessed: boolean, ms: number): void;
}

interface Measured {
  ms: number;
  count: number;
}

export function createPayoff(): Payoff {
  const plain = new Map<number, Measured>();
  const guessing = new Map<number, Measured>();
  let waited = 0;

  function note(table: Map<number, Measured>, rows: number, ms: number): void {
    const known = table.get(rows);
    if (known === undefined) table.set(rows, { ms, count: 1 });
    else {
      // The first pass of a shape also builds its graph.
      known.ms = known.count === 1 ? Math.min(known.ms, ms) : known.ms + WEIGHT * (ms - known.ms);
      known.count++;
    }
  }

  /** Passes with guesses were measured well enough for some number of rows. */
  const isSure = () => [...guessing.values()].some(({ count }) => count >= TRIALS);

  /** ms of a pass with guesses: as measured, or in proportion to what was measured next to it. */
  function estimate(rows: number): number {
    const near = nearest(guessing, rows, TRIALS);
    if (near?.[0] === rows) return Math.max(LEAST_MS, near[1]);
    const [oneRows, one] = nearest(plain, 1)!;
    const each =
      near === null || near[0] <= oneRows
        ? one * FIRST_ROW_COST
        : Math.max(0, near[1] - one) / (near[0] - oneRows);
    return Math.max(LEAST_MS, one + each * (rows - oneRows));
  }

  return {
    choose(chances, others, maxRows) {
      const without = nearest(plain, chances.length + others);
      if (chances.length === 0 || without === null) return 0;
      let best = 0;
      let bestRate = (LEAST_GAIN * (chances.length + others)) / Math.max(LEAST_MS, without[1]);
      const unsure = !isSure() || ++waited >= TRY_AGAIN;
      for (const most of DRAFTS) {
        let rows = others;
        let tokens = others;
        for (const chance of chances) {
          const guesses = Math.min(most, chance.guesses);
          rows += 1 + guesses;
          tokens += expected(guesses, chance.right);
        }
        if (rows > maxRows) break;
        const rate = tokens / estimate(rows);
        if (rate <= bestRate) continue;
        best = most;
        bestRate = rate;
      }
      const hopeful = chances.some(({ right }) => right >= FIRST_RIGHT);
      if (best === 0 && unsure && hopeful && others + chances.length * 4 <= maxRows) best = 3;
      if (best > 0) waited = 0;
      return best;
    },
    pass(rows, guessed, ms) {
      note(guessed ? guessing : plain, rows, ms);
    },
  };
}

/** Tokens that a pass gives: those guessed right in a row, and the one behind them. */
function expected(guesses: number, right: number): number {
  return right >= 1 ? guesses + 1 : (1 - right ** (guesses + 1)) / (1 - right);
}

function nearest(
  table: ReadonlyMap<number, Measured>,
  rows: number,
  least = 1,
): [rows: number, ms: number] | null {
  let best: [number, number] | null = null;
  for (const [at, { ms, count }] of table)
    if (count >= least && (best === null || Math.abs(at - rows) < Math.abs(best[0] - rows))) best = [at, ms];
  return best;
}
