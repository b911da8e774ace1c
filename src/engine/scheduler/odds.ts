/**
 * How often guesses of the lookup are right. It depends on how many tokens before them are those that stood before the place
 * they come from: after two equal tokens a guess is often wrong, after ten hardly ever. So guesses are counted by that
 * length, for the model and for each sequence.
 *
 * @module engine/scheduler/odds
 */

/** Equal tokens before a guess: the least of each class. More than the last tell nothing more. */
export const CLASSES = [2, 3, 4, 6, 10] as const;
/** Shares thought right before anything was seen. */
const AT_FIRST = [0.35, 0.45, 0.55, 0.7, 0.8] as const;
/** What a sequence starts with counts as so many guesses, and so does what a model starts with. */
const PRIOR = 2;
/** What was seen fades: a model's over hundreds of guesses, a sequence's over tens. */
const MODEL_KEEPS = 0.99;
const SEQUENCE_KEEPS = 0.93;

export interface Odds {
  /** Share that is right of guesses behind `match` equal tokens, when those before them were. */
  right(match: number): number;
  /** A guess was right, or was not. */
  look(match: number, right: boolean): void;
}

/** @param over what is thought of classes without any guess; those of a model when it is for a sequence */
export function createOdds(over?: Odds): Odds {
  const keeps = over === undefined ? MODEL_KEEPS : SEQUENCE_KEEPS;
  const right = new Float64Array(CLASSES.length);
  const seen = new Float64Array(CLASSES.length);
  return {
    right(match) {
      const at = classOf(match);
      const prior = over === undefined ? AT_FIRST[at]! : over.right(match);
      return (right[at]! + PRIOR * prior) / (seen[at]! + PRIOR);
    },
    look(match, correct) {
      const at = classOf(match);
      right[at] = right[at]! * keeps + (correct ? 1 : 0);
      seen[at] = seen[at]! * keeps + 1;
      over?.look(match, correct);
    },
  };
}

function classOf(match: number): number {
  let at = CLASSES.length - 1;
  while (at > 0 && match < CLASSES[at]!) at--;
  return at;
}

/** Tokens to be expected of a pass with 0, 1, ... `count` guesses behind `match` equal tokens: the last one is never a guess. */
export function expectedTokens(odds: Pick<Odds, 'right'>, match: number, count: number): Float64Array {
  const tokens = new Float64Array(count + 1);
  let all = 1;
  tokens[0] = 1;
  for (let i = 0; i < count; i++) {
    all *= odds.right(match + i);
    tokens[i + 1] = tokens[i]! + all;
  }
  return tokens;
}
