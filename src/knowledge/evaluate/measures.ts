/**
 * How good a ranking is against judgements: the measures of trec_eval, by its definitions, 0 to 1.
 *
 * nDCG has trec_eval's linear gain (the judgement itself, not 2^judgement - 1) and log2(rank + 1) discount; a judgement of 0
 * or less is not relevant. What is not judged counts as not relevant.
 *
 * @module knowledge/evaluate/measures
 */

/** Judgement by document. */
export type Judgements = ReadonlyMap<string, number>;

/** Documents of one question, best first, each once. */
export type Ranking = readonly string[];

export function ndcg(ranking: Ranking, judged: Judgements, k: number): number {
  const gains = [...judged.values()].filter((gain) => gain > 0).sort((a, b) => b - a);
  const ideal = discounted(gains.slice(0, k));
  if (ideal === 0) return 0;
  return discounted(ranking.slice(0, k).map((id) => Math.max(0, judged.get(id) ?? 0))) / ideal;
}

function discounted(gains: readonly number[]): number {
  return gains.reduce((sum, gain, i) => sum + gain / Math.log2(i + 2), 0);
}

/** Share of the relevant documents that are among the first k. */
export function recall(ranking: Ranking, judged: Judgements, k: number): number {
  const relevant = relevantOf(judged);
  if (relevant.size === 0) return 0;
  return found(ranking, relevant, k) / relevant.size;
}

/** 1 when all relevant documents are among the first k, else 0: what a question over several documents needs. */
export function allEvidence(ranking: Ranking, judged: Judgements, k: number): number {
  const relevant = relevantOf(judged);
  return relevant.size > 0 && found(ranking, relevant, k) === relevant.size ? 1 : 0;
}

/** 1 / rank of the first relevant document; 0 when there is none among the first k. */
export function reciprocalRank(ranking: Ranking, judged: Judgements, k = Number.POSITIVE_INFINITY): number {
  const relevant = relevantOf(judged);
  const first = ranking.findIndex((id) => relevant.has(id));
  return first < 0 || first >= k ? 0 : 1 / (first + 1);
}

/** Mean of the precision at each relevant document; those that are not found count as 0. */
export function averagePrecision(ranking: Ranking, judged: Judgements): number {
  const relevant = relevantOf(judged);
  if (relevant.size === 0) return 0;
  let hits = 0;
  let sum = 0;
  ranking.forEach((id, i) => {
    if (relevant.has(id)) sum += ++hits / (i + 1);
  });
  return sum / relevant.size;
}

function relevantOf(judged: Judgements): Set<string> {
  return new Set([...judged].filter(([, gain]) => gain > 0).map(([id]) => id));
}

function found(ranking: Ranking, relevant: ReadonlySet<string>, k: number): number {
  return ranking.slice(0, k).filter((id) => relevant.has(id)).length;
}

/** Name of a measure, as tables and saved figures show it: `ndcg@10`, `recall@5`, `mrr`, `map`. */
export type Measure =
  | `ndcg@${number}`
  | `recall@${number}`
  | `all@${number}`
  | `mrr@${number}`
  | 'mrr'
  | 'map';

export const MEASURES: readonly Measure[] = [
  'ndcg@10',
  'recall@2',
  'recall@5',
  'recall@10',
  'recall@100',
  'all@5',
  'all@10',
  'mrr',
  'map',
];

/** The value of a measure for one question. */
export function measure(name: Measure, ranking: Ranking, judged: Judgements): number {
  const [kind, depth] = name.split('@') as [string, string | undefined];
  const k = depth === undefined ? Number.POSITIVE_INFINITY : Number(depth);
  switch (kind) {
    case 'ndcg':
      return ndcg(ranking, judged, k);
    case 'recall':
      return recall(ranking, judged, k);
    case 'all':
      return allEvidence(ranking, judged, k);
    case 'mrr':
      return reciprocalRank(ranking, judged, k);
    default:
      return averagePrecision(ranking, judged);
  }
}
