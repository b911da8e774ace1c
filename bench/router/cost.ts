/**
 * What one decision costs, from the prompt to the side; the time that the embedder takes is left out.
 *
 * @module bench/router/cost
 */
import type { Router } from '../../src/gateway/router/index.ts';
import type { Asked } from './stream.ts';

export interface Cost {
  /** ms. */
  readonly median: number;
  readonly p95: number;
}

const WARM_UP = 500;

export async function decisionCost(router: Router, asked: readonly Asked[], count: number): Promise<Cost> {
  const times: number[] = [];
  for (let at = -WARM_UP; at < count; at++) {
    const { prompt } = asked[(at + WARM_UP) % asked.length]!;
    const from = performance.now();
    await router.decide({ text: prompt, depth: 0, tools: 0 });
    if (at >= 0) times.push(performance.now() - from);
  }
  times.sort((a, b) => a - b);
  return { median: times[times.length >> 1]!, p95: times[Math.floor(times.length * 0.95)]! };
}
