import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fc } from '../../test/property.ts';
import { startedAt, ticked } from './steady-time.ts';

const DAY_MS = 86_400_000;
const NOW = Date.UTC(2026, 10, 21);
const after = (start: number, ...walls: readonly number[]) => walls.reduce(ticked, startedAt(start)).steady;

test('steady time goes with a clock that moves by plausible steps', () => {
  assert.equal(after(NOW, NOW + 1, NOW + DAY_MS, NOW + 8 * DAY_MS), NOW + 8 * DAY_MS);
});

test('a clock that is decades ahead for hours does not move it', () => {
  const ahead = NOW + 30 * 365 * DAY_MS;
  assert.equal(after(NOW, ahead, ahead + 3_600_000), NOW + 3_600_000);
  assert.equal(after(NOW, ahead, ahead + 3_600_000, NOW + 3_700_000), NOW + 3_700_000);
});

test('a clock that starts in 1970 is forgotten as soon as it is set', () => {
  assert.equal(after(NOW, 5000, 6000, NOW + 60_000), NOW + 60_000);
});

test('a jump is believed when the clock has gone on from it for a day', () => {
  const later = NOW + 90 * DAY_MS;
  assert.equal(after(NOW, later, later + DAY_MS / 2), NOW + DAY_MS / 2);
  assert.equal(after(NOW, later, later + DAY_MS / 2, later + DAY_MS), later + DAY_MS);
  assert.equal(after(later, NOW, NOW + DAY_MS), NOW + DAY_MS, 'backwards too');
});

test('a clock that comes back never leaves steady time more than its plausible steps ahead', () => {
  const step = fc.integer({ min: 0, max: 6 * 3_600_000 });
  const wrong = fc.record({
    jump: fc.integer({ min: -60 * 365 * DAY_MS, max: 60 * 365 * DAY_MS }),
    // Under a day in all, so that the wrong time is not believed.
    steps: fc.array(step, { maxLength: 3 }),
  });
  fc.assert(
    fc.property(fc.array(wrong, { minLength: 1, maxLength: 6 }), (periods) => {
      let real = NOW;
      let state = startedAt(real);
      for (const { jump, steps } of periods) {
        state = ticked(state, real + jump);
        for (const each of steps) {
          real += each;
          state = ticked(state, real + jump);
        }
        state = ticked(state, real);
        // Jumps within a week are taken as they come; all others leave nothing behind.
        assert.ok(state.steady - real <= 7 * DAY_MS, `${(state.steady - real) / DAY_MS} days ahead`);
        assert.ok(state.steady >= NOW);
      }
      state = ticked(ticked(state, real + DAY_MS), real + 2 * DAY_MS);
      assert.equal(state.steady, real + 2 * DAY_MS);
    }),
  );
});
