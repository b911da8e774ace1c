import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fc } from '../../../test/property.ts';
import { createSeededRandom } from '../../base/index.ts';
import { rootOf } from '../keys/keys.ts';
import { NOISE } from './parameters.ts';
import { createPerturber } from './sap.ts';

const random = createSeededRandom(3);
const keys = rootOf(random.bytes(32));
const keyOf = (collection: string) => keys.keysOf(collection, 1).key('perturb');
const distance = (a: ArrayLike<number>, b: ArrayLike<number>) =>
  Math.sqrt(Array.from(a, (value, i) => (value - b[i]!) ** 2).reduce((sum, square) => sum + square, 0));

const vectorOf = (dimension: number) =>
  fc
    .array(fc.integer({ min: -1000, max: 1000 }), { minLength: dimension, maxLength: dimension })
    .map((numbers) => {
      const length = Math.hypot(...numbers) || 1;
      return Float32Array.from(numbers, (value) => value / length);
    });

test('what is nearer by more than the noise stays nearer, whatever the dimension', () => {
  fc.assert(
    fc.property(
      fc
        .integer({ min: 2, max: 65 })
        .chain((dimension) =>
          fc.tuple(fc.constant(dimension), vectorOf(dimension), vectorOf(dimension), vectorOf(dimension)),
        ),
      ([dimension, x, y, z]) => {
        const { scale, perturb } = createPerturber(keyOf('books'), dimension);
        const [px, py, pz] = [perturb(x), perturb(y), perturb(z)];
        // Each lies at most the noise from where its rotation would, in units of the scale.
        const near = distance(x, y);
        assert.ok(Math.abs(distance(px, py) / scale - near) <= 2 * NOISE + 1e-4);
        if (distance(x, z) - near > 4 * NOISE + 1e-3) assert.ok(distance(px, py) < distance(px, pz));
      },
    ),
    { numRuns: 200 },
  );
});

test('the noise is as long as was said, in all directions, and none is without it', () => {
  const dimension = 48;
  const { scale, perturb, rotate } = createPerturber(keyOf('books'), dimension);
  const mean = new Float64Array(dimension);
  for (let n = 0; n < 2000; n++) {
    const vector = Float32Array.from({ length: dimension }, () => random.float() - 0.5);
    const turned = rotate(vector);
    const noise = perturb(vector).map((value, i) => value / scale - turned[i]!);
    const length = Math.hypot(...noise);
    assert.ok(length <= NOISE + 1e-5 && length > NOISE / 2, `${length}`);
    for (const [i, value] of noise.entries()) mean[i]! += value / 2000;
  }
  assert.ok(Math.hypot(...mean) < NOISE / 10);
});

test('a rotation keeps lengths and distances, and a vector does not point where it did', () => {
  const dimension = 96;
  const { rotate } = createPerturber(keyOf('books'), dimension);
  let cosines = 0;
  for (let n = 0; n < 50; n++) {
    const x = Float32Array.from({ length: dimension }, () => random.float() - 0.5);
    const y = Float32Array.from({ length: dimension }, () => random.float() - 0.5);
    assert.ok(Math.abs(distance(rotate(x), rotate(y)) - distance(x, y)) < 1e-9);
    const turned = rotate(x);
    cosines += Math.abs(x.reduce((sum, value, i) => sum + value * turned[i]!, 0)) / Math.hypot(...x) ** 2;
  }
  assert.ok(cosines / 50 < 0.3, `${cosines / 50}`);
});

test('a vector becomes the same each time under one key, and another under another', () => {
  const vector = Float32Array.from({ length: 64 }, () => random.float() - 0.5);
  const of = (collection: string) => createPerturber(keyOf(collection), 64);
  assert.deepEqual(of('books').perturb(vector), of('books').perturb(Float32Array.from(vector)));
  assert.notDeepEqual(of('books').perturb(vector), of('letters').perturb(vector));
  assert.notEqual(of('books').scale, of('letters').scale);
  for (const collection of ['a', 'b', 'c', 'd']) {
    const { scale } = of(collection);
    assert.ok(scale > 1 && scale <= 256);
  }
  assert.throws(() => of('books').perturb(new Float32Array(63)), RangeError);
});
