/**
 * A source's text as the sentences that can be shown beside a citation.
 *
 * @module knowledge/answer/claims/sentences
 */
import { sentencesOf } from '../../chunk/index.ts';

/** Characters of one: what is longer is taken line by line, and then cut. */
const LONGEST = 600;

/** In their order, each trimmed, none empty. Items of lists and rows of tables stand alone. */
export function quotableSentences(text: string): string[] {
  const found: string[] = [];
  for (const stretch of sentencesOf(text)) {
    const apart = /^\s*(?:[-*•]|\d+[.)])\s|\s\|\s/mu.test(stretch) || stretch.length > LONGEST;
    for (const line of apart ? stretch.split('\n') : [stretch]) {
      const trimmed = line.trim();
      for (let from = 0; from < trimmed.length; from += LONGEST) {
        const piece = trimmed
          .slice(from, from + LONGEST)
          .toWellFormed()
          .trim();
        if (piece !== '') found.push(piece);
      }
    }
  }
  return found;
}
