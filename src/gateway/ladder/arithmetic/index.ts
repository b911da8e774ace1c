/**
 * Exact arithmetic: calculations in signs and in the words of seven languages, in fractions of any size up to about 1,200
 * digits. What is not understood whole, or has two readings, is left unanswered.
 *
 * @module gateway/ladder/arithmetic
 */
import { LANGUAGES, type Language, type Locale, readLocale } from '../locale.ts';
import type { SearchAdapter } from '../types.ts';
import { evaluate } from './evaluate.ts';
import { lex } from './lexer.ts';
import { marksOf } from './numbers.ts';
import { parse } from './parser.ts';
import { render, result } from './render.ts';
import { LEXICONS } from './words.ts';

/** Longer texts are no question for it. */
export const MAX_QUESTION = 400;

interface Reading {
  readonly language: Language;
  /** `12.5% × 480 = 60`. */
  readonly text: string;
  /** The same in every language when the same was understood. */
  readonly meaning: string;
}

/**
 * The calculation and its result, as `3 × 17 = 51`; null when the text is none that is understood. Where languages read
 * it differently (`1,234 × 2`), the locale decides; without one nothing is answered.
 */
export function calculate(text: string, locale: Locale): string | null {
  if (text.length > MAX_QUESTION || !/\p{L}|\d/u.test(text)) return null;
  const question = text.normalize('NFC');
  const readings = LANGUAGES.flatMap((language) => read(question, language, locale) ?? []);
  const own = readings.find(({ language }) => language === locale.language);
  const first = readings[0];
  if (own !== undefined) return own.text;
  return first !== undefined && readings.every(({ meaning }) => meaning === first.meaning)
    ? first.text
    : null;
}

function read(text: string, language: Language, locale: Locale): Reading | null {
  const marks = marksOf(language, locale);
  const lexicon = LEXICONS[language];
  const question = lex(text, lexicon, marks);
  const expression = question && parse(question);
  const value = expression && evaluate(expression);
  if (!value) return null;
  const [shown, meaning] = [render(expression!, marks.decimal), render(expression!, '.')];
  if (shown === null || meaning === null) return null;
  return { language, text: shown + result(value, marks.decimal, lexicon.digits), meaning };
}

/** Never leaves this machine. */
export function createArithmetic(): SearchAdapter {
  return {
    name: 'arithmetic',
    destination: { kind: 'this_machine' },
    async search(question, { locale }) {
      const text = calculate(question, readLocale(locale));
      return text === null ? null : { text, sources: [] };
    },
  };
}
