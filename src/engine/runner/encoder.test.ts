import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fc } from '../../../test/property.ts';
import { planPasses } from './encoder.ts';

test('passes hold every row once, padded to their longest, and stay bounded', () => {
  fc.assert(
    fc.property(fc.array(fc.integer({ min: 1, max: 900 }), { maxLength: 80 }), (lengths) => {
      const passes = planPasses(lengths.map((length) => new Int32Array(length)));
      assert.deepEqual(
        passes.flatMap(({ indices }) => indices).sort((a, b) => a - b),
        lengths.map((_, i) => i),
      );
      for (const { indices, length } of passes) {
        assert.equal(length, Math.max(...indices.map((i) => lengths[i]!)));
        assert.ok(indices.length === 1 || indices.length * length <= 512);
      }
    }),
  );
});
