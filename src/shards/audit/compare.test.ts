/** What the comparison of rows refuses and what it lets pass. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createSeededRandom } from '../../base/index.ts';
import { COPIES, compare, compareSame } from './compare.ts';

const WIDTH = 128;
const ROWS = 48;
const random = createSeededRandom(11);
const normal = () => Math.sqrt(-2 * Math.log(1 - random.float())) * Math.cos(2 * Math.PI * random.float());

/** Rows, and machines that compute them with so much noise of their own. */
function machines(noise: number, count: number, right: Float32Array): Float32Array[] {
  return Array.from({ length: count }, () => right.map((value) => value + noise * normal()));
}
const truth = () => Float32Array.from({ length: ROWS * WIDTH }, normal);

function held(noise: number, alter: (rows: Float32Array) => Float32Array) {
  const [claim, own, ...copies] = machines(noise, COPIES + 2, truth());
  return compare(alter(claim!), own!, copies, WIDTH);
}
const honest = (rows: Float32Array) => rows;
const noisy = (size: number) => (rows: Float32Array) => rows.map((value) => value + size * normal());
const scaled = (size: number) => (rows: Float32Array) => rows.map((value) => value * (1 + size));

test('machines that round alike are right in hundreds of audits, whatever their noise', () => {
  for (const noise of [1e-4, 3e-3, 1e-2, 3e-2])
    for (let i = 0; i < 50; i++) {
      const { agrees, why } = held(noise, honest);
      assert.ok(agrees, `${noise}: ${why}`);
    }
});

test('one percent of noise is refused where machines round up to two percent, and of scale everywhere', () => {
  for (const noise of [1e-4, 3e-3, 1e-2]) assert.equal(held(noise, noisy(0.01)).agrees, false, `${noise}`);
  for (const noise of [1e-4, 3e-3, 1e-2, 3e-2])
    for (const size of [0.01, -0.01]) assert.match(held(noise, scaled(size)).why ?? '', /too large|as far/);
});

test('of a few rows nobody honest is refused', () => {
  for (const rows of [1, 2, 5])
    for (let i = 0; i < 100; i++) {
      const right = Float32Array.from({ length: rows * WIDTH }, normal);
      const [claim, own, ...copies] = machines(0.01, COPIES + 2, right);
      const { agrees, why } = compare(claim!, own!, copies, WIDTH);
      assert.ok(agrees, `${rows}: ${why}`);
      assert.equal(compare(scaled(0.2)(claim!), own!, copies, WIDTH).agrees, false);
    }
});

test('copies lie as far from each other as an honest machine from them', () => {
  const { tails } = held(0.01, honest);
  const mean = (values: readonly number[]) => values.reduce((a, b) => a + b, 0) / values.length;
  assert.ok(Math.abs(mean(tails!.claim) - 1) < 0.05);
  assert.ok(Math.abs(mean(tails!.copies) - 1) < 0.05);
  assert.equal(held(1e-4, honest).tails, undefined);
});

test('one row that is far off is refused, however right the others are', () => {
  const { agrees, why } = held(0.002, (rows) => {
    const wrong = rows.slice();
    for (let i = 7 * WIDTH; i < 8 * WIDTH; i++) wrong[i]! *= 1.2;
    return wrong;
  });
  assert.equal(agrees, false);
  assert.match(why!, /row 7/);
});

test('equal builds give equal rows, and one row that differs is enough', () => {
  const right = truth();
  assert.equal(compareSame(right, right.slice(), WIDTH).agrees, true);
  const wrong = right.slice();
  wrong[3 * WIDTH]! += 0.1;
  assert.equal(compareSame(wrong, right, WIDTH).agrees, false);
});

test('rows of zeros are right where zeros are, and wrong where they are not', () => {
  const zeros = new Float32Array(ROWS * WIDTH);
  const copies = Array.from({ length: COPIES }, () => zeros);
  assert.equal(compare(zeros, zeros, copies, WIDTH).agrees, true);
  assert.equal(compare(truth(), zeros, copies, WIDTH).agrees, false);
  assert.equal(held(0.001, () => zeros).agrees, false);
});
