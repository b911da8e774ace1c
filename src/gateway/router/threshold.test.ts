import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fc } from '../../../test/property.ts';
import { createSeededRandom } from '../../base/index.ts';
import { changeThreshold, startThreshold, track } from './threshold.ts';

test('the share of frontier calls comes to the target, whatever the scores are like', () => {
  fc.assert(
    fc.property(
      fc.double({ min: 0.1, max: 0.9, noNaN: true }),
      fc.double({ min: 0.7, max: 1.4, noNaN: true }),
      fc.nat(1e6),
      (target, power, seed) => {
        const random = createSeededRandom(seed);
        let state = startThreshold({ target, min: 0, max: 1 });
        let calls = 0;
        for (let request = 0; request < 6000; request++) {
          const routed = random.float() ** power > state.threshold;
          state = track(state, routed);
          if (request >= 1000 && routed) calls++;
        }
        assert.ok(Math.abs(calls / 5000 - target) < 0.025, `${calls / 5000} instead of ${target}`);
        assert.equal(state.decided, 6000);
      },
    ),
    { numRuns: 50 },
  );
});

test('it comes back to the target after the scores change', () => {
  const random = createSeededRandom(3);
  let state = startThreshold({ target: 0.3, min: 0, max: 1 });
  let calls = 0;
  for (let request = 0; request < 4000; request++) {
    const score = request < 2000 ? random.float() : 0.2 * random.float();
    const routed = score > state.threshold;
    state = track(state, routed);
    if (request >= 2600 && routed) calls++;
  }
  assert.ok(Math.abs(calls / 1400 - 0.3) < 0.02, `${calls / 1400}`);
});

test('it never leaves its bounds, and a new target starts at its own quantile', () => {
  fc.assert(
    fc.property(fc.array(fc.boolean(), { maxLength: 300 }), (routed) => {
      let state = startThreshold({ target: 0.5, min: 0.4, max: 0.55 });
      for (const each of routed) {
        state = track(state, each);
        assert.ok(state.threshold >= 0.4 && state.threshold <= 0.55);
      }
    }),
  );
  const state = startThreshold({ target: 0.2, min: 0.1, max: 0.9 });
  assert.equal(state.threshold, 0.8);
  assert.equal(changeThreshold(state, { target: 0.4 }).threshold, 0.6);
  assert.equal(changeThreshold(state, { max: 0.7 }).threshold, 0.7);
  assert.equal(changeThreshold(state, { threshold: 0.33 }).threshold, 0.33);
  assert.equal(changeThreshold(state, { target: 0.2 }).threshold, 0.8);
});
