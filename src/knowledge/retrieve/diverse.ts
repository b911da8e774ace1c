/**
 * Maximal marginal relevance (Carbonell and Goldstein, SIGIR 1998): what is chosen next should answer the question and not say
 * what was chosen already.
 *
 * @module knowledge/retrieve/diverse
 */
import { dot } from '../vectors/index.ts';

export interface Choosable {
  readonly score: number;
  /** Null when it has none: it is then like nothing else. */
  readonly vector: Float32Array | null;
}

/**
 * @param from best first
 * @param diversity 0: the order of scores; 1: only to be unlike
 */
export function chooseDiverse<T extends Choosable>(
  from: readonly T[],
  limit: number,
  diversity: number,
): T[] {
  const left = [...from];
  const least = Math.min(...left.map(({ score }) => score));
  const range = Math.max(...left.map(({ score }) => score)) - least || 1;
  const chosen: T[] = [];
  const likeness = new Map<T, number>();
  while (chosen.length < limit && left.length > 0) {
    let best = 0;
    let bestWorth = Number.NEGATIVE_INFINITY;
    left.forEach((each, i) => {
      const worth = (1 - diversity) * ((each.score - least) / range) - diversity * (likeness.get(each) ?? 0);
      if (worth > bestWorth) {
        best = i;
        bestWorth = worth;
      }
    });
    const [next] = left.splice(best, 1);
    chosen.push(next!);
    for (const each of left) {
      if (each.vector === null || next!.vector === null) continue;
      likeness.set(each, Math.max(likeness.get(each) ?? 0, dot(each.vector, next!.vector)));
    }
  }
  return chosen;
}
