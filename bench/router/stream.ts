/**
 * The router as a node runs it: prompts come one by one, only the model that was called is judged, and the threshold
 * keeps the share of frontier calls at the target.
 *
 * @module bench/router/stream
 */
import { createManualClock, createSeededRandom } from '../../src/base/index.ts';
import { shuffle } from '../../src/gateway/router/heads.ts';
import { createRouter, type Embedder, type Router } from '../../src/gateway/router/index.ts';
import type { Question } from './data.ts';
import type { Vectors } from './embeddings.ts';

export interface Asked extends Question {
  readonly vector: Float32Array;
}

export interface StreamResult {
  /** Share of frontier calls among the first 1,000 requests, and after them. */
  readonly first: number;
  readonly after: number;
  /** Least and most in any 1,000 requests in a row after the first 1,000. */
  readonly least: number;
  readonly most: number;
  /** Share of right answers after the first 1,000, and what a lot with the same share of frontier calls would have. */
  readonly right: number;
  readonly byLot: number;
  /** 1 for a frontier call, request by request. */
  readonly calls: Uint8Array;
}

export function askedOf(questions: readonly Question[], { rows, dimension }: Vectors): Asked[] {
  return questions.map((question, index) => ({
    ...question,
    vector: rows.subarray(index * dimension, (index + 1) * dimension),
  }));
}

export function inRandomOrder<T>(items: readonly T[], seed: number): T[] {
  const order = Uint32Array.from(items.keys());
  shuffle(order, createSeededRandom(seed));
  return [...order].map((index) => items[index]!);
}

/** The engine's vectors, made before. */
export function recorded(asked: readonly Asked[]): Embedder {
  const vectors = new Map(asked.map(({ prompt, vector }) => [prompt, vector]));
  return {
    id: 'all-minilm-l6-v2',
    dimension: asked[0]!.vector.length,
    embed: async (text) => vectors.get(text)!,
  };
}

/** A router that has learnt the labels and passed its own evaluation. */
export async function learntRouter(
  labels: readonly Asked[],
  embedder: Embedder | null,
  seed: number,
): Promise<{ readonly router: Router; readonly verdict: string }> {
  const router = createRouter({
    path: ':memory:',
    clock: createManualClock(),
    random: createSeededRandom(seed),
    embedder,
  });
  for (const { prompt, weak, strong } of labels)
    await router.learnPrompt({ text: prompt, depth: 0, tools: 0 }, { local: weak, frontier: strong });
  const { verdict } = await router.refit();
  return { router, verdict };
}

export async function runStream(
  router: Router,
  stream: readonly Asked[],
  target: number,
): Promise<StreamResult> {
  const agent = `target ${target}`;
  router.agents.set(agent, { target });
  const calls = new Uint8Array(stream.length);
  let right = 0;
  let weak = 0;
  let strong = 0;
  for (const [index, asked] of stream.entries()) {
    const { id, side } = await router.decide({ text: asked.prompt, depth: 0, tools: 0 }, { agent });
    const frontier = side === 'frontier';
    router.learn(id, { local: frontier ? null : asked.weak, frontier: frontier ? asked.strong : null });
    calls[index] = frontier ? 1 : 0;
    if (index < 1000) continue;
    right += frontier ? asked.strong : asked.weak;
    weak += asked.weak;
    strong += asked.strong;
  }
  const share = (from: number, to: number): number =>
    calls.subarray(from, to).reduce((a, b) => a + b, 0) / (to - from);
  const windows: number[] = [];
  for (let from = 1000; from + 1000 <= stream.length; from += 50) windows.push(share(from, from + 1000));
  const count = stream.length - 1000;
  const after = share(1000, stream.length);
  return {
    first: share(0, 1000),
    after,
    least: Math.min(...windows),
    most: Math.max(...windows),
    right: right / count,
    byLot: (weak + after * (strong - weak)) / count,
    calls,
  };
}
