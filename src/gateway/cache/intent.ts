/**
 * How close two questions must be, by what they ask for. The closer the wording decides the answer, the closer they
 * must be; where the text itself is what is worked on, no other text will do.
 *
 * @module gateway/cache/intent
 */

import { withoutPoliteness } from './anchors.ts';

/**
 * `fact`: who, when, where, how many, is it so; `howto`: how to do or understand something; `talk`: the rest;
 * `work`: work on a text, code or numbers that the message holds.
 */
export type Intent = 'fact' | 'howto' | 'talk' | 'work';

/**
 * Cosine similarity from which an answer is given. Infinity: never. Set for all-MiniLM-L6-v2, by the pairs of
 * meaning.test.ts: with equal anchors, questions with one answer have 0.96 to 1.00 but for one in ten, those with two have 0.93 at most.
 */
export const DEFAULT_THRESHOLDS: Readonly<Record<Intent, number>> = {
  fact: 0.95,
  howto: 0.95,
  talk: 0.96,
  work: Number.POSITIVE_INFINITY,
};

/** Longer messages are not looked up by meaning: a vector of many sentences says little about any one of them. */
export const MAX_SIMILAR_CHARS = 400;

const WORK =
  /^(?:please\s+)?(?:translate|summari[sz]e|correct|proofread|rewrite|rephrase|paraphrase|extract|classify|sort|convert|calculate|compute|solve|prove|write|compose|generate|draft|fix|debug|refactor|implement|continue|complete|imagine|pretend|invent|create|make|roll|pick|choose)\b|```|[{}<>;=]|\n/i;
const FACT =
  /^(?:who|whom|whose|when|where|which|what|how\s+(?:many|much|old|tall|far|long|big|high|deep|often)|is|are|was|were|does|did|has|have|can)\b/i;
const HOWTO =
  /^(?:how|why|explain|describe|what\s+(?:is|are)\s+the\s+(?:best\s+)?(?:way|ways|steps?)|what\s+does|what's\s+the\s+way)\b/i;

export function intentOf(text: string): Intent {
  const start = withoutPoliteness(text.trim());
  if (start.length > MAX_SIMILAR_CHARS || WORK.test(start)) return 'work';
  if (/^how\s+(?:many|much|old|tall|far|long|big|high|deep|often)\b/i.test(start)) return 'fact';
  if (HOWTO.test(start)) return 'howto';
  return FACT.test(start) ? 'fact' : 'talk';
}
