/**
 * Communities as countries of a map: every place belongs to the community whose names are near, and no two of them overlap.
 *
 * After Gansner, Hu and Kobourov, GMap: visualizing graphs and clusters as maps (2010); outlines by marching squares.
 *
 * @module web/pages/knowledge/graph/regions
 */

export interface Region {
  readonly community: number;
  /** Closed outlines as x, y, x, y …; in the units of the map. Inside is on the same side of all. */
  readonly rings: readonly Float32Array[];
  /** Middle of its names, for its own name. */
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
  /** 0 to `TINTS` - 1; neighbours differ where that can be. */
  readonly tint: number;
}

export const TINTS = 6;
/** How far a name's land goes at least, and for the mean distance between names; up and down for left and right. */
const LEAST_REACH = 100;
const REACH = 1.35;
const FLAT = 0.8;
/** Of its box, what a map fills. */
const ROUND = 0.7;
/** Share of what a name gives at its own place from which on a place is land. */
const SHORE = 0.22;
/** Cells across the map. */
const FINEST = 14;
const MOST_CELLS = 230;
/** Outlines that enclose less than this share of the largest are names astray. */
const ISLAND = 0.1;

interface Patch {
  readonly community: number;
  readonly left: number;
  readonly top: number;
  readonly columns: number;
  readonly rows: number;
  readonly land: Float32Array;
}

/** @param smallest communities with fewer names have no region */
export function regionsOf(
  x: ArrayLike<number>,
  y: ArrayLike<number>,
  community: Uint32Array,
  sizes: Uint32Array,
  smallest: number,
): Region[] {
  const count = x.length;
  let [minX, minY, maxX, maxY] = [Infinity, Infinity, -Infinity, -Infinity];
  const members: number[][] = Array.from(sizes, () => []);
  for (let i = 0; i < count; i++) {
    if (sizes[community[i]!]! < smallest) continue;
    members[community[i]!]!.push(i);
    minX = Math.min(minX, x[i]!);
    minY = Math.min(minY, y[i]!);
    maxX = Math.max(maxX, x[i]!);
    maxY = Math.max(maxY, y[i]!);
  }
  if (minX > maxX) return [];
  const cell = Math.max(FINEST, Math.max(maxX - minX, maxY - minY) / MOST_CELLS);
  const reachX = Math.max(LEAST_REACH, REACH * Math.sqrt(((maxX - minX) * (maxY - minY) * ROUND) / count));
  const reachY = reachX * FLAT;
  const across = Math.ceil(reachX / cell) + 1;
  const down = Math.ceil(reachY / cell) + 1;
  const originX = minX - across * cell;
  const originY = minY - down * cell;
  const columns = Math.ceil((maxX - minX) / cell) + 2 * across + 1;
  const rows = Math.ceil((maxY - minY) / cell) + 2 * down + 1;
  const first = new Float32Array(columns * rows);
  const second = new Float32Array(columns * rows);
  const owner = new Int32Array(columns * rows).fill(-1);
  const patches: Patch[] = [];
  for (const [id, list] of members.entries()) {
    if (list.length === 0) continue;
    const patch = patchOf(id, list);
    patches.push(patch);
    for (let row = 0; row < patch.rows; row++) {
      for (let column = 0; column < patch.columns; column++) {
        const value = patch.land[row * patch.columns + column]!;
        const at = (patch.top + row) * columns + patch.left + column;
        if (value > first[at]!) {
          second[at] = first[at]!;
          first[at] = value;
          owner[at] = id;
        } else if (value > second[at]!) second[at] = value;
      }
    }
  }

  function patchOf(id: number, list: readonly number[]): Patch {
    let [x0, y0, x1, y1] = [Infinity, Infinity, -Infinity, -Infinity];
    for (const i of list) {
      x0 = Math.min(x0, x[i]!);
      y0 = Math.min(y0, y[i]!);
      x1 = Math.max(x1, x[i]!);
      y1 = Math.max(y1, y[i]!);
    }
    const left = Math.floor((x0 - originX) / cell) - across;
    const top = Math.floor((y0 - originY) / cell) - down;
    const wide = Math.ceil((x1 - originX) / cell) + across - left + 1;
    const high = Math.ceil((y1 - originY) / cell) + down - top + 1;
    const land = new Float32Array(wide * high);
    for (const i of list) {
      const px = (x[i]! - originX) / cell - left;
      const py = (y[i]! - originY) / cell - top;
      for (let row = Math.max(0, Math.floor(py) - down); row < Math.min(high, py + down + 1); row++) {
        const dy = ((row - py) * cell) / reachY;
        for (
          let column = Math.max(0, Math.floor(px) - across);
          column < Math.min(wide, px + across + 1);
          column++
        ) {
          const dx = ((column - px) * cell) / reachX;
          const near = 1 - dx * dx - dy * dy;
          if (near > 0) land[row * wide + column]! += near * near;
        }
      }
    }
    return { community: id, left, top, columns: wide, rows: high, land };
  }

  const near = new Map(patches.map(({ community }) => [community, new Set<number>()]));
  for (let at = 0; at < owner.length; at++) {
    if (owner[at]! < 0) continue;
    for (const beside of [at + 2, at + 2 * columns]) {
      const other = owner[beside];
      if (other === undefined || other < 0 || other === owner[at]) continue;
      near.get(owner[at]!)!.add(other);
      near.get(other)!.add(owner[at]!);
    }
  }
  const tints = new Map<number, number>();
  return patches.flatMap((patch): Region[] => {
    const id = patch.community;
    const { land, columns: wide, rows: high } = patch;
    let [sum, sumX, sumY] = [0, 0, 0];
    for (let row = 0; row < high; row++) {
      for (let column = 0; column < wide; column++) {
        const at = (patch.top + row) * columns + patch.left + column;
        const own = land[row * wide + column]!;
        const other = owner[at] === id ? second[at]! : first[at]!;
        const over = own - Math.max(SHORE, other);
        land[row * wide + column] = over;
        if (over <= 0) continue;
        sum += over;
        sumX += over * column;
        sumY += over * row;
      }
    }
    if (sum === 0) return [];
    const toX = (column: number) => originX + (patch.left + column) * cell;
    const toY = (row: number) => originY + (patch.top + row) * cell;
    const outlines = outlinesOf(land, wide, high);
    const areas = outlines.map(areaOf);
    const most = Math.max(...areas.map(Math.abs));
    const rings = outlines
      .filter((_, i) => Math.abs(areas[i]!) >= most * ISLAND)
      .map((ring) => ring.map((value, i) => (i % 2 === 0 ? toX(value) : toY(value))));
    const used = new Set([...near.get(id)!].map((other) => tints.get(other)));
    // Not always from the first one: far regions would all look alike.
    let tint = id % TINTS;
    for (let tries = 0; used.has(tint) && tries < TINTS; tries++) tint = (tint + 1) % TINTS;
    tints.set(id, tint);
    let [x0, y0, x1, y1] = [Infinity, Infinity, -Infinity, -Infinity];
    for (const ring of rings) {
      for (let i = 0; i < ring.length; i += 2) {
        x0 = Math.min(x0, ring[i]!);
        x1 = Math.max(x1, ring[i]!);
        y0 = Math.min(y0, ring[i + 1]!);
        y1 = Math.max(y1, ring[i + 1]!);
      }
    }
    return [
      { community: id, rings, x: toX(sumX / sum), y: toY(sumY / sum), width: x1 - x0, height: y1 - y0, tint },
    ];
  });
}

