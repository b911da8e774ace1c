/**
 * What is said when the sources do not answer.
 *
 * @module knowledge/answer/refusal
 */
import { type Language, PHRASES } from './language.ts';
import type { Source, Support } from './types.ts';

const MOST_NAMED = 3;
const MOST_MISSING = 4;

/** Says that, why, and what was looked at. */
export function refusalText(reason: string, sources: readonly Source[], language: Language): string {
  const { notAnswered, nothingNear, nearest } = PHRASES[language];
  const looked = [...new Set(sources.map(({ title }) => title.replace(/\s+/gu, ' ').slice(0, 100)))];
  const list = looked
    .slice(0, MOST_NAMED)
    .map((title) => (language === 'de' ? `„${title}“` : `“${title}”`))
    .join(', ');
  return notAnswered(reason, looked.length === 0 ? nothingNear : nearest(list, looked.length - MOST_NAMED));
}

export function reasonOf({ missing }: Support, sources: readonly Source[], language: Language): string {
  const { nothingFound, noneSpeaks, notAbout } = PHRASES[language];
  if (sources.length === 0) return nothingFound;
  return missing.length > 0 ? noneSpeaks(missing.slice(0, MOST_MISSING)) : notAbout;
}
