/**
 * People who were named once are found again by a part of their name: "Ms Oduya said", then "Oduya".
 *
 * @module gateway/privacy/known-names
 */
import { AMBIGUOUS_NAMES } from './detectors/first-names.ts';
import { NO_NAMES, PARTICLES, TITLES } from './detectors/name-cues.ts';
import type { Span } from './types.ts';
import { plainWord, type TextView } from './view.ts';

/** Words of a name by which it is known again: plain, of three letters or more. */
export function nameWords(name: string): string[] {
  return name
    .split(/[^\p{L}\p{M}]+/u)
    .filter((word) => /^\p{Lu}/u.test(word))
    .map(plainWord)
    .filter((word) => word.length >= 3 && word.length <= 40 && !isCommon(word));
}

const isCommon = (word: string) =>
  NO_NAMES.has(word) || PARTICLES.has(word) || TITLES.has(word) || AMBIGUOUS_NAMES.has(word);

/** Words of known names, those that follow each other as one span. */
export function knownNames(view: TextView, known: ReadonlySet<string>): Span[] {
  const spans: Span[] = [];
  let start = -1;
  let end = -1;
  const close = () => {
    if (start >= 0) spans.push({ class: 'name', start, end, confidence: 0.55, kind: 'known' });
    start = -1;
  };
  for (let token = 0; token < view.tokens; token++) {
    view.steps++;
    if (!view.isCapital(token) || !known.has(view.plain(token))) {
      close();
      continue;
    }
    if (start >= 0 && view.starts[token]! - end > 1) close();
    if (start < 0) start = view.starts[token]!;
    end = view.ends[token]!;
  }
  close();
  return spans;
}
