/**
 * Boxes that must not lie on each other, such as names on a map: found by a grid, pushed apart along the shorter way.
 *
 * @module web/pages/knowledge/graph/collide
 */

export interface Boxes {
  /** Centres; changed by `separate`. */
  readonly x: Float64Array;
  readonly y: Float64Array;
  /** Half of the width and the height of each. */
  readonly halfWidth: Float64Array;
  readonly halfHeight: Float64Array;
}

export interface Separation {
  /** Moves what overlaps, by this share of the overlap. @returns pairs that overlapped by more than a tenth of a unit */
  separate(share: number): number;
}

export function createSeparation({ x, y, halfWidth, halfHeight }: Boxes): Separation {
  const count = x.length;
  const cellWidth = 2 * largest(halfWidth);
  const cellHeight = 2 * largest(halfHeight);
  const next = new Int32Array(count);
  let heads = new Int32Array(0);

  return {
    separate(share) {
      let [minX, minY, maxX, maxY] = [Infinity, Infinity, -Infinity, -Infinity];
      for (let i = 0; i < count; i++) {
        minX = Math.min(minX, x[i]!);
        minY = Math.min(minY, y[i]!);
        maxX = Math.max(maxX, x[i]!);
        maxY = Math.max(maxY, y[i]!);
      }
      // Far outliers must not make a grid without end: wider cells hold more then.
      const wide = Math.max(cellWidth, (maxX - minX) / 512);
      const high = Math.max(cellHeight, (maxY - minY) / 512);
      const columns = Math.floor((maxX - minX) / wide) + 1;
      const rows = Math.floor((maxY - minY) / high) + 1;
      if (heads.length < columns * rows) heads = new Int32Array(columns * rows * 2);
      heads.fill(-1, 0, columns * rows);
      const cellOf = (i: number): number =>
        Math.min(rows - 1, Math.floor((y[i]! - minY) / high)) * columns +
        Math.min(columns - 1, Math.floor((x[i]! - minX) / wide));
      for (let i = count - 1; i >= 0; i--) {
        const cell = cellOf(i);
        next[i] = heads[cell]!;
        heads[cell] = i;
      }
      let overlaps = 0;
      const meet = (i: number, j: number): void => {
        const dx = x[j]! - x[i]!;
        const dy = y[j]! - y[i]!;
        const overX = halfWidth[i]! + halfWidth[j]! - Math.abs(dx);
        if (overX <= 0) return;
        const overY = halfHeight[i]! + halfHeight[j]! - Math.abs(dy);
        if (overY <= 0) return;
        if (overX > 0.1 && overY > 0.1) overlaps++;
        // The smaller box goes farther.
        const area = halfWidth[i]! * halfHeight[i]!;
        const part = area / (area + halfWidth[j]! * halfHeight[j]!);
        if (overX < overY) {
          const way = (dx === 0 ? (i < j ? 1 : -1) : Math.sign(dx)) * overX * share;
          x[i]! -= way * (1 - part);
          x[j]! += way * part;
        } else {
          const way = (dy === 0 ? (i < j ? 1 : -1) : Math.sign(dy)) * overY * share;
          y[i]! -= way * (1 - part);
          y[j]! += way * part;
        }
      };
      for (let row = 0; row < rows; row++) {
        for (let column = 0; column < columns; column++) {
          const cell = row * columns + column;
          for (let i = heads[cell]!; i >= 0; i = next[i]!) {
            for (let j = next[i]!; j >= 0; j = next[j]!) meet(i, j);
            // Each pair of cells once: to the right, and the three below.
            if (column + 1 < columns) for (let j = heads[cell + 1]!; j >= 0; j = next[j]!) meet(i, j);
            if (row + 1 === rows) continue;
            for (let side = -1; side <= 1; side++) {
              if (column + side < 0 || column + side >= columns) continue;
              for (let j = heads[cell + columns + side]!; j >= 0; j = next[j]!) meet(i, j);
            }
          }
        }
      }
      return overlaps;
    },
  };
}

const largest = (values: Float64Array): number => values.reduce((most, each) => Math.max(most, each), 1);
