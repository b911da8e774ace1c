/**
 * Vectors that lie as text embeddings do: a mixture of clusters within clusters, seeded, each row of length 1.
 *
 * @module bench/knowledge/vectors
 */
import { createSeededRandom } from '../../src/base/index.ts';

export interface VectorSet {
  readonly dimension: number;
  readonly rows: readonly Float32Array[];
  readonly queries: readonly Float32Array[];
}

const TOPICS = 64;
const THEMES = 40;

export function makeVectors(count: number, queries: number, dimension = 384, seed = 17): VectorSet {
  const random = createSeededRandom(seed);
  const gauss = (): number => {
    let sum = 0;
    for (let i = 0; i < 6; i++) sum += random.float();
    return (sum - 3) * Math.SQRT2;
  };
  const around = (centre: Float32Array | null, spread: number): Float32Array => {
    const vector = new Float32Array(dimension);
    let length = 0;
    for (let i = 0; i < dimension; i++) {
      vector[i] = (centre === null ? 0 : centre[i]!) + (spread * gauss()) / Math.sqrt(dimension);
      length += vector[i]! ** 2;
    }
    length = Math.sqrt(length);
    for (let i = 0; i < dimension; i++) vector[i]! /= length;
    return vector;
  };
  const topics = Array.from({ length: TOPICS }, () => around(null, 1));
  const themes = topics.flatMap((topic) => Array.from({ length: THEMES }, () => around(topic, 0.7)));
  const one = (): Float32Array => around(themes[random.uint32() % themes.length]!, 0.6);
  return {
    dimension,
    rows: Array.from({ length: count }, one),
    queries: Array.from({ length: queries }, one),
  };
}

/** The rows with the k largest products, by plain arithmetic. */
export function nearestExactly({ rows }: VectorSet, query: Float32Array, k: number): number[] {
  const scores = Float64Array.from(rows, (row) => {
    let sum = 0;
    for (let i = 0; i < row.length; i++) sum += row[i]! * query[i]!;
    return sum;
  });
  return Array.from(scores.keys())
    .sort((a, b) => scores[b]! - scores[a]! || a - b)
    .slice(0, k);
}
