/**
 * From which scale on each name is written. A name that is written stays so when one looks closer, and at no scale do two of
 * them lie on each other: so nothing flickers while the map moves.
 *
 * After Been, Daiches and Yap, Dynamic map labeling (2006).
 *
 * @module web/pages/knowledge/graph/labels
 */

export interface LabelProblem {
  /** Places on the map. */
  readonly x: ArrayLike<number>;
  readonly y: ArrayLike<number>;
  /** What each label covers around its place, px: half of its width, how far up and how far down. */
  readonly halfWidth: ArrayLike<number>;
  readonly up: ArrayLike<number>;
  readonly down: ArrayLike<number>;
  /** Those that choose first come first. Others are never written. */
  readonly order: readonly number[];
  /** Not written below this scale. */
  readonly from: ArrayLike<number>;
  /** Scales that are looked at: px for one unit of the map. */
  readonly least: number;
  readonly most: number;
}

/** Scales that are looked at between one and its double. */
const PER_OCTAVE = 4;
/** Cells in which labels are looked for, px. A few labels are compared with each other faster. */
const CELL_WIDTH = 72;
const CELL_HEIGHT = 26;
const FEW = 100;

/** Scale from which on each is written; Infinity where there is never room. */
export function appearancesOf(problem: LabelProblem): Float64Array {
  const { x, y, halfWidth, up, down, order, from, least, most } = problem;
  const appears = new Float64Array(x.length).fill(Infinity);
  if (order.length === 0) return appears;
  const cellWidth = order.length <= FEW ? Infinity : CELL_WIDTH;
  const cellHeight = order.length <= FEW ? Infinity : CELL_HEIGHT;
  let [minX, minY, maxX, maxY] = [Infinity, Infinity, -Infinity, -Infinity];
  let [wide, high] = [0, 0];
  for (const i of order) {
    minX = Math.min(minX, x[i]!);
    minY = Math.min(minY, y[i]!);
    maxX = Math.max(maxX, x[i]!);
    maxY = Math.max(maxY, y[i]!);
    wide = Math.max(wide, halfWidth[i]!);
    high = Math.max(high, up[i]!, down[i]!);
  }
  let heads = new Int32Array(0);
  /** Of each entry in a cell: the label, and the entry after it. */
  let label = new Int32Array(4 * order.length + 16);
  let next = new Int32Array(label.length);
  const steps = Math.max(0, Math.ceil(PER_OCTAVE * Math.log2(most / least)));
  let waiting = order.slice();
  const written: number[] = [];
  for (let step = 0; step <= steps; step++) {
    const scale = least * 2 ** (step / PER_OCTAVE);
    const columns = Math.ceil(((maxX - minX) * scale + 2 * wide) / cellWidth) + 1;
    const rows = Math.ceil(((maxY - minY) * scale + 2 * high) / cellHeight) + 1;
    if (heads.length < columns * rows) heads = new Int32Array(columns * rows);
    heads.fill(-1, 0, columns * rows);
    let used = 0;
    const [boxLeft, boxTop, boxRight, boxBottom] = [
      (i: number) => (x[i]! - minX) * scale + wide - halfWidth[i]!,
      (i: number) => (y[i]! - minY) * scale + high - up[i]!,
      (i: number) => (x[i]! - minX) * scale + wide + halfWidth[i]!,
      (i: number) => (y[i]! - minY) * scale + high + down[i]!,
    ];
    /** Stops when the visit says so. @returns whether it did */
    const visit = (i: number, each: (cell: number) => boolean): boolean => {
      const last = Math.floor(boxRight(i) / cellWidth);
      const lowest = Math.floor(boxBottom(i) / cellHeight);
      for (let row = Math.floor(boxTop(i) / cellHeight); row <= lowest; row++)
        for (let column = Math.floor(boxLeft(i) / cellWidth); column <= last; column++)
          if (each(row * columns + column)) return true;
      return false;
    };
    const put = (i: number): boolean =>
      visit(i, (cell) => {
        if (used === label.length) {
          const longer = new Int32Array(2 * used);
          longer.set(label);
          label = longer;
          const after = new Int32Array(2 * used);
          after.set(next);
          next = after;
        }
        label[used] = i;
        next[used] = heads[cell]!;
        heads[cell] = used++;
        return false;
      });
    const meets = (i: number, cell: number): boolean => {
      for (let entry = heads[cell]!; entry >= 0; entry = next[entry]!) {
        const j = label[entry]!;
        if (
          Math.abs(x[i]! - x[j]!) * scale < halfWidth[i]! + halfWidth[j]! &&
          (y[i]! - y[j]!) * scale < up[i]! + down[j]! &&
          (y[j]! - y[i]!) * scale < up[j]! + down[i]!
        )
          return true;
      }
      return false;
    };
    for (const i of written) put(i);
    const later: number[] = [];
    for (const i of waiting) {
      if (from[i]! > scale || visit(i, (cell) => meets(i, cell))) later.push(i);
      else {
        appears[i] = scale;
        written.push(i);
        put(i);
      }
    }
    waiting = later;
  }
  return appears;
}
