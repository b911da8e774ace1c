/** Opens runners on files for tests that cross rooms: one thread, CPU, no process between. @module test/runner-support */

import {
  type BlockRange,
  type Compute,
  createCompute,
  loadGgml,
  openRunner,
  type Runner,
} from '../src/engine/runner/index.ts';
import { fileSource, type Gguf, readGguf } from '../src/models/index.ts';

let compute: Compute | null = null;

/** One CPU thread for the whole test process. */
export function testCompute(): Compute {
  compute ??= createCompute(loadGgml(), { threads: 1, device: 'cpu' });
  return compute;
}

export async function withGguf<T>(
  path: string,
  work: (gguf: Gguf, open: (range?: BlockRange, options?: OpenTest) => Promise<Runner>) => Promise<T>,
): Promise<T> {
  await using source = await fileSource(path);
  const gguf = await readGguf(source);
  return await work(gguf, (range, options = {}) =>
    openRunner(testCompute(), {
      gguf,
      source,
      ...(range === undefined ? {} : { range }),
      kvCells: options.kvCells ?? 512,
      kvType: options.kvType ?? 'f16',
      context: options.context ?? 512,
      maxRows: 512,
    }),
  );
}

export interface OpenTest {
  readonly kvCells?: number;
  readonly kvType?: 'f32' | 'f16' | 'q8_0' | 'q4_0';
  readonly context?: number;
}

/** cells[p] = p. */
export const straightCells = (count: number): Int32Array => Int32Array.from({ length: count }, (_, i) => i);

/** Greedy continuation on a whole-model runner. */
export async function greedy(runner: Runner, prompt: readonly number[], count: number): Promise<number[]> {
  const cells = straightCells(runner.info.kvCells);
  const out: number[] = [];
  let start = 0;
  let tokens = Int32Array.from(prompt);
  while (out.length < count) {
    const { rows } = await runner.forward([
      { cells, start, count: tokens.length, tokens, hidden: null, outputs: 'last' },
    ]);
    start += tokens.length;
    const token = argmax(rows);
    out.push(token);
    tokens = Int32Array.of(token);
  }
  return out;
}

export function argmax(row: Float32Array): number {
  let best = 0;
  for (let i = 1; i < row.length; i++) if (row[i]! > row[best]!) best = i;
  return best;
}

/** Largest difference relative to the largest magnitude of the reference. */
export function relativeDifference(actual: Float32Array, expected: Float32Array): number {
  let difference = 0;
  let magnitude = 0;
  for (let i = 0; i < expected.length; i++) {
    difference = Math.max(difference, Math.abs(actual[i]! - expected[i]!));
    magnitude = Math.max(magnitude, Math.abs(expected[i]!));
  }
  return Number.isFinite(difference) ? difference / magnitude : Number.POSITIVE_INFINITY;
}

/** Feeds `tokens` through consecutive ranges, one pass for the prompt and one for a further token. */
export async function chain(runners: readonly Runner[], tokens: readonly number[]): Promise<Float32Array[]> {
  const cells = straightCells(512);
  const rows: Float32Array[] = [];
  let start = 0;
  for (const piece of [tokens.slice(0, -1), tokens.slice(-1)]) {
    let hidden: Float32Array | null = null;
    for (const runner of runners) {
      const result: { rows: Float32Array } = await runner.forward([
        {
          cells,
          start,
          count: piece.length,
          tokens: hidden === null ? Int32Array.from(piece) : null,
          hidden,
          outputs: 'all',
        },
      ]);
      hidden = result.rows;
    }
    rows.push(hidden!);
    start += piece.length;
  }
  return rows;
}
