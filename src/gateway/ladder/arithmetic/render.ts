/**
 * An expression as it was understood, so that the reader sees which reading was calculated.
 *
 * @module gateway/ladder/arithmetic/render
 */
import { approximately, DIGITS, exactDecimal, fraction, rootApproximately } from './decimal.ts';
import type { Value } from './evaluate.ts';
import type { Expression } from './parser.ts';

const SIGNS = { '+': ' + ', '-': ' - ', '*': ' × ', '/': ' ÷ ', mod: ' mod ', '^': '^' } as const;
/** The higher, the tighter. */
const RANKS = {
  '+': 1,
  '-': 1,
  '*': 2,
  '/': 2,
  mod: 2,
  negative: 3,
  '^': 4,
  percent: 5,
  factorial: 5,
  root: 6,
  number: 6,
} as const;

/** Null when it is too long to be shown. */
export function render(expression: Expression, mark: string): string | null {
  const text = written(expression, mark);
  return text.length > MAX_SHOWN ? null : text;
}

const MAX_SHOWN = 1000;

function written(expression: Expression, mark: string): string {
  const inner = (part: Expression, rank: number): string => {
    const text = written(part, mark);
    return RANKS[part.kind] < rank ? `(${text})` : text;
  };
  switch (expression.kind) {
    case 'number':
      // What people write ends after its decimals: at most 100, and 300 of an exponent.
      return exactDecimal(expression.value, mark, 400) ?? `${expression.value.n}/${expression.value.d}`;
    case 'percent':
      return `${inner(expression.of, 6)}%`;
    case 'factorial':
      return `${inner(expression.of, 6)}!`;
    case 'root':
      return `√${inner(expression.of, 6)}`;
    case 'negative':
      return `-${inner(expression.of, 4)}`;
    case '^':
      return `${inner(expression.left, 5)}^${inner(expression.right, 5)}`;
    default: {
      const rank = RANKS[expression.kind];
      // Nothing but sums stands bare on the right of its own rank.
      return `${inner(expression.left, rank)}${SIGNS[expression.kind]}${inner(expression.right, rank + 1)}`;
    }
  }
}

/** What follows the expression: ` = 60`, ` = 10/3 ≈ 3.33333333333 (12 significant digits)`. */
export function result(value: Value, mark: string, digits: string): string {
  const about = (text: string) => `≈ ${text} (${DIGITS} ${digits})`;
  if (value.kind === 'root') return ` ${about(rootApproximately(value.of, mark))}`;
  const exact = exactDecimal(value.value, mark);
  if (exact !== null) return ` = ${exact}`;
  const whole = fraction(value.value);
  return `${whole === null ? '' : ` = ${whole}`} ${about(approximately(value.value, mark))}`;
}
