/**
 * What the words of a calculation in one language are.
 *
 * @module gateway/ladder/arithmetic/lexicon
 */
export type Operation = '+' | '-' | '*' | '/' | 'mod' | '^';
/** Words that are no operation between two operands. */
export type Word = 'percent' | 'of' | 'squared' | 'cubed' | 'root' | 'factorial' | 'factorial of';

export interface Lexicon {
  /** Before the expression. `clear` ones ask for nothing but a result, so that `9/11` after them is a division. */
  readonly clear: readonly string[];
  readonly lead: readonly string[];
  readonly trail: readonly string[];
  readonly words: Readonly<Record<string, Operation | Word>>;
  /** From zero; twenty in a row, then the tens and a hundred. */
  readonly numbers: Readonly<Record<string, number>>;
  /** A space stands between groups of three digits. */
  readonly spaces: boolean;
  /** "12 significant digits". */
  readonly digits: string;
}

/** Zero to twenty by their words in a row, then the tens from thirty and a hundred; `_` where there is no one word. */
export const numbers = (units: string, tens: string): Record<string, number> => ({
  ...Object.fromEntries(units.split(' ').map((word, value) => [word, value])),
  ...Object.fromEntries(
    tens.split(' ').flatMap((word, index) => (word === '_' ? [] : [[word, 30 + 10 * index]])),
  ),
});
