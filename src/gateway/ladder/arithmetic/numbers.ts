/**
 * Numbers as they are written, with the marks of a language.
 *
 * @module gateway/ladder/arithmetic/numbers
 */
import type { Language, Locale } from '../locale.ts';
import { type Rational, rational } from './rational.ts';

export interface Marks {
  readonly decimal: '.' | ',';
  /** Marks between groups of three digits, besides apostrophes and narrow spaces. */
  readonly group: '.' | ',' | null;
}

const MAX_DIGITS = 100;
const MAX_EXPONENT = 300;

const known = new Map<Language, Marks>();

/** The marks of the reader's region where the locale is of this language, else of the language. */
export function marksOf(language: Language, locale: Locale): Marks {
  if (locale.language === language && locale.tag !== null) return marksIn(locale.tag);
  let marks = known.get(language);
  if (marks === undefined) {
    marks = marksIn(language);
    known.set(language, marks);
  }
  return marks;
}

function marksIn(tag: string): Marks {
  const parts = new Intl.NumberFormat(tag, { useGrouping: true }).formatToParts(1_234_567.5);
  const mark = (type: string) => parts.find((part) => part.type === type)?.value ?? '';
  const group = mark('group');
  return {
    decimal: mark('decimal') === ',' ? ',' : '.',
    group: group === '.' || group === ',' ? group : null,
  };
}

/** A number that begins at the place, as far as it goes. Sticky. */
export const NUMBER = /(?:\d+(?:[.,'’\u00a0\u202f]\d+)*|\.\d+)(?:[eE][+-]?\d{1,3}(?![\d.,]))?/y;

/**
 * The value of what `NUMBER` found. Null when it has two readings in this language, or none: `1.234` is a decimal fraction
 * in one language and a thousand in another, `007` is no quantity.
 */
export function readNumber(text: string, marks: Marks): Rational | null {
  const [mantissa = '', exponent] = text.split(/e/i);
  const shift = exponent === undefined ? 0 : Number(exponent);
  if (Math.abs(shift) > MAX_EXPONENT) return null;
  const signs = [...mantissa.matchAll(/[^\d]/g)].map(([sign]) => (sign === '.' || sign === ',' ? sign : ' '));
  const digits = mantissa.split(/[^\d]/);
  let decimals = '';
  const last = signs.at(-1);
  if (signs.length === 1 && last !== ' ') {
    const decimal = isDecimal(digits, last!, marks);
    if (decimal === null) return null;
    if (decimal) [decimals = ''] = [digits.pop(), signs.pop()];
  } else if (last !== undefined && last !== ' ' && signs.indexOf(last) === signs.length - 1) {
    // Two kinds of marks: the last is the decimal one, whatever the language.
    [decimals = ''] = [digits.pop(), signs.pop()];
  }
  if (new Set(signs).size > 1) return null;
  const [first = '', ...groups] = digits;
  if (
    groups.length > 0 &&
    (first.length > 3 || first.startsWith('0') || groups.some((group) => group.length !== 3))
  )
    return null;
  const whole = digits.join('');
  if (whole.length > 1 && whole.startsWith('0')) return null;
  if (whole.length + decimals.length > MAX_DIGITS) return null;
  const scale = decimals.length - shift;
  const value = BigInt(whole + decimals);
  return scale >= 0 ? rational(value, 10n ** BigInt(scale)) : rational(value * 10n ** BigInt(-scale));
}

/** Whether the only mark of a number is its decimal mark; null when nobody can tell. */
function isDecimal(digits: readonly string[], mark: string, marks: Marks): boolean | null {
  const [before = '', after = ''] = digits;
  if (before === '' || before === '0' || before.length > 3 || after.length !== 3) return true;
  return mark === marks.decimal ? true : mark === marks.group ? false : null;
}
