/** Inputs whose outputs are known: who gets which, and what they show. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createSeededRandom } from '../../base/index.ts';
import { Canaries, type Canary, recorded } from './canaries.ts';
import { judge } from './claim.ts';
import { COPIES, disturbed } from './compare.ts';

const WIDTH = 32;
const ROWS = 24;
const SPAN = { from: 3, to: 6 };
const random = createSeededRandom(3);
const normal = () => Math.sqrt(-2 * Math.log(1 - random.float())) * Math.cos(2 * Math.PI * random.float());
const pieces = [{ start: 0, count: ROWS, each: false }];
/** What the blocks do here; machines of another build add their noise. */
const blocks = (rows: Float32Array, noise = 0) => rows.map((value) => 2 * value * (1 + noise * normal()));

function canary(seen: readonly string[], span = SPAN): Canary {
  const input = Float32Array.from({ length: ROWS * WIDTH }, normal);
  const inputs = [input, ...Array.from({ length: COPIES }, () => disturbed(input, random))];
  const outputs = inputs.map((rows) => blocks(rows, 0.003));
  return { span, pieces, input, outputs, build: 'one', by: [null], seen: new Set(seen) };
}

test('a peer gets each canary once, and none that it saw when it was made', () => {
  const canaries = new Canaries();
  const [first, second] = [canary(['maker']), canary(['maker', 'asked'])];
  canaries.keep(first);
  canaries.keep(second);
  assert.equal(canaries.for(SPAN, 'maker'), null);
  assert.equal(canaries.for(SPAN, 'asked'), first);
  assert.equal(canaries.for(SPAN, 'asked'), null);
  assert.deepEqual([canaries.for(SPAN, 'new'), canaries.for(SPAN, 'new')], [first, second]);
});

test('canaries are of exactly the blocks that are asked about, and eight are kept of each', () => {
  const canaries = new Canaries();
  assert.equal(canaries.for({ from: 0, to: 6 }, 'asked'), null);
  for (let i = 0; i < 8; i++) {
    assert.ok(canaries.wants(SPAN));
    canaries.keep(canary([]));
  }
  assert.equal(canaries.wants(SPAN), false);
  assert.ok(canaries.wants({ from: 0, to: 3 }));
  assert.equal(canaries.for({ from: 0, to: 3 }, 'asked'), null);
});

for (const [who, build, alter, agrees] of [
  ['an honest machine of another build passes', 'other', (rows: Float32Array) => blocks(rows, 0.003), true],
  [
    'one that adds one percent of noise is refused',
    'other',
    (rows: Float32Array) => blocks(rows, 0.01),
    false,
  ],
  [
    'one that scales by one percent is refused',
    'other',
    (rows: Float32Array) => blocks(rows.map((v) => v * 1.01)),
    false,
  ],
  [
    'one that says it is of the same build must give the same bits',
    'one',
    (rows: Float32Array) => blocks(rows, 0.003),
    false,
  ],
] as const)
  test(`of what was recorded ${who}`, async () => {
    const one = canary([]);
    const at = Array.from({ length: ROWS }, (_, row) => row);
    const claim = { pieces, input: one.input, output: alter(one.input), at, build };
    const { comparison } = await judge(claim, recorded(one), WIDTH, random);
    assert.equal(comparison.agrees, agrees, comparison.why ?? '');
  });

test('who gives what was recorded passes without the copies', async () => {
  const one = canary([]);
  const at = Array.from({ length: ROWS }, (_, row) => row);
  const claim = { pieces, input: one.input, output: one.outputs[0]!, at, build: 'other' };
  const { comparison, computed } = await judge(claim, recorded(one), WIDTH, random);
  assert.deepEqual([comparison.agrees, computed], [true, ROWS]);
});
