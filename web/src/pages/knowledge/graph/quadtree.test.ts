/** Far points taken together push nearly as they would one by one. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fc } from '../../../../../test/property.ts';
import { createQuadtree } from './quadtree.ts';

interface Point {
  readonly x: number;
  readonly y: number;
  readonly mass: number;
}

const coordinate = fc.integer({ min: -8_000, max: 8_000 }).map((eighths) => eighths / 8);
const point = fc.record({
  x: coordinate,
  y: coordinate,
  mass: fc.double({ min: 0.1, max: 10, noNaN: true }),
});
const points = fc.array(point, { minLength: 1, maxLength: 120 });

function arraysOf(all: readonly Point[]) {
  return {
    x: Float64Array.from(all, ({ x }) => x),
    y: Float64Array.from(all, ({ y }) => y),
    mass: Float64Array.from(all, ({ mass }) => mass),
  };
}

/** One by one: the force on each, and the sum of its parts without their directions. */
function exact(all: readonly Point[], self: number) {
  let [fx, fy, parts] = [0, 0, 0];
  for (const [i, { x, y, mass }] of all.entries()) {
    const [dx, dy] = [all[self]!.x - x, all[self]!.y - y];
    const d2 = dx * dx + dy * dy;
    if (i === self || d2 === 0) continue;
    fx += (mass * dx) / d2;
    fy += (mass * dy) / d2;
    parts += mass / Math.sqrt(d2);
  }
  return { fx, fy, parts };
}

test('with theta 0 every point counts by itself, also where many lie on one place', () => {
  fc.assert(
    fc.property(points, fc.nat(20), (some, copies) => {
      const all = [...some, ...Array.from({ length: copies }, () => some[0]!)];
      const { x, y, mass } = arraysOf(all);
      const tree = createQuadtree(all.length);
      tree.build(x, y, mass, all.length);
      for (let i = 0; i < all.length; i++) {
        tree.push(x[i]!, y[i]!, i, 0, 0, Infinity);
        const { fx, fy, parts } = exact(all, i);
        assert.ok(Math.hypot(tree.fx - fx, tree.fy - fy) <= 1e-9 * (parts + 1), `${i}`);
      }
    }),
  );
});

test('with a theta the error stays within what its cells allow', () => {
  const theta = 0.5;
  // A point of a cell with side s < theta d is within r = sqrt(2) theta of its centre, in shares of d. The centre is that of mass, so
  // the first order vanishes and a point errs by at most r^2 / (1 - r) of mass / d; d is at most (1 + r) times the point's own distance.
  const r = Math.SQRT2 * theta;
  const bound = ((r * r) / (1 - r)) * (1 + r);
  fc.assert(
    fc.property(points, (all) => {
      const { x, y, mass } = arraysOf(all);
      const tree = createQuadtree(all.length);
      tree.build(x, y, mass, all.length);
      for (let i = 0; i < all.length; i++) {
        tree.push(x[i]!, y[i]!, i, theta, 0, Infinity);
        const { fx, fy, parts } = exact(all, i);
        assert.ok(Math.hypot(tree.fx - fx, tree.fy - fy) <= bound * parts + 1e-9, `${i}`);
      }
    }),
  );
});

test('what is out of reach does not push, and what is too near pushes no more than at the least distance', () => {
  const { x, y, mass } = arraysOf([
    { x: 0, y: 0, mass: 1 },
    { x: 500, y: 0, mass: 1 },
    { x: 0.001, y: 0, mass: 2 },
  ]);
  const tree = createQuadtree(3);
  tree.build(x, y, mass, 3);
  tree.push(0, 0, 0, 0.9, 10, 400);
  assert.ok(Math.abs(tree.fx - (-0.001 * 2) / 100) < 1e-12 && tree.fy === 0);
});
