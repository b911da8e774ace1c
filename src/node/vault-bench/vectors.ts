/**
 * Vectors to measure with, as embeddings lie: clusters within clusters, seeded, of length 1. And the exact answer.
 *
 * @module node/vault-bench/vectors
 */
import { createSeededRandom } from '../../base/index.ts';

export interface BenchVectors {
  readonly dimension: number;
  readonly rows: readonly Float32Array[];
  readonly queries: readonly Float32Array[];
}

const TOPICS = 48;
const THEMES = 30;
const ROWS_SEED = 29;

export function benchVectors(count: number, queries: number, dimension: number): BenchVectors {
  const random = createSeededRandom(ROWS_SEED);
  const gauss = () => {
    let sum = 0;
    for (let i = 0; i < 6; i++) sum += random.float();
    return (sum - 3) * Math.SQRT2;
  };
  const near = (centre: Float32Array | null, spread: number): Float32Array => {
    const out = Float32Array.from(
      { length: dimension },
      (_, i) => (centre?.[i] ?? 0) + (spread * gauss()) / Math.sqrt(dimension),
    );
    let squares = 0;
    for (const value of out) squares += value * value;
    return out.map((value) => value / Math.sqrt(squares));
  };
  const topics = Array.from({ length: TOPICS }, () => near(null, 1));
  const themes = topics.flatMap((topic) => Array.from({ length: THEMES }, () => near(topic, 0.7)));
  const one = () => near(themes[random.uint32() % themes.length]!, 0.6);
  return {
    dimension,
    rows: Array.from({ length: count }, one),
    queries: Array.from({ length: queries }, one),
  };
}

export function product(a: Float32Array, b: Float32Array): number {
  let sum = 0;
  for (let i = 0; i < a.length; i++) sum += a[i]! * b[i]!;
  return sum;
}

/** The k rows with the largest products, by plain arithmetic. */
export function exactly(rows: readonly Float32Array[], query: Float32Array, k: number): Set<number> {
  const scores = Float64Array.from(rows, (row) => product(row, query));
  const order = Array.from(scores.keys()).sort((a, b) => scores[b]! - scores[a]! || a - b);
  return new Set(order.slice(0, k));
}
