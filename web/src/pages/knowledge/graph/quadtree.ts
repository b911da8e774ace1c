/**
 * Repulsion between many points in n log n: far ones are taken together as one at their centre of mass.
 *
 * Barnes and Hut, A hierarchical O(N log N) force-calculation algorithm, Nature 324 (1986).
 *
 * @module web/pages/knowledge/graph/quadtree
 */

export interface Quadtree {
  /** Points as they stand now. @param count the first so many of the arrays */
  build(x: Float64Array, y: Float64Array, mass: Float64Array, count: number): void;
  /**
   * What pushes a point at (px, py): the sum of mass / distance over the others, away from each. The result is in `fx` and `fy`.
   *
   * @param self is left out; -1 for none
   * @param theta a cell counts as one point when its side is less than this share of the distance to it; 0 takes every point
   * @param near distances count at least this much
   * @param far cells whose centre of mass is farther away do not count
   */
  push(px: number, py: number, self: number, theta: number, near: number, far: number): void;
  readonly fx: number;
  readonly fy: number;
}

/** Points nearer than the side of a cell this deep share it. */
const DEEPEST = 40;
/** Cells on one way down, with their siblings. */
const STACK = 4 * (DEEPEST + 2);

/** @param capacity points at most */
export function createQuadtree(capacity: number): Quadtree {
  // Grows when points lie close together: each split of a cell takes four.
  let cells = Math.max(64, 4 * capacity);
  // First of four children; 0: none.
  let child = new Int32Array(cells);
  // First point of a leaf; -1: none.
  let first = new Int32Array(cells);
  let mass = new Float64Array(cells);
  let cx = new Float64Array(cells);
  let cy = new Float64Array(cells);
  const next = new Int32Array(Math.max(1, capacity));
  const stack = new Int32Array(STACK);
  const sides = new Float64Array(STACK);
  let used = 0;
  let side = 1;
  let left = 0;
  let top = 0;
  let xs: Float64Array = new Float64Array(0);
  let ys: Float64Array = xs;
  let masses: Float64Array = xs;

  const grow = (): void => {
    cells *= 2;
    const longer = <T extends Int32Array | Float64Array>(old: T, made: T): T => {
      made.set(old as never);
      return made;
    };
    child = longer(child, new Int32Array(cells));
    first = longer(first, new Int32Array(cells));
    mass = longer(mass, new Float64Array(cells));
    cx = longer(cx, new Float64Array(cells));
    cy = longer(cy, new Float64Array(cells));
  };
  const add = (): number => {
    if (used === cells) grow();
    child[used] = 0;
    first[used] = -1;
    mass[used] = cx[used] = cy[used] = 0;
    return used++;
  };

  const insert = (point: number): void => {
    const px = xs[point]!;
    const py = ys[point]!;
    let cell = 0;
    let [x0, y0, half] = [left, top, side / 2];
    for (let depth = 0; ; depth++, half /= 2) {
      mass[cell]! += masses[point]!;
      cx[cell]! += masses[point]! * px;
      cy[cell]! += masses[point]! * py;
      if (child[cell] === 0) {
        const held = first[cell]!;
        const same = held >= 0 && xs[held] === px && ys[held] === py;
        if (held < 0 || same || depth >= DEEPEST) {
          next[point] = held;
          first[cell] = point;
          return;
        }
        const four = add();
        add();
        add();
        add();
        child[cell] = four;
        first[cell] = -1;
        const to = four + (xs[held]! >= x0 + half ? 1 : 0) + (ys[held]! >= y0 + half ? 2 : 0);
        first[to] = held;
        // All in a leaf are at one place, and go down together.
        for (let each = held; each >= 0; each = next[each]!) {
          mass[to]! += masses[each]!;
          cx[to]! += masses[each]! * xs[each]!;
          cy[to]! += masses[each]! * ys[each]!;
        }
      }
      const right = px >= x0 + half;
      const below = py >= y0 + half;
      cell = child[cell]! + (right ? 1 : 0) + (below ? 2 : 0);
      if (right) x0 += half;
      if (below) y0 += half;
    }
  };

  const tree = {
    fx: 0,
    fy: 0,
    build(x: Float64Array, y: Float64Array, weights: Float64Array, count: number): void {
      [xs, ys, masses] = [x, y, weights];
      used = 0;
      add();
      let [minX, minY, maxX, maxY] = [Infinity, Infinity, -Infinity, -Infinity];
      for (let i = 0; i < count; i++) {
        minX = Math.min(minX, x[i]!);
        minY = Math.min(minY, y[i]!);
        maxX = Math.max(maxX, x[i]!);
        maxY = Math.max(maxY, y[i]!);
      }
      [left, top] = [minX, minY];
      side = Math.max(maxX - minX, maxY - minY, 1e-9) * (1 + 1e-9);
      for (let i = 0; i < count; i++) insert(i);
      for (let i = 0; i < used; i++) {
        if (mass[i] === 0) continue;
        cx[i]! /= mass[i]!;
        cy[i]! /= mass[i]!;
      }
    },
    push(px: number, py: number, self: number, theta: number, near: number, far: number): void {
      const theta2 = theta * theta;
      const near2 = near * near;
      const far2 = far * far;
      let fx = 0;
      let fy = 0;
      let height = 0;
      stack[height] = 0;
      sides[height++] = side;
      while (height > 0) {
        const cell = stack[--height]!;
        const width = sides[height]!;
        if (mass[cell] === 0) continue;
        const dx = px - cx[cell]!;
        const dy = py - cy[cell]!;
        const d2 = dx * dx + dy * dy;
        const below = child[cell]!;
        if (width * width < theta2 * d2 || (below !== 0 && d2 > far2 && width * width < d2)) {
          if (d2 > far2) continue;
          const share = mass[cell]! / Math.max(d2, near2);
          fx += dx * share;
          fy += dy * share;
        } else if (below !== 0) {
          for (let i = 0; i < 4; i++) {
            stack[height] = below + i;
            sides[height++] = width / 2;
          }
        } else {
          for (let each = first[cell]!; each >= 0; each = next[each]!) {
            if (each === self) continue;
            const ex = px - xs[each]!;
            const ey = py - ys[each]!;
            const e2 = ex * ex + ey * ey;
            if (e2 === 0 || e2 > far2) continue;
            const share = masses[each]! / Math.max(e2, near2);
            fx += ex * share;
            fy += ey * share;
          }
        }
      }
      tree.fx = fx;
      tree.fy = fy;
    },
  };
  return tree;
}
