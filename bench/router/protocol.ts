/**
 * Five folds: each prompt is scored once, by routers fitted on labels of the other four folds.
 *
 * Each fold is ordered by its own routers; the five orders are put together by the place within the fold, as five nodes
 * would each send their own top share to the frontier model.
 *
 * @module bench/router/protocol
 */
import { createSeededRandom, type Random } from '../../src/base/index.ts';
import type { HEAD_NAMES } from '../../src/gateway/router/ensemble.ts';
import { type Evaluation, evaluate } from '../../src/gateway/router/evaluate.ts';
import { extractFeatures } from '../../src/gateway/router/features.ts';
import { shuffle } from '../../src/gateway/router/heads.ts';
import { Neighbours } from '../../src/gateway/router/neighbours.ts';
import { fitEnsemble } from '../../src/gateway/router/refit.ts';
import type { Label } from '../../src/gateway/router/store.ts';
import { keywordTier } from './baselines.ts';
import type { Question } from './data.ts';
import type { Vectors } from './embeddings.ts';

const FOLDS = 5;

export const ROUTERS = [
  'random',
  'keyword tiers',
  'prompt length',
  'words and shape (text head)',
  'embedding (vector head)',
  'kNN (neighbours head)',
  'ensemble',
  'ensemble told to find what local gets wrong',
  'oracle',
] as const;
export type RouterName = (typeof ROUTERS)[number];

/** Questions as the routers see them: without benchmark, subject or place in the file. */
export function labelsOf(questions: readonly Question[], { rows, dimension }: Vectors): Label[] {
  return questions.map(({ prompt, weak, strong }, index) => ({
    seq: index,
    held: false,
    embedder: 'all-minilm-l6-v2',
    chance: null,
    features: extractFeatures(
      { text: prompt, depth: 0, tools: 0 },
      rows.subarray(index * dimension, (index + 1) * dimension),
    ),
    outcome: { local: weak, frontier: strong },
  }));
}

/** @param count Labels to fit on, of those that the fold leaves. */
export function crossValidate(
  questions: readonly Question[],
  labels: readonly Label[],
  count: number,
  seed: number,
): Record<RouterName, Evaluation> {
  const random = createSeededRandom(seed);
  const order = Uint32Array.from(labels.keys());
  shuffle(order, random);
  const places = Object.fromEntries(ROUTERS.map((name) => [name, new Float64Array(labels.length)])) as Record<
    RouterName,
    Float64Array
  >;
  for (let fold = 0; fold < FOLDS; fold++) {
    const test = [...order.filter((_, at) => at % FOLDS === fold)];
    const train = [...order.filter((_, at) => at % FOLDS !== fold)].slice(0, count);
    const scores = scoreFold(
      train.map((index) => labels[index]!),
      test.map((index) => labels[index]!),
      test.map((index) => questions[index]!),
      random,
    );
    for (const name of ROUTERS) {
      const place = placesOf(scores[name]);
      for (const [at, index] of test.entries()) places[name][index] = place[at]!;
    }
  }
  const gains = labels.map(({ outcome }) => outcome.frontier! - outcome.local!);
  return Object.fromEntries(ROUTERS.map((name) => [name, evaluate(places[name], gains)])) as Record<
    RouterName,
    Evaluation
  >;
}

/** Of the questions the baselines read the prompt alone, the oracle the answers alone. */
function scoreFold(
  train: readonly Label[],
  test: readonly Label[],
  questions: readonly Question[],
  random: Random,
): Record<RouterName, number[]> {
  const fitted = fit(train, test, random);
  const one = (name: (typeof HEAD_NAMES)[number]) => fitted.gains.map((gains) => gains[name]!);
  // The same heads, told that the frontier model is always right: what is left to find is what the local one gets wrong.
  const difficulty = fit(
    train.map((label) => ({ ...label, outcome: { ...label.outcome, frontier: 1 } })),
    test,
    random,
  );
  return {
    random: test.map(() => random.float()),
    'keyword tiers': questions.map(({ prompt }) => keywordTier(prompt)),
    'prompt length': questions.map(({ prompt }) => prompt.length),
    'words and shape (text head)': one('text'),
    'embedding (vector head)': one('vector'),
    'kNN (neighbours head)': one('neighbours'),
    ensemble: fitted.ranks,
    'ensemble told to find what local gets wrong': difficulty.ranks,
    oracle: questions.map(({ weak, strong }) => strong - weak),
  };
}

function fit(train: readonly Label[], test: readonly Label[], random: Random) {
  const dimension = train[0]!.features.vector!.length;
  const neighbours = new Neighbours({ dimension });
  for (const label of train) neighbours.learn(label);
  const work = fitEnsemble(train, dimension, neighbours, random);
  let step = work.next();
  while (step.done !== true) step = work.next();
  const ensemble = step.value;
  const gains = test.map(({ features }) => ensemble.gains(features));
  // The prompts of the fold, without their labels, are the traffic among which gains are ranked.
  ensemble.calibrate(gains);
  return { gains, ranks: gains.map((each) => ensemble.rank(each)) };
}

/** Share of the scores that are lower, equal ones counting half. */
function placesOf(scores: readonly number[]): Float64Array {
  const order = [...scores.keys()].sort((a, b) => scores[a]! - scores[b]!);
  const places = new Float64Array(scores.length);
  for (let at = 0; at < order.length; ) {
    let end = at;
    while (end < order.length && scores[order[end]!] === scores[order[at]!]) end++;
    for (let each = at; each < end; each++) places[order[each]!] = (at + end) / 2 / order.length;
    at = end;
  }
  return places;
}
