/**
 * The exact value of an expression.
 *
 * @module gateway/ladder/arithmetic/evaluate
 */
import type { Expression } from './parser.ts';
import {
  add,
  divide,
  exactRoot,
  factorial,
  multiply,
  power,
  type Rational,
  rational,
  remainder,
  subtract,
} from './rational.ts';

const OPERATIONS = {
  '+': add,
  '-': subtract,
  '*': multiply,
  '/': divide,
  mod: remainder,
  '^': power,
} as const;

/** A fraction, or the square root of one that is no fraction. */
export type Value =
  | { readonly kind: 'exact'; readonly value: Rational }
  | { readonly kind: 'root'; readonly of: Rational };

/** Null: no value, too large, or not to be had exactly. A root that is no fraction is a value only as the whole. */
export function evaluate(expression: Expression): Value | null {
  if (expression.kind === 'root') {
    const of = exact(expression.of);
    if (of === null || of.n < 0n) return null;
    const value = exactRoot(of);
    return value === null ? { kind: 'root', of } : { kind: 'exact', value };
  }
  const value = exact(expression);
  return value && { kind: 'exact', value };
}

function exact(expression: Expression): Rational | null {
  switch (expression.kind) {
    case 'number':
      return expression.value;
    case 'percent':
    case 'negative':
    case 'factorial':
    case 'root': {
      const of = exact(expression.of);
      if (of === null) return null;
      if (expression.kind === 'factorial') return factorial(of);
      if (expression.kind === 'root') return exactRoot(of);
      return expression.kind === 'negative' ? { n: -of.n, d: of.d } : rational(of.n, of.d * 100n);
    }
    default: {
      const left = exact(expression.left);
      const right = left && exact(expression.right);
      return right && OPERATIONS[expression.kind](left!, right);
    }
  }
}
