/**
 * Logistic regression learnt one example at a time with AdaGrad steps (Duchi, Hazan and Singer 2011): rare words keep
 * large steps, common ones settle. Inputs are a dense part and a sparse one; either may be empty.
 *
 * @module gateway/router/logistic
 */

export interface LogisticOptions {
  /** Numbers of the dense part. */
  readonly dense: number;
  /** Buckets of the sparse part. */
  readonly sparse: number;
  /** Size of the steps. */
  readonly rate: number;
  /** Ridge penalty of each step on the weights that the example touches; the bias has none. */
  readonly ridge: number;
}

/** Keeps the first step of a weight finite. */
const FIRST_SQUARE = 1e-6;

const NO_TERMS = new Uint16Array(0);
const NO_WEIGHTS = new Float32Array(0);

export class Logistic {
  readonly #options: LogisticOptions;
  /** Bias, dense weights, sparse weights; then the sums of squared gradients in the same order. */
  readonly #state: Float32Array;
  readonly #count: number;

  /** @param state As `state` gave it, of a model with the same options; copied. */
  constructor(options: LogisticOptions, state?: Float32Array) {
    this.#options = options;
    this.#count = 1 + options.dense + options.sparse;
    this.#state = new Float32Array(2 * this.#count);
    if (state === undefined) this.#state.fill(FIRST_SQUARE, this.#count);
    else this.#state.set(state);
  }

  static stateLength({ dense, sparse }: LogisticOptions): number {
    return 2 * (1 + dense + sparse);
  }

  /** Everything it knows; the caller copies what it keeps. */
  get state(): Float32Array {
    return this.#state;
  }

  /** Starts from a share of right answers, so that the weights need not learn it. */
  setBase(share: number): void {
    const within = Math.min(0.999, Math.max(0.001, share));
    this.#state[0] = Math.log(within / (1 - within));
  }

  /** Probability, 0 to 1. */
  predict(dense: Float32Array, terms: Uint16Array = NO_TERMS, weights: Float32Array = NO_WEIGHTS): number {
    const state = this.#state;
    let sum = state[0]!;
    for (let at = 0; at < dense.length; at++) sum += state[1 + at]! * dense[at]!;
    const first = 1 + this.#options.dense;
    for (let at = 0; at < terms.length; at++) sum += state[first + terms[at]!]! * weights[at]!;
    return 1 / (1 + Math.exp(-sum));
  }

  /** One step towards `target`, 0 to 1. */
  learn(
    target: number,
    dense: Float32Array,
    terms: Uint16Array = NO_TERMS,
    weights: Float32Array = NO_WEIGHTS,
  ): void {
    const { rate, ridge } = this.#options;
    const state = this.#state;
    const count = this.#count;
    const error = this.predict(dense, terms, weights) - target;
    const step = (index: number, gradient: number): void => {
      const square = state[count + index]! + gradient * gradient;
      state[count + index] = square;
      state[index] = state[index]! - (rate * gradient) / Math.sqrt(square);
    };
    step(0, error);
    for (let at = 0; at < dense.length; at++) step(1 + at, error * dense[at]! + ridge * state[1 + at]!);
    const first = 1 + this.#options.dense;
    for (let at = 0; at < terms.length; at++) {
      const index = first + terms[at]!;
      step(index, error * weights[at]! + ridge * state[index]!);
    }
  }
}
