/**
 * A ranker by a model that reads the question together with each passage.
 *
 * @module knowledge/retrieve/by-encoder
 */
import { KithError } from '../../base/index.ts';
import type { Ranker } from './expand.ts';
import type { CrossEncoder } from './types.ts';

/** Characters of a passage: more than the window of any such model, so that it cuts and not this. */
const MOST_OF_PASSAGE = 8000;

/** All hits, the best answer first; of equal ones the one that came first before. */
export function encodedBy(encoder: CrossEncoder): Ranker {
  return {
    name: 'cross-encoder',
    model: encoder.model,
    async rank(question, hits, signal) {
      const passages = hits.map(({ chunk: { title, text } }) =>
        `${title}\n${text}`.slice(0, MOST_OF_PASSAGE).toWellFormed(),
      );
      const scores = await encoder.score(question, passages, signal);
      if (scores.length !== hits.length || scores.some((score) => !Number.isFinite(score)))
        throw new KithError(
          'rerank_failed',
          `The model ${encoder.model} gave ${scores.length} scores for ${hits.length} passages, or some that are no number.`,
        );
      return hits.map((_, at) => at).sort((a, b) => scores[b]! - scores[a]! || a - b);
    },
  };
}
