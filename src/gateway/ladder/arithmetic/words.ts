/**
 * How people ask for a calculation, by language. Words are written as the lexer compares them: small letters without
 * accents. What is not here is not understood, and then nothing is answered.
 *
 * @module gateway/ladder/arithmetic/words
 */
import type { Language } from '../locale.ts';
import type { Lexicon } from './lexicon.ts';
import { DE, EN, NL } from './words-germanic.ts';
import { ES, FR, IT, PT } from './words-romance.ts';

export const LEXICONS: Readonly<Record<Language, Lexicon>> = {
  en: EN,
  de: DE,
  fr: FR,
  es: ES,
  it: IT,
  pt: PT,
  nl: NL,
};
