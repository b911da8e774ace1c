/**
 * What was read of Eves, as it lies there: sealed. Kept here so that it is not fetched twice; it tells whoever takes this disk no more
 * than Eve knows.
 *
 * @module vault/place/kept
 */
import type { Stretch } from '../types.ts';

export interface KeptReads {
  /** Null: it is not kept. @param stretch null: the whole block */
  get(block: string, stretch: Stretch | null): Uint8Array | null;
  /** What was found to be right. */
  put(block: string, stretch: Stretch | null, bytes: Uint8Array): void;
}
