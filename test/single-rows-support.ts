/** Rows computed singly and together, compared bit by bit. @module test/single-rows-support */
import assert from 'node:assert/strict';
import {
  type BlockRange,
  type Compute,
  createCompute,
  loadGgml,
  openRunner,
  type Runner,
} from '../src/engine/runner/index.ts';
import { fileSource, readGguf } from '../src/models/index.ts';
import { straightCells } from './runner-support.ts';

const CELLS = 768;

let compute: Compute | null = null;

/** One number of threads for the whole test process. */
export async function withRunner(
  path: string,
  threads: number,
  work: (runner: Runner) => Promise<void>,
  range?: BlockRange,
): Promise<void> {
  await using source = await fileSource(path);
  const gguf = await readGguf(source);
  compute ??= createCompute(loadGgml(), { threads, device: 'cpu' });
  assert.equal(compute.threads, threads);
  await using runner = await openRunner(compute, {
    gguf,
    source,
    ...(range === undefined ? {} : { range }),
    kvCells: CELLS,
    kvType: 'f16',
    context: CELLS,
    maxRows: 128,
  });
  await work(runner);
}

/** Computes rows start .. start + count - 1 singly and together, after whatever fills the cells before. */
export async function assertEach(runner: Runner, start: number, counts: readonly number[]): Promise<void> {
  const cells = straightCells(CELLS);
  const { vocab, embedding, embeds } = runner.info;
  const tokens = Int32Array.from({ length: CELLS }, (_, i) => 3 + ((i * 37) % (vocab - 3)));
  const hidden = Float32Array.from({ length: CELLS * embedding }, (_, i) => Math.sin(i * 1.7));
  const part = (from: number, count: number) => ({
    cells,
    start: from,
    count,
    tokens: embeds ? tokens.subarray(from, from + count) : null,
    hidden: embeds ? null : hidden.subarray(from * embedding, (from + count) * embedding),
  });
  for (let at = 0; at < start; at += 64)
    await runner.forward([{ ...part(at, Math.min(64, start - at)), outputs: 'none' }]);
  const single: Float32Array[] = [];
  for (let i = 0; i < Math.max(...counts); i++)
    single.push((await runner.forward([{ ...part(start + i, 1), outputs: 'last' }])).rows);
  for (const count of counts) {
    const { rows, width } = await runner.forward([{ ...part(start, count), outputs: 'each' }]);
    assert.equal(rows.length, count * width);
    for (let i = 0; i < count; i++)
      assert.deepEqual(rows.subarray(i * width, (i + 1) * width), single[i], `row ${i} of ${count}`);
  }
}
