/**
 * What two questions must have exactly in common to be given one answer, however near their vectors are: vectors put "born 1884"
 * beside "born 1914".
 *
 * @module knowledge/cache/telling
 */
import { anchorsOf, withoutPoliteness } from '../../gateway/index.ts';
import { namesIn, normalForm } from '../graph/index.ts';

/** Numbers with their separators, words with what is inside them, and every other sign that is no punctuation. */
const TOKEN =
  /\p{N}(?:[\p{N}.,:'’/-]*\p{N})?|[\p{L}\p{M}][\p{L}\p{M}\p{N}_]*(?:['’][\p{L}\p{M}\p{N}]+)*|[-+*/=<>%&#@§^~|\\$€£¥]|[^\s\p{P}\p{L}\p{M}\p{N}]/gu;
const GROUPED = /^\d{1,3}(?:[,'’]\d{3})+$/;
/** Articles, and what only begs. */
const LIGHT = new Set(['a', 'an', 'the', 'please']);

/**
 * The words of a question in their order, without articles, politeness, punctuation and capitals: equal lists, the same question.
 * Abbreviations (`US`) keep their capitals.
 */
export function wordsAsked(text: string): string[] {
  const plain = withoutPoliteness(text.normalize('NFC').trim());
  return [...plain.matchAll(TOKEN)].flatMap(([token]) => {
    if (/\p{N}/u.test(token[0]!)) return [GROUPED.test(token) ? token.replace(/[,'’]/g, '') : token];
    const word = /^\p{Lu}{2,}$/u.test(token) ? token : token.toLowerCase().replaceAll('’', "'");
    return LIGHT.has(word) ? [] : [word];
  });
}

/** Words with `'s` that say nothing of whose something is. */
const CONTRACTED = new Set([
  'it',
  'that',
  'there',
  'here',
  'what',
  'who',
  'where',
  'when',
  'how',
  'he',
  'she',
  'let',
]);

/**
 * Whose whose something is: "Ann's brother's wife" is not "Ann's wife's brother", whose vectors have a cosine of 0.998. Empty for less
 * than two such ties: then the words themselves differ.
 */
function chainOf(words: readonly string[]): string[] {
  const ties = words.flatMap((word, at) => {
    if (word === 'of') return words[at + 1] ?? [];
    const owner = /^(.+)'s$/.exec(word)?.[1];
    return owner === undefined || CONTRACTED.has(owner) ? [] : owner;
  });
  return ties.length < 2 ? [] : ties;
}

/**
 * Numbers, units, names, negations, words of direction, quotes, codes and chains of whose something is, each in their order; and the
 * names that the knowledge base has, in any writing. Equal texts are needed, not enough: vectors must be near, too.
 *
 * @param known names of the knowledge base that the question has, in the form under which they are compared
 */
export function anchorsAsked(text: string, known: readonly string[]): string {
  const names = namesIn(text).map(({ surface }) => normalForm(surface));
  const digits = text.normalize('NFKC').match(/\p{N}+/gu) ?? [];
  return JSON.stringify([anchorsOf(text), names, [...known].sort(), digits, chainOf(wordsAsked(text))]);
}
