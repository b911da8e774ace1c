import assert from 'node:assert/strict';
import { test } from 'node:test';
import { checkParts } from './check.ts';
import type { ForwardPart, RunnerInfo } from './types.ts';

const info: RunnerInfo = {
  architecture: 'llama',
  from: 0,
  to: 2,
  embeds: true,
  heads: true,
  blocks: 2,
  embedding: 4,
  vocab: 10,
  contextTrained: 16,
  kvCells: 8,
  maxRows: 4,
  device: 'CPU',
  weightBytes: 0,
  kvBytes: 0,
};
const good: ForwardPart = {
  cells: Int32Array.of(5, 6, 7),
  start: 1,
  count: 2,
  tokens: Int32Array.of(1, 9),
  hidden: null,
  outputs: 'last',
};

test('a sound pass is measured', () => {
  assert.deepEqual(checkParts([good], info), { rows: 2, outputs: 1, each: false, cellsUsed: 8 });
});

const hidden = (values: number[]): ForwardPart => ({
  ...good,
  tokens: null,
  hidden: Float32Array.from(values),
});
const stage = { ...info, embeds: false };

const broken: readonly [name: string, parts: ForwardPart[], info: RunnerInfo, message: RegExp][] = [
  ['no parts', [], info, /at least one part/],
  ['no rows', [{ ...good, count: 0 }], info, /0 rows/],
  ['a fraction of a row', [{ ...good, count: 1.5 }], info, /1\.5 rows/],
  ['a negative start', [{ ...good, start: -1 }], info, /position -1/],
  [
    'too many rows',
    [good, { ...good, cells: Int32Array.of(1, 2, 3) }],
    { ...info, maxRows: 3 },
    /more than 3 rows/,
  ],
  ['missing tokens', [{ ...good, tokens: null }], info, /no tokens/],
  ['too few tokens', [{ ...good, tokens: Int32Array.of(1) }], info, /1 tokens/],
  ['a token beyond the vocabulary', [{ ...good, tokens: Int32Array.of(1, 10) }], info, /Token 10/],
  ['a negative token', [{ ...good, tokens: Int32Array.of(-1, 1) }], info, /Token -1/],
  ['too few cells', [{ ...good, start: 2 }], info, /position 4 came with 3 cells/],
  ['a cell beyond the cache', [{ ...good, cells: Int32Array.of(5, 6, 8) }], info, /cell 8/],
  ['a negative cell', [{ ...good, cells: Int32Array.of(-1, 6, 7) }], info, /cell -1/],
  ['a cell written twice', [{ ...good, cells: Int32Array.of(5, 6, 6) }], info, /cell 6 is written twice/],
  ['hidden states of the wrong size', [hidden([1, 2, 3])], stage, /3 hidden values; it needs 8/],
  ['a hidden state that is not finite', [hidden([1, 2, 3, 4, 5, 6, 7, Number.NaN])], stage, /not finite/],
];
for (const [name, parts, runner, message] of broken) {
  test(`a pass with ${name} is refused before native code`, () => {
    assert.throws(() => checkParts(parts, runner), { code: 'forward_invalid', message });
  });
}
