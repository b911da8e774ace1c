/**
 * Words as they are compared: without accents, capitals and endings.
 *
 * @module knowledge/answer/claims/words
 */
import { isStopWord } from '../../retrieve/index.ts';
import { hasRuns, piecesOfWord } from '../../store/grams.ts';

const MARKS = /\p{M}+/gu;
const LETTERS: Readonly<Record<string, string>> = {
  ...{ ß: 'ss', æ: 'ae', œ: 'oe', ø: 'o', ł: 'l', đ: 'd', ð: 'd', þ: 'th', ı: 'i' },
};
const SPECIAL = /[ßæœøłđðþı]/gu;
const WORD = /[\p{L}\p{N}]+(?:['’][\p{L}]+)?/gu;

/** Lower case, compatibility forms resolved, no accents. */
export function fold(text: string): string {
  return text
    .normalize('NFKD')
    .replace(MARKS, '')
    .toLowerCase()
    .replace(SPECIAL, (letter) => LETTERS[letter]!);
}

/** Folded words in their order, without `'s`; where a script leaves no spaces, pairs of its characters. */
export function foldedWords(text: string): string[] {
  const words = (fold(text).match(WORD) ?? []).map((word) =>
    word.replace(/['’]s$/u, '').replace(/['’]/u, ''),
  );
  return hasRuns(text) ? words.flatMap(piecesOfWord) : words;
}

/**
 * Endings of English words off, a little at a time: two words with one stem are mostly forms of each other. Lighter than Porter's,
 * since a claim and its source are compared and not looked up.
 */
export function stem(word: string): string {
  if (word.length <= 3 || /\d/.test(word)) return word;
  let cut = word;
  if (cut.endsWith('ies') && cut.length > 4) cut = `${cut.slice(0, -3)}y`;
  else if (/(?:ss|sh|ch|x|z)es$/.test(cut)) cut = cut.slice(0, -2);
  else if (cut.endsWith('s') && !/(?:ss|us|is)$/.test(cut)) cut = cut.slice(0, -1);
  if (/(?:ing|ed|ly)$/.test(cut)) {
    const shorter = cut.replace(/(?:ing|ed|ly)$/, '');
    if (shorter.length >= 3 && /[aeiouy]/.test(shorter)) cut = shorter.replace(/([bdgmnprt])\1$/, '$1');
  }
  cut = cut.replace(/(?:ation|ition|ment|ness)$/, (end) => (cut.length - end.length >= 4 ? '' : end));
  return cut.length > 3 ? cut.replace(/[ey]$/, '') : cut;
}

/** Stems of the words that tell something, each once. */
export function tellingStems(text: string): string[] {
  const stems = new Set<string>();
  for (const word of foldedWords(text)) if (!isStopWord(word) && word.length > 1) stems.add(stem(word));
  return [...stems];
}
