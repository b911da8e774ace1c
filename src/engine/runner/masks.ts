/**
 * Attention masks as f16 bits: 0 lets a row see a cell, -infinity hides it.
 *
 * @module engine/runner/masks
 */
import type { ForwardPart } from './types.ts';

const HIDDEN = 0xfc00;

/**
 * Fills `mask` (rows × kvLength, row-major) for the rows of `parts`, in order. A row at position p sees the cells of
 * its own sequence at positions <= p, and with a window only those with p - position < window.
 */
export function fillMask(
  mask: Uint16Array,
  kvLength: number,
  parts: readonly ForwardPart[],
  window: number | null,
): void {
  let row = 0;
  for (const { cells, start, count } of parts) {
    let at = row * kvLength;
    mask.fill(HIDDEN, at, at + kvLength);
    const first = window === null ? 0 : Math.max(0, start - window + 1);
    for (let p = first; p <= start; p++) mask[at + cells[p]!] = 0;
    for (let i = 1; i < count; i++) {
      const next = at + kvLength;
      mask.copyWithin(next, at, next);
      const p = start + i;
      mask[next + cells[p]!] = 0;
      if (window !== null && p - window >= 0) mask[next + cells[p - window]!] = HIDDEN;
      at = next;
    }
    row += count;
  }
}
