/**
 * How much of what an answer should say is in the passages that were found for it: keyword groups and numbers of a file of questions,
 * by the same rules as for answers, over the first passages together.
 *
 * @module knowledge/evaluate/passages
 */
import { type Expectation, type KeywordScore, keywordScore, overall } from './keywords.ts';

/** How many of the first passages are read together. */
export const DEPTHS = [1, 5, 10] as const;

export interface PassagesJudged {
  readonly id: string;
  /** By depth, in the order of `DEPTHS`. */
  readonly scores: readonly KeywordScore[];
  /** From 1: the passage with which the first group is hit; null when none is among the deepest. */
  readonly first: number | null;
}

/** @param texts of passages with their titles, best first */
export function judgePassages(id: string, expected: Expectation, texts: readonly string[]): PassagesJudged {
  const deepest = texts.slice(0, DEPTHS.at(-1));
  const at = deepest.findIndex((text) => keywordScore(text, expected).hits > 0);
  return {
    id,
    scores: DEPTHS.map((depth) => keywordScore(texts.slice(0, depth).join('\n\n'), expected)),
    first: at < 0 ? null : at + 1,
  };
}

/** Each from 0 to 1, by its name: `keywords@5` the share of groups, `all@5` whether all were hit, `mrr` 1 / rank of the first hit. */
export function passageValues({ scores, first }: PassagesJudged): Record<string, number> {
  const values: Record<string, number> = {};
  for (const [i, { hits, groups }] of scores.entries()) {
    values[`keywords@${DEPTHS[i]}`] = groups === 0 ? 0 : hits / groups;
    values[`all@${DEPTHS[i]}`] = groups > 0 && hits === groups ? 1 : 0;
  }
  values.mrr = first === null ? 0 : 1 / first;
  return values;
}

/** Keywords over all groups of all questions, as for answers; the others in the mean over questions. */
export function passageMeans(all: readonly PassagesJudged[]): Record<string, number> {
  const means: Record<string, number> = {};
  const values = all.map(passageValues);
  for (const name of Object.keys(values[0] ?? {}))
    means[name] = values.reduce((sum, each) => sum + each[name]!, 0) / values.length;
  for (const [i, depth] of DEPTHS.entries())
    if (all.length > 0) means[`keywords@${depth}`] = overall(all.map(({ scores }) => scores[i]!));
  return means;
}