function areaOf(ring: Float32Array): number {
  let area = 0;
  for (let i = 0; i < ring.length; i += 2) {
    const j = (i + 2) % ring.length;
    area += ring[i]! * ring[j + 1]! - ring[j]! * ring[i + 1]!;
  }
  return area / 2;
}

/**
 * Sides of a square of four corners: 0 top, 1 right, 2 bottom, 3 left. For each set of corners inside (1 top left, 2 top right,
 * 4 bottom right, 8 bottom left) where an outline comes in and where it goes out, with the inside on its right.
 */
const WAYS: readonly (readonly (readonly [number, number])[])[] = [
  [],
  [[3, 0]],
  [[0, 1]],
  [[3, 1]],
  [[1, 2]],
  [
    [3, 0],
    [1, 2],
  ],
  [[0, 2]],
  [[3, 2]],
  [[2, 3]],
  [[2, 0]],
  [
    [0, 1],
    [2, 3],
  ],
  [[2, 1]],
  [[1, 3]],
  [[1, 0]],
  [[0, 3]],
  [],
];

/** Where the field is above 0, as closed rings of column, row, column, row … The field is not above 0 at its border. */
export function outlinesOf(field: Float32Array, columns: number, rows: number): Float32Array[] {
  // Each side of a square has a number: 2 for each corner, to the right and down.
  const next = new Int32Array(2 * columns * rows).fill(-1);
  const starts: number[] = [];
  for (let row = 0; row + 1 < rows; row++) {
    for (let column = 0; column + 1 < columns; column++) {
      const at = row * columns + column;
      const inside =
        (field[at]! > 0 ? 1 : 0) |
        (field[at + 1]! > 0 ? 2 : 0) |
        (field[at + columns + 1]! > 0 ? 4 : 0) |
        (field[at + columns]! > 0 ? 8 : 0);
      if (inside === 0 || inside === 15) continue;
      const sides = [2 * at, 2 * (at + 1) + 1, 2 * (at + columns), 2 * at + 1];
      for (const [from, to] of WAYS[inside]!) {
        next[sides[from]!] = sides[to]!;
        starts.push(sides[from]!);
      }
    }
  }
  const rings: Float32Array[] = [];
  for (const start of starts) {
    const ring: number[] = [];
    for (let side = start; next[side]! >= 0; ) {
      const at = side >> 1;
      const down = (side & 1) === 1;
      const a = field[at]!;
      const b = field[down ? at + columns : at + 1]!;
      const share = a / (a - b);
      const column = at % columns;
      const row = Math.floor(at / columns);
      ring.push(down ? column : column + share, down ? row + share : row);
      const to = next[side]!;
      next[side] = -1;
      side = to;
    }
    if (ring.length >= 6) rings.push(Float32Array.from(ring));
  }
  return rings;
}
