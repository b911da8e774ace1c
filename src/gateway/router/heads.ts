/**
 * The two heads with weights: one on the words and the shape of the text, one on its vector and shape. Each holds two
 * logistic models, of the local and of the frontier model being right, and tells their difference. The difference is
 * what a call of the frontier model buys; how hard a prompt looks is not (where both fail, nothing is bought).
 *
 * @module gateway/router/heads
 */
import { KithError, type Random } from '../../base/index.ts';
import { BUCKETS, SHAPE_COUNT } from './features.ts';
import { Logistic, type LogisticOptions } from './logistic.ts';
import type { Example, Features, Head, Side } from './types.ts';
import { SIDES } from './types.ts';

/** A head whose knowledge is weights. */
export interface WeightedHead extends Head {
  /** Weights and squares of the local model, then those of the frontier model; copied. */
  snapshot(): Float32Array;
  /**
   * Learns from scratch, in `epochs` passes of random order. Yields every few hundred steps, so that a caller can let
   * other work in between.
   */
  fit(examples: readonly Example[], random: Random): Generator<void, void, undefined>;
}

interface Design {
  readonly options: LogisticOptions;
  readonly epochs: number;
  /** Null when the head cannot read these features. */
  readonly dense: (features: Features) => Float32Array | null;
  readonly words: boolean;
}

/** Steps between two yields of `fit`: about 5 ms. */
const STEPS_PER_TURN = 256;

/** On hashed words, pairs of words, and the shape. */
export function createTextHead(state?: Float32Array): WeightedHead {
  return pair(
    {
      options: { dense: SHAPE_COUNT, sparse: BUCKETS, rate: 0.05, ridge: 0 },
      epochs: 5,
      dense: (features) => features.shape,
      words: true,
    },
    state,
  );
}

/** On the vector of an embedder and the shape; tells nothing about prompts without a vector. */
export function createVectorHead(dimension: number, state?: Float32Array): WeightedHead {
  const joined = new Float32Array(dimension + SHAPE_COUNT);
  return pair(
    {
      options: { dense: dimension + SHAPE_COUNT, sparse: 0, rate: 0.03, ridge: 1e-3 },
      epochs: 5,
      dense: ({ vector, shape }) => {
        if (vector === null || vector.length !== dimension) return null;
        joined.set(vector);
        joined.set(shape, dimension);
        return joined;
      },
      words: false,
    },
    state,
  );
}

function pair(design: Design, state?: Float32Array): WeightedHead {
  const length = Logistic.stateLength(design.options);
  if (state !== undefined && state.length !== 2 * length)
    throw new KithError(
      'router_weights_invalid',
      `The router's weights are ${state.length} numbers instead of ${2 * length}; delete its file to start anew.`,
    );
  const models: Record<Side, Logistic> = {
    local: new Logistic(design.options, state?.subarray(0, length)),
    frontier: new Logistic(design.options, state?.subarray(length, 2 * length)),
  };

  function learn({ features, outcome }: Example): void {
    const dense = design.dense(features);
    if (dense === null) return;
    for (const side of SIDES) {
      const target = outcome[side];
      if (target === null) continue;
      if (design.words) models[side].learn(target, dense, features.terms, features.weights);
      else models[side].learn(target, dense);
    }
  }

  return {
    gain(features) {
      const dense = design.dense(features);
      if (dense === null) return null;
      const { local, frontier } = models;
      if (!design.words) return frontier.predict(dense) - local.predict(dense);
      const { terms, weights } = features;
      return frontier.predict(dense, terms, weights) - local.predict(dense, terms, weights);
    },
    learn,
    snapshot() {
      const all = new Float32Array(2 * length);
      all.set(models.local.state);
      all.set(models.frontier.state, length);
      return all;
    },
    *fit(examples, random) {
      for (const side of SIDES) {
        models[side] = new Logistic(design.options);
        const known = examples.flatMap(({ outcome }) => outcome[side] ?? []);
        if (known.length > 0) models[side].setBase(known.reduce((a, b) => a + b, 0) / known.length);
      }
      const order = Uint32Array.from(examples.keys());
      let steps = 0;
      for (let epoch = 0; epoch < design.epochs; epoch++) {
        shuffle(order, random);
        for (const index of order) {
          learn(examples[index]!);
          if (++steps % STEPS_PER_TURN === 0) yield;
        }
      }
    },
  };
}

/** Fisher and Yates's. */
export function shuffle(order: Uint32Array, random: Random): void {
  for (let at = order.length - 1; at > 0; at--) {
    const other = Math.floor(random.float() * (at + 1));
    const held = order[at]!;
    order[at] = order[other]!;
    order[other] = held;
  }
}
