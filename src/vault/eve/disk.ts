/**
 * The disk below Eve's tenants: what of it can still be lent.
 *
 * @module vault/eve/disk
 */
import { readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';

/** Bytes of the files in a folder; 0 where there is none. */
export function takenBytes(folder: string): number {
  let names: string[];
  try {
    names = readdirSync(folder);
  } catch {
    return 0;
  }
  return names.reduce(
    (sum, name) => sum + (statSync(join(folder, name), { throwIfNoEntry: false })?.size ?? 0),
    0,
  );
}

/**
 * Bytes that can still be promised: of the capacity, and of the disk beside what was promised before and is not written yet.
 *
 * @param free of the disk, bytes; `reserve` of them are left alone
 */
export function lendableBytes(of: {
  readonly capacity: number;
  readonly promised: number;
  readonly taken: number;
  readonly free: number;
  readonly reserve: number;
}): number {
  const onDisk = of.free - of.reserve - Math.max(0, of.promised - of.taken);
  return Math.max(0, Math.min(of.capacity - of.promised, onDisk));
}
