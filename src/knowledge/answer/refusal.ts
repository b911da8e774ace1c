/**
 * What is said when the sources do not answer.
 *
 * @module knowledge/answer/refusal
 */
import type { Source, Support } from './types.ts';

const MOST_NAMED = 3;

/** Says that, why, and what was looked at. */
export function refusalText(reason: string, sources: readonly Source[]): string {
  const looked = [...new Set(sources.map(({ title }) => title.replace(/\s+/gu, ' ').slice(0, 100)))];
  const more = looked.length - MOST_NAMED;
  const list = looked
    .slice(0, MOST_NAMED)
    .map((title) => `“${title}”`)
    .join(', ');
  const seen =
    looked.length === 0
      ? 'Nothing in the knowledge base came near the question.'
      : `What came nearest: ${list}${more > 0 ? ` and ${more} more` : ''}.`;
  return `The documents do not answer this: ${reason}. ${seen}`;
}

export function reasonOf({ missing }: Support, sources: readonly Source[]): string {
  if (sources.length === 0) return 'nothing was found';
  if (missing.length > 0)
    return `none of them speaks of ${missing
      .slice(0, 4)
      .map((word) => `“${word}”`)
      .join(', ')}`;
  return 'nothing that was found is about what you ask';
}
