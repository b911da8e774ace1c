/**
 * Whose turn it is in the text thread: short work overtakes long work, and long work still gets on.
 *
 * Work waits in a lane by its size. The shortest lane goes first, but a lane that was passed over a few times in a row has
 * the next turn. A long work takes its turn in slices and stays at the head of its lane, so that each lane has at most one
 * that is begun.
 *
 * @module engine/text/lanes
 */

/** UTF-16 units (or tokens) of the largest work of each lane. */
const LANES = [16_384, 524_288, Number.POSITIVE_INFINITY] as const;
/** Turns of others before a lane has its own. */
const PATIENCE = 4;

export interface Lanes<T> {
  readonly size: number;
  /** @param began true for work that goes on: it is the first of its lane again. */
  add(work: T, size: number, began?: boolean): void;
  next(): T | undefined;
  /** False when it does not wait here. */
  remove(work: T): boolean;
  /** Takes everything out. */
  clear(): T[];
}

export function createLanes<T>(): Lanes<T> {
  const lanes = LANES.map((most) => ({ most, waiting: [] as T[], passed: 0 }));
  return {
    get size() {
      return lanes.reduce((sum, { waiting }) => sum + waiting.length, 0);
    },
    add(work, size, began = false) {
      const { waiting } = lanes.find(({ most }) => size <= most)!;
      if (began) waiting.unshift(work);
      else waiting.push(work);
    },
    next() {
      const busy = lanes.filter(({ waiting }) => waiting.length > 0);
      const lane = busy.findLast(({ passed }) => passed >= PATIENCE) ?? busy[0];
      for (const other of busy) other.passed = other === lane ? 0 : other.passed + 1;
      return lane?.waiting.shift();
    },
    remove(work) {
      for (const { waiting } of lanes) {
        const at = waiting.indexOf(work);
        if (at < 0) continue;
        waiting.splice(at, 1);
        return true;
      }
      return false;
    },
    clear: () => lanes.flatMap(({ waiting }) => waiting.splice(0)),
  };
}
