/**
 * How good an order of prompts is: share of the quality gap between the two models that is regained (PGR) when the
 * share c of prompts that the order puts first goes to the frontier model (Ong et al., "RouteLLM", 2025).
 *
 * - APGR: area under PGR(c) for c from 0 to 1. Random order, and any mix of the two models by lot (the "Zero router" of
 *   RouterBench, Hu et al. 2024), has 0.5 in expectation.
 * - CPTx: least c at which PGR is x %.
 *
 * @module gateway/router/evaluate
 */
import type { Random } from '../../base/index.ts';

export interface Evaluation {
  /** Prompts compared. */
  readonly prompts: number;
  /** NaN when the frontier model is not better on these prompts: there is no gap to regain. */
  readonly apgr: number;
  readonly cpt50: number;
  readonly cpt80: number;
}

/** APGR of the Zero router, which mixes the two models by lot. */
export const ZERO_APGR = 0.5;

/**
 * @param scores Order: higher goes to the frontier model earlier. Equal scores share what their prompts gain.
 * @param gains Frontier minus local quality of each prompt; estimates do, when they are right on average.
 */
export function evaluate(scores: ArrayLike<number>, gains: ArrayLike<number>): Evaluation {
  const prompts = scores.length;
  const order = Uint32Array.from({ length: prompts }, (_, index) => index).sort(
    (a, b) => scores[b]! - scores[a]!,
  );
  let total = 0;
  for (let at = 0; at < prompts; at++) total += gains[at]!;
  if (!(total > 0)) return { prompts, apgr: Number.NaN, cpt50: Number.NaN, cpt80: Number.NaN };
  let area = 0;
  let sum = 0;
  const thresholds = [0.5, 0.8].map((share) => ({ goal: share * total, at: Number.NaN }));
  for (let at = 0; at < prompts; ) {
    let end = at;
    let gain = 0;
    while (end < prompts && scores[order[end]!] === scores[order[at]!]) gain += gains[order[end++]!]!;
    const next = sum + gain;
    area += ((sum + next) / 2) * (end - at);
    for (const call of thresholds) {
      if (!Number.isNaN(call.at) || next < call.goal) continue;
      call.at = (at + ((call.goal - sum) / (next - sum)) * (end - at)) / prompts;
    }
    sum = next;
    at = end;
  }
  return { prompts, apgr: area / prompts / total, cpt50: thresholds[0]!.at, cpt80: thresholds[1]!.at };
}

const ROUNDS_PER_TURN = 8;

/**
 * Standard error of the APGR, by `rounds` bootstrap samples of the prompts. Samples without a gap are left out. Yields
 * every few ms.
 */
export function* apgrError(
  scores: ArrayLike<number>,
  gains: ArrayLike<number>,
  random: Random,
  rounds = 100,
): Generator<void, number, undefined> {
  const { length } = scores;
  const values: number[] = [];
  const someScores = new Float64Array(length);
  const someGains = new Float64Array(length);
  for (let round = 0; round < rounds; round++) {
    if (round % ROUNDS_PER_TURN === 0) yield;
    for (let at = 0; at < length; at++) {
      const pick = Math.floor(random.float() * length);
      someScores[at] = scores[pick]!;
      someGains[at] = gains[pick]!;
    }
    const { apgr } = evaluate(someScores, someGains);
    if (Number.isFinite(apgr)) values.push(apgr);
  }
  if (values.length < 2) return Number.POSITIVE_INFINITY;
  const mean = values.reduce((a, b) => a + b, 0) / values.length;
  return Math.sqrt(values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / (values.length - 1));
}
