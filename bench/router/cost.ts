/**
 * What one decision costs, from the prompt to the side; the time that the embedder takes is left out.
 *
 * @module bench/router/cost
 */
import type { Router } from '../../src/gateway/router/index.ts';
import type { Asked } from './stream.ts';

export interface Cost {
  /** ms by the wall clock; other work on the machine counts. */
  readonly fastest: number;
  readonly median: number;
  readonly p95: number;
  /** ms of processor time per decision, collection of garbage included. */
  readonly cpu: number;
}

const WARM_UP = 500;

export async function decisionCost(router: Router, asked: readonly Asked[], count: number): Promise<Cost> {
  const times: number[] = [];
  let cpu = process.cpuUsage();
  for (let at = -WARM_UP; at < count; at++) {
    if (at === 0) cpu = process.cpuUsage();
    const { prompt } = asked[(at + WARM_UP) % asked.length]!;
    const from = performance.now();
    await router.decide({ text: prompt, depth: 0, tools: 0 });
    if (at >= 0) times.push(performance.now() - from);
  }
  const { user, system } = process.cpuUsage(cpu);
  times.sort((a, b) => a - b);
  return {
    fastest: times[0]!,
    median: times[times.length >> 1]!,
    p95: times[Math.floor(times.length * 0.95)]!,
    cpu: (user + system) / 1000 / count,
  };
}
