import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fc } from '../../../test/property.ts';
import { createSeededRandom } from '../../base/index.ts';
import { eigen, fitProjection, project } from './pca.ts';

test('eigenvectors of a symmetric matrix are orthonormal and make it again', () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 24 }), fc.nat(), fc.boolean(), (n, seed, flat) => {
      const random = createSeededRandom(seed);
      const matrix = new Float64Array(n * n);
      for (let i = 0; i < n; i++)
        for (let j = 0; j <= i; j++) {
          const value = flat && i !== j ? 0 : random.float() * 2 - 1;
          matrix[i * n + j] = value;
          matrix[j * n + i] = value;
        }
      const { values, matrix: vectors } = eigen(Float64Array.from(matrix), n);
      for (let i = 0; i < n; i++)
        for (let j = 0; j < n; j++) {
          let again = 0;
          let dot = 0;
          for (let k = 0; k < n; k++) {
            again += vectors[i * n + k]! * values[k]! * vectors[j * n + k]!;
            dot += vectors[k * n + i]! * vectors[k * n + j]!;
          }
          assert.ok(Math.abs(again - matrix[i * n + j]!) < 1e-9);
          assert.ok(Math.abs(dot - (i === j ? 1 : 0)) < 1e-9);
        }
    }),
    { numRuns: 60 },
  );
});

test('vectors that lie in few dimensions keep all their products in those', () => {
  const random = createSeededRandom(2);
  const [from, to, count] = [40, 6, 300];
  const basis = Float32Array.from({ length: to * from }, () => random.float() - 0.5);
  const vectors = new Float32Array(count * from);
  for (let v = 0; v < count; v++)
    for (let b = 0; b < to; b++) {
      const weight = random.float() - 0.5;
      for (let i = 0; i < from; i++) vectors[v * from + i]! += weight * basis[b * from + i]!;
    }
  const projection = fitProjection(vectors, from, to);
  assert.ok(projection.kept > 1 - 1e-9);
  const row = (v: number) => vectors.subarray(v * from, (v + 1) * from);
  const dot = (a: Float32Array, b: Float32Array) => a.reduce((sum, value, i) => sum + value * b[i]!, 0);
  for (let v = 1; v < 20; v++) {
    const [a, b] = [project(projection, row(0)), project(projection, row(v))];
    assert.ok(Math.abs(dot(a, b) - dot(row(0), row(v))) < 1e-5);
  }
  assert.ok(fitProjection(vectors, from, 3).kept < 0.999);
  assert.deepEqual(fitProjection(vectors, from, 3).rows, fitProjection(vectors, from, 3).rows);
  assert.equal(fitProjection(new Float32Array(from), from, 2).kept, 1, 'nothing but zeros');
});
