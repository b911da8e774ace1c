/**
 * Whether guessing tokens pays: what passes of so many rows take, and how many tokens come out of them.
 *
 * One row of several costs what a single pass of it costs, or more (2-bit weights on a processor: 4 rows take 4.3 times as
 * long as one), or next to nothing (a path whose round trip takes longer than the computing). So both are measured, for each
 * model: ms of passes with guesses and without, by their rows. The choice is the number of guesses with the most expected
 * tokens in a ms, where that is clearly more than without.
 *
 * Estimates err, and what has not been measured must be tried. An account keeps both cheap: what passes with guesses lost
 * against passes without is paid from what others gained and from a small share of all time, and without means nothing is
 * guessed.
 *
 * @module engine/scheduler/payoff
 */

/** Guesses of one sequence that may be checked in one pass. Few numbers, so that graphs are used again. */
export const DRAFTS = [1, 3, 7, 15] as const;
/** Guesses of a pass that finds out what rows cost. With one alone, kernels that need several rows would not show. */
const TRIAL = DRAFTS[1];
/** Tokens that a trial must promise of each sequence. */
const TRIAL_TOKENS = 2.4;
/** Gain below this is noise. */
const LEAST_GAIN = 1.1;
const WEIGHT = 0.2;
/** Passes of so many rows before what they take is believed: the first also builds its graph. */
const TRIALS = 2;
/** Passes that could have had guesses after which one has some, to see whether the machine or the path has changed. */
const TRY_AGAIN = 128;
/** What differs by this factor says that what was measured before no longer holds. */
const CHANGED = 1.3;
/** A clock of a test may stand still. */
const LEAST_MS = 1e-3;

/** The account, in passes without guesses: what it begins with, what each such pass adds, and its bounds. */
const ACCOUNT = { first: 3, share: 0.01, least: -4, most: 10 } as const;

/** A sequence that could have guesses. */
export interface Chance {
  /** Tokens expected of a pass with 0, 1, ... guesses: as many as there are, and one more. */
  readonly tokens: Float64Array;
}

export interface Payoff {
  /** Guesses for each sequence at most; 0 = a pass without. `others`: rows of sequences without guesses. */
  choose(chances: readonly Chance[], others: number, maxRows: number): number;
  /** After a pass of decodes of so many sequences: its rows, and ms. More rows than sequences are guesses. */
  pass(sequences: number, rows: number, ms: number): void;
  /** After the tokens of a pass with guesses were chosen: how many there are. */
  gave(sequences: number, tokens: number): void;
  /** Passes without guesses that may be lost. */
  readonly account: number;
}

interface Measured {
  ms: number;
  /** Mean difference from `ms`. */
  spread: number;
  count: number;
}

export function createPayoff(): Payoff {
  const plain = new Map<number, Measured>();
  const guessing = new Map<number, Measured>();
  let account: number = ACCOUNT.first;
  /** Passes that could have had guesses since the last that had. */
  let waited = 0;
  let isTrial = false;
  /** What the last pass with guesses took, in passes without, while its tokens are not known. */
  let owed = 0;

  function note(table: Map<number, Measured>, rows: number, ms: number): void {
    const known = table.get(rows);
    if (known === undefined) table.set(rows, { ms, spread: 0, count: 1 });
    else {
      // The first pass of a shape also builds its graph.
      if (known.count === 1) known.ms = Math.min(known.ms, ms);
      else {
        known.spread += WEIGHT * (Math.abs(ms - known.ms) - known.spread);
        // What disturbs a pass makes it longer: a much shorter one tells more.
        known.ms += (ms * CHANGED < known.ms ? 0.5 : WEIGHT) * (ms - known.ms);
      }
      known.count++;
    }
  }

  const add = (gain: number) => {
    account = Math.min(ACCOUNT.most, Math.max(ACCOUNT.least, account + gain));
  };

  /** ms of a pass without guesses of so many sequences; null before it is known. */
  function without(sequences: number): number | null {
    let best: [rows: number, ms: number] | null = null;
    for (const [rows, { ms, count }] of plain) {
      if (count < TRIALS) continue;
      if (best === null || Math.abs(rows - sequences) < Math.abs(best[0] - sequences)) best = [rows, ms];
    }
    return best === null ? null : Math.max(LEAST_MS, best[1]);
  }

  /** ms of a pass with guesses: as measured, or on the line between or beyond what was measured. Null without any. */
  function estimate(rows: number, sequences: number, one: number): number | null {
    let below: [rows: number, ms: number] = [sequences, one];
    let above: [rows: number, ms: number] | null = null;
    let before: [rows: number, ms: number] | null = null;
    for (const [at, { ms, spread, count }] of [...guessing].sort(([a], [b]) => a - b)) {
      if (at <= sequences || (count < TRIALS && ms < (at / sequences) * one)) continue;
      const careful = ms + spread / 2;
      if (at === rows) return Math.max(LEAST_MS, careful);
      if (at < rows) {
        before = below;
        below = [at, careful];
      } else above ??= [at, careful];
    }
    if (above === null && before === null) return null;
    const [from, to] = above === null ? [before!, below] : [below, above];
    const each = Math.max(0, to[1] - from[1]) / (to[0] - from[0]);
    return Math.max(LEAST_MS, below[1] + each * (rows - below[0]));
  }

  /** Rows and expected tokens of a pass with up to `most` guesses for each. */
  function outcome(chances: readonly Chance[], others: number, most: number) {
    let rows = others;
    let expected = others;
    for (const { tokens } of chances) {
      const guesses = Math.min(most, tokens.length - 1);
      rows += 1 + guesses;
      expected += tokens[guesses]!;
    }
    return { rows, expected };
  }

  return {
    choose(chances, others, maxRows) {
      isTrial = false;
      const sequences = chances.length + others;
      const one = without(sequences);
      if (chances.length === 0 || one === null) return 0;
      waited++;
      let best = 0;
      let bestRate = (LEAST_GAIN * sequences) / one;
      let known = false;
      for (const most of DRAFTS) {
        const { rows, expected } = outcome(chances, others, most);
        if (rows > maxRows) break;
        const ms = estimate(rows, sequences, one);
        if (ms === null) continue;
        known = true;
        if (expected / ms <= bestRate) continue;
        best = most;
        bestRate = expected / ms;
      }
      if (best > 0 && account < 0) best = 0;
      if (best === 0 && (!known || waited >= TRY_AGAIN)) {
        const { rows, expected } = outcome(chances, others, TRIAL);
        const passes = (estimate(rows, sequences, one) ?? (one * rows) / sequences) / one;
        const loss = passes - expected / sequences;
        if (rows <= maxRows && expected - others >= TRIAL_TOKENS * chances.length && loss <= account) {
          best = TRIAL;
          isTrial = known;
        }
      }
      if (best > 0) waited = 0;
      return best;
    },
    pass(sequences, rows, ms) {
      // Nobody waited for the tokens of the one before.
      if (owed > 0) add(-owed);
      owed = 0;
      if (rows === sequences) {
        note(plain, rows, ms);
        add(ACCOUNT.share);
        return;
      }
      const old = guessing.get(rows);
      if (isTrial && old !== undefined && (ms * CHANGED < old.ms || ms > CHANGED * old.ms)) guessing.clear();
      isTrial = false;
      note(guessing, rows, ms);
      const one = without(sequences);
      if (one !== null) owed = ms / one;
    },
    gave(sequences, tokens) {
      if (owed > 0) add(tokens / sequences - owed);
      owed = 0;
    },
    get account() {
      return account;
    },
  };
}
