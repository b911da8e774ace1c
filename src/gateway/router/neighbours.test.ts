import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createSeededRandom } from '../../base/index.ts';
import { Neighbours } from './neighbours.ts';
import type { Example, Features } from './types.ts';

const random = createSeededRandom(5);
const featuresOf = (vector: Float32Array | null): Features => ({
  terms: new Uint16Array(0),
  weights: new Float32Array(0),
  shape: new Float32Array(0),
  vector,
});
function unit(dimension: number): Float32Array {
  const raw = Float32Array.from({ length: dimension }, () => random.float() - 0.5);
  const norm = Math.hypot(...raw);
  return raw.map((value) => value / norm);
}
const example = (dimension: number, local: number | null = random.uint32() % 2): Example => ({
  features: featuresOf(unit(dimension)),
  outcome: { local, frontier: random.uint32() % 2 },
});

/** The definition: all compared, sorted, the k nearest averaged. */
function expected(held: readonly Example[], query: Float32Array, k: number): number {
  const dot = (a: Float32Array) => a.reduce((sum, value, at) => sum + value * query[at]!, 0);
  const near = [...held].sort((a, b) => dot(b.features.vector!) - dot(a.features.vector!)).slice(0, k);
  const mean = (side: 'local' | 'frontier') =>
    near.reduce((sum, { outcome }) => sum + outcome[side]!, 0) / near.length;
  return mean('frontier') - mean('local');
}

for (const [count, dimension] of [
  [5, 3],
  [9, 7],
  [64, 16],
  [203, 5],
] as const) {
  test(`of ${count} prompts of ${dimension} numbers the nearest are found`, () => {
    const neighbours = new Neighbours({ dimension, capacity: 150, k: 10 });
    const all = Array.from({ length: count }, () => example(dimension));
    for (const each of all) neighbours.learn(each);
    for (let ask = 0; ask < 20; ask++) {
      const query = unit(dimension);
      const gain = neighbours.gain(featuresOf(query));
      assert.ok(Math.abs(gain! - expected(all.slice(-150), query, 10)) < 1e-12);
    }
  });
}

test('memory is taken once: older prompts make way for newer', () => {
  const neighbours = new Neighbours({ dimension: 4, capacity: 20, k: 6 });
  for (let count = 0; count < 500; count++) neighbours.learn(example(4));
  assert.equal(neighbours.size, 20);
});

test('answers do not depend on how the prompts came here, even where prompts are equal', () => {
  const all = Array.from({ length: 90 }, (_, number) => ({
    number,
    example: { ...example(4), features: featuresOf(Float32Array.of(1, 0, 0, 0)) },
  }));
  const live = new Neighbours({ dimension: 4, capacity: 40, k: 7 });
  for (const { number, example } of all) live.put(number, example);
  const reopened = new Neighbours({ dimension: 4, capacity: 40, k: 7 });
  for (const { number, example } of all.slice(50)) reopened.put(number, example);
  const query = featuresOf(Float32Array.of(1, 0, 0, 0));
  assert.equal(reopened.gain(query), live.gain(query));
});

test('it tells nothing without a vector, with one of another length, or with too few outcomes of a side', () => {
  const neighbours = new Neighbours({ dimension: 4, capacity: 20, k: 8 });
  for (let count = 0; count < 20; count++) neighbours.learn(example(4, count < 16 ? null : 1));
  assert.equal(neighbours.gain(featuresOf(null)), null);
  assert.equal(neighbours.gain(featuresOf(unit(5))), null);
  assert.equal(neighbours.gain(featuresOf(unit(4))), null);
});
