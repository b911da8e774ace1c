/**
 * The heads together: each head's gain becomes its rank among its newest gains, the ranks are averaged, and the average
 * is ranked once more, so that a score of 0.7 means "buys more than 70 % of the newest prompts".
 *
 * @module gateway/router/ensemble
 */
import { createTextHead, createVectorHead, type WeightedHead } from './heads.ts';
import { Neighbours } from './neighbours.ts';
import { RANK_WINDOW, RankWindow } from './rank-window.ts';
import type { Example, Features, Head } from './types.ts';

export const HEAD_NAMES = ['text', 'vector', 'neighbours'] as const;
export type HeadName = (typeof HEAD_NAMES)[number];

/** P(frontier right) - P(local right) by head; null where the head could not tell. */
export type Gains = Readonly<Record<HeadName, number | null>>;

/**
 * Average ranks that a score is a rank among. Few, since learning moves the gains of a new kind of prompts within some
 * hundred requests: with 1,024 the share of frontier calls was off by up to 13 points in the requests 200 to 600 after a
 * change from MMLU to GSM8K, with 64 by up to 3, and the choices were as good.
 */
export const SCORE_WINDOW = 64;

export interface Score {
  /** 0 to 1: share of the newest prompts that a call of the frontier model would do less for. */
  readonly score: number;
  /** Average rank over the heads that could tell, 0 to 1; finer than `score`. */
  readonly rank: number;
  readonly gains: Gains;
}

export interface EnsembleParts {
  readonly text: WeightedHead;
  /** Null without an embedder. */
  readonly vector: WeightedHead | null;
  readonly neighbours: Neighbours | null;
}

/** What an ensemble was made of and has seen, but for the neighbours: those are the labelled prompts themselves. */
export interface EnsembleState {
  readonly text: Float32Array;
  readonly vector: Float32Array | null;
  /** Newest scores: of each head in the order of `HEAD_NAMES`, then the average ranks. Oldest first. */
  readonly windows: readonly Float64Array[];
}

export class Ensemble {
  readonly parts: EnsembleParts;
  readonly #windows: Readonly<Record<HeadName, RankWindow>>;
  readonly #ranks: RankWindow;

  constructor(parts: EnsembleParts, windows: readonly Float64Array[] = []) {
    this.parts = parts;
    const [text, vector, neighbours, ranks] = windows;
    this.#windows = {
      text: new RankWindow(text),
      vector: new RankWindow(vector),
      neighbours: new RankWindow(neighbours),
    };
    this.#ranks = new RankWindow(ranks, SCORE_WINDOW);
  }

  gains(features: Features): Gains {
    const told = (head: Head | null): number | null => head?.gain(features) ?? null;
    const { text, vector, neighbours } = this.parts;
    return { text: told(text), vector: told(vector), neighbours: told(neighbours) };
  }

  /** Average rank of the gains, 0 to 1; 0.5 when no head could tell. */
  rank(gains: Gains): number {
    let sum = 0;
    let count = 0;
    for (const name of HEAD_NAMES) {
      const gain = gains[name];
      if (gain === null) continue;
      sum += this.#windows[name].rank(gain);
      count++;
    }
    return count === 0 ? 0.5 : sum / count;
  }

  score(features: Features): Score {
    const gains = this.gains(features);
    const rank = this.rank(gains);
    return { score: this.#ranks.rank(rank), rank, gains };
  }

  /** Counts a prompt among the newest. */
  observe({ gains, rank }: Pick<Score, 'gains' | 'rank'>): void {
    this.#count(gains);
    this.#ranks.add(rank);
  }

  /** Makes these prompts the newest: the heads' windows first, since the average is made of ranks in them. */
  calibrate(prompts: readonly Gains[]): void {
    const newest = prompts.slice(-RANK_WINDOW);
    for (const gains of newest) this.#count(gains);
    for (const gains of newest) this.#ranks.add(this.rank(gains));
  }

  #count(gains: Gains): void {
    for (const name of HEAD_NAMES) {
      const gain = gains[name];
      if (gain !== null) this.#windows[name].add(gain);
    }
  }

  /** One step of the heads with weights; the neighbours take prompts by number (`Neighbours.put`). */
  learnWeights(example: Example): void {
    this.parts.text.learn(example);
    this.parts.vector?.learn(example);
  }

  /** Copies. */
  snapshot(): EnsembleState {
    return {
      text: this.parts.text.snapshot(),
      vector: this.parts.vector?.snapshot() ?? null,
      windows: [...HEAD_NAMES.map((name) => this.#windows[name].scores()), this.#ranks.scores()],
    };
  }
}

/** @param dimension Of the embedder's vectors; null without one. */
export function createEnsemble(
  dimension: number | null,
  state?: EnsembleState,
  neighbours: Neighbours | null = dimension === null ? null : new Neighbours({ dimension }),
): Ensemble {
  return new Ensemble(
    {
      text: createTextHead(state?.text),
      vector: dimension === null ? null : createVectorHead(dimension, state?.vector ?? undefined),
      neighbours,
    },
    state?.windows,
  );
}
