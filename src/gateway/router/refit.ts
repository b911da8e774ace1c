/**
 * Learns all weights anew from the kept labels, and judges them by the labels held out: new weights are used only when
 * they order those prompts better than the weights in use, and better than mixing the two models by lot.
 *
 * @module gateway/router/refit
 */
import type { Random } from '../../base/index.ts';
import { createEnsemble, Ensemble, type Gains } from './ensemble.ts';
import { apgrError, type Evaluation, evaluate, ZERO_APGR } from './evaluate.ts';
import type { Neighbours } from './neighbours.ts';
import type { Label } from './store.ts';
import type { Outcome } from './types.ts';

/** Fewer held-out labels than this judge nothing. */
export const MIN_HELD = 50;
/** A lot with a smaller chance would give one label the weight of many. */
const MIN_CHANCE = 0.05;
/** Prompts compared with all neighbours between two yields: about 5 ms. */
const PROMPTS_PER_TURN = 3;

export type Verdict =
  | 'promoted'
  /** Fewer than `MIN_HELD` held-out labels that can judge. */
  | 'too_few_labels'
  /** The frontier model was not better on the held-out labels. */
  | 'no_gap'
  /** Not better than mixing by lot by more than one standard error. */
  | 'zero_not_beaten'
  /** Not better than the weights in use. */
  | 'not_better';

export interface Judgement {
  readonly verdict: Verdict;
  /** Labels learnt from, and labels judged by. */
  readonly trained: number;
  readonly held: number;
  /** Null where too few labels were there to judge. */
  readonly candidate: (Evaluation & { readonly error: number }) | null;
  /** Of the weights in use; null before the first version. */
  readonly current: Evaluation | null;
}

/**
 * Frontier minus local quality, right on average over the lots that were drawn (Horvitz and Thompson 1952): a side that
 * was observed with probability p counts 1/p times. Null where no lot was drawn and a side is unknown, since what a
 * router chooses by its own scores cannot judge those scores.
 */
export function estimatedGain({ local, frontier }: Outcome, chance: number | null): number | null {
  if (local !== null && frontier !== null) return frontier - local;
  if (chance === null || chance < MIN_CHANCE || chance > 1 - MIN_CHANCE) return null;
  return ((frontier ?? 0) - (local ?? 0)) / chance;
}

/** A new ensemble that has learnt the labels; yields every few ms. `neighbours` holds the same labels already. */
export function* fitEnsemble(
  labels: readonly Label[],
  dimension: number | null,
  neighbours: Neighbours | null,
  random: Random,
): Generator<void, Ensemble, undefined> {
  const ensemble = createEnsemble(dimension, undefined, neighbours);
  yield* ensemble.parts.text.fit(labels, random);
  if (ensemble.parts.vector !== null) yield* ensemble.parts.vector.fit(labels, random);
  return ensemble;
}

/**
 * Compares two ensembles on held-out labels. Both rank these prompts among themselves; the candidate's windows keep
 * them, so that its first requests are ranked among prompts it did not learn.
 *
 * @param current Null before the first version.
 */
export function* judge(
  candidate: Ensemble,
  current: Ensemble | null,
  held: readonly Label[],
  trained: number,
  random: Random,
): Generator<void, Judgement, undefined> {
  const gains = yield* gainsOf(candidate, held);
  candidate.calibrate(gains);
  const usable: number[] = [];
  const truth: number[] = [];
  for (const [index, { outcome, chance }] of held.entries()) {
    const gain = estimatedGain(outcome, chance);
    if (gain === null) continue;
    usable.push(index);
    truth.push(gain);
  }
  if (usable.length < MIN_HELD)
    return { verdict: 'too_few_labels', trained, held: usable.length, candidate: null, current: null };
  const scores = usable.map((index) => candidate.rank(gains[index]!));
  const found = evaluate(scores, truth);
  const error = yield* apgrError(scores, truth, random);
  let before: Evaluation | null = null;
  if (current !== null) {
    // The same heads with windows of their own: those in use go on with the requests that come meanwhile.
    const same = new Ensemble(current.parts);
    const known = yield* gainsOf(same, held);
    same.calibrate(known);
    before = evaluate(
      usable.map((index) => same.rank(known[index]!)),
      truth,
    );
  }
  let verdict: Verdict = 'promoted';
  if (Number.isNaN(found.apgr)) verdict = 'no_gap';
  else if (!(found.apgr - error > ZERO_APGR)) verdict = 'zero_not_beaten';
  else if (before !== null && !(found.apgr > before.apgr)) verdict = 'not_better';
  return { verdict, trained, held: usable.length, candidate: { ...found, error }, current: before };
}

function* gainsOf(ensemble: Ensemble, labels: readonly Label[]): Generator<void, Gains[], undefined> {
  const gains: Gains[] = [];
  for (const { features } of labels) {
    gains.push(ensemble.gains(features));
    if (gains.length % PROMPTS_PER_TURN === 0) yield;
  }
  return gains;
}
