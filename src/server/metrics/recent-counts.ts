/**
 * Counts by name within a sliding window, bounded in names and slots.
 *
 * @module server/metrics/recent-counts
 */
import { other } from './labels.ts';

/** Slots of the window: it is exact to one of them. */
const slots = 10;
/** Names in one slot; those beyond it are counted as `other`. */
const maxNames = 20;

export class RecentCounts {
  readonly #slotMs: number;
  readonly #slots = new Map<number, Map<string, number>>();

  /** @param windowMs length of the window */
  constructor(windowMs: number) {
    this.#slotMs = windowMs / slots;
  }

  /** @param now monotonic ms */
  add(name: string, now: number): void {
    const slot = Math.floor(now / this.#slotMs);
    let counts = this.#slots.get(slot);
    if (counts === undefined) {
      for (const old of this.#slots.keys()) if (old <= slot - slots) this.#slots.delete(old);
      counts = new Map();
      this.#slots.set(slot, counts);
    }
    const kept = counts.has(name) || counts.size < maxNames ? name : other;
    counts.set(kept, (counts.get(kept) ?? 0) + 1);
  }

  /** Adds what was counted within the window that ends at `now` to `sums`. */
  addRecent(sums: Map<string, number>, now: number): void {
    const oldest = Math.floor(now / this.#slotMs) - slots + 1;
    for (const [slot, counts] of this.#slots) {
      if (slot < oldest) continue;
      for (const [name, count] of counts) sums.set(name, (sums.get(name) ?? 0) + count);
    }
  }
}
