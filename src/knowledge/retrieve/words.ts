/**
 * The words of a question that are looked up.
 *
 * @module knowledge/retrieve/words
 */

/** Lucene's list and the words that questions are made of: among documents they tell nothing apart. */
const STOP_WORDS: ReadonlySet<string> = new Set(
  (
    'a an and are as at be but by for if in into is it no not of on or such that the their then there these they this to was ' +
    'will with am been being can could did do does doing from had has have having he her here him his how i me my our she ' +
    'should so some than them too us we were what when where which while who whom why would you your'
  ).split(' '),
);

/** Words that are looked up; of a longer question the first. */
const MOST_WORDS = 128;
/** Characters of a question that are looked at. */
const MOST_CHARACTERS = 20_000;

const WORD = /[\p{L}\p{M}\p{N}]+/gu;

/** Each once, in the order of the question. All of them when it has nothing but stop words. */
export function wordsOf(question: string): readonly string[] {
  const all = new Set(question.slice(0, MOST_CHARACTERS).toLowerCase().match(WORD) ?? []);
  const telling = [...all].filter((word) => !STOP_WORDS.has(word));
  return (telling.length > 0 ? telling : [...all]).slice(0, MOST_WORDS);
}

/** Whether a word, in lower case, tells documents not apart. */
export function isStopWord(word: string): boolean {
  return STOP_WORDS.has(word);
}
