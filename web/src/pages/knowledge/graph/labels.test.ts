/** What is written on the map, and from which scale on. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fc } from '../../../../../test/property.ts';
import { appearancesOf, type LabelProblem } from './labels.ts';

const coordinate = fc.double({ min: -2_000, max: 2_000, noNaN: true });
const label = fc.record({
  x: coordinate,
  y: coordinate,
  halfWidth: fc.integer({ min: 4, max: 120 }),
  up: fc.integer({ min: 2, max: 14 }),
  down: fc.integer({ min: 12, max: 40 }),
  from: fc.double({ min: 0, max: 1, noNaN: true }),
});

function problemOf(all: readonly (typeof label extends fc.Arbitrary<infer T> ? T : never)[]): LabelProblem {
  return {
    x: all.map(({ x }) => x),
    y: all.map(({ y }) => y),
    halfWidth: all.map(({ halfWidth }) => halfWidth),
    up: all.map(({ up }) => up),
    down: all.map(({ down }) => down),
    from: all.map(({ from }) => from),
    order: all.map((_, i) => i),
    least: 0.05,
    most: 4,
  };
}

test('no two names that are written lie on each other, at whatever scale', () => {
  fc.assert(
    fc.property(
      fc.array(label, { maxLength: 80 }),
      fc.array(fc.double({ min: 0.05, max: 4, noNaN: true }), { minLength: 4, maxLength: 4 }),
      (all, scales) => {
        const appears = appearancesOf(problemOf(all));
        for (const scale of [0.05, ...scales, 4]) {
          const written = all.filter((_, i) => appears[i]! <= scale);
          for (const [i, a] of written.entries()) {
            for (const b of written.slice(i + 1)) {
              const beside = Math.abs(a.x - b.x) * scale >= a.halfWidth + b.halfWidth;
              const below = (a.y - b.y) * scale >= a.up + b.down;
              const above = (b.y - a.y) * scale >= b.up + a.down;
              assert.ok(beside || below || above);
            }
          }
        }
      },
    ),
  );
});

test('a name is never written below its own scale, and the first one always as soon as it may', () => {
  fc.assert(
    fc.property(fc.array(label, { minLength: 1, maxLength: 60 }), (all) => {
      const appears = appearancesOf(problemOf(all));
      for (const [i, { from }] of all.entries()) assert.ok(appears[i]! >= from);
      // Nobody else may come before it: then it stands where it is allowed to.
      const alone = appearancesOf(problemOf(all.slice(0, 1)));
      assert.ok(alone[0]! < Math.max(0.05, all[0]!.from) * 2 ** 0.26);
    }),
  );
});

test('the heavier name keeps its place, and the lighter one comes when there is room', () => {
  const [appears, later] = appearancesOf({
    x: [0, 60],
    y: [0, 0],
    halfWidth: [50, 50],
    up: [5, 5],
    down: [20, 20],
    from: [0, 0],
    order: [0, 1],
    least: 0.25,
    most: 4,
  });
  assert.equal(appears, 0.25);
  // 60 units have to be 100 px.
  assert.ok(later! >= 100 / 60 && later! < (100 / 60) * 2 ** 0.26, `${later}`);
});
