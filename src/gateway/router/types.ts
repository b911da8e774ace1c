/**
 * What the router is asked, what it answers, and what it learns from.
 *
 * @module gateway/router/types
 */

/** The two that a request may go to: the owner's own model, or the stronger one that costs more. */
export type Side = 'local' | 'frontier';
export const SIDES: readonly Side[] = ['local', 'frontier'];

/** What of a request is looked at. Never a label of where the text comes from. */
export interface RouterPrompt {
  /** Text of the newest message of the user. The first 6,000 and the last 2,000 characters of it count. */
  readonly text: string;
  /** Messages before it in the conversation. */
  readonly depth: number;
  /** Tools that the request offers to the model. */
  readonly tools: number;
}

/** Makes vectors of texts. Declared here, since the router alone needs it. */
export interface Embedder {
  /** Names the model: vectors of another are never compared with these. */
  readonly id: string;
  readonly dimension: number;
  /** A vector of length 1 (L2), `dimension` long. */
  embed(text: string, signal?: AbortSignal): Promise<Float32Array>;
}

/**
 * How good the answers of the sides were, 0 (wrong) to 1 (right); null for a side that did not answer. Both are known
 * when a request was sent to both.
 */
export interface Outcome {
  readonly local: number | null;
  readonly frontier: number | null;
}

/** A prompt as numbers. */
export interface Features {
  /** Buckets of hashed words and pairs of words, each once. */
  readonly terms: Uint16Array;
  /** Weight of each term; the vector of weights has length 1 (L2). */
  readonly weights: Float32Array;
  /** Length, make-up, depth and tools: `SHAPE_COUNT` numbers of about the same size. */
  readonly shape: Float32Array;
  /** Null without an embedder. */
  readonly vector: Float32Array | null;
}

/** A prompt whose outcome is known. */
export interface Example {
  readonly features: Features;
  readonly outcome: Outcome;
}

/** One way to tell the gain: P(frontier right) - P(local right), in [-1, 1]. */
export interface Head {
  /** Null when it cannot tell, for example without a vector. */
  gain(features: Features): number | null;
  /** One step on one example. */
  learn(example: Example): void;
}
