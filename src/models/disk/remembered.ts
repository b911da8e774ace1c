/**
 * Small files that are read again and again and seldom change: read and parsed once, looked at by their stat afterwards.
 *
 * @module models/disk/remembered
 */
import type { BigIntStats } from 'node:fs';
import { stat } from 'node:fs/promises';
import { readFileBounded } from '../../base/index.ts';

/** Files remembered at most; beyond that the oldest is forgotten. */
const MAX_FILES = 1_000;
/**
 * A file that was changed so recently could change again within the resolution of its times without a trace. It is read
 * anew until it has rested, in ns.
 */
const RESTED_NS = 2_000_000_000n;

interface Kept<T> {
  readonly stat: BigIntStats;
  readonly value: T;
}

/** What `parse` made of each file, for as long as size, inode and times of the file stay. */
export class RememberedFiles<T> {
  readonly #parse: (text: string, path: string) => T;
  readonly #maxBytes: number;
  readonly #now: () => bigint;
  readonly #kept = new Map<string, Kept<T>>();

  /** @param now ns since 1970, as the disk's clock has it */
  constructor(
    maxBytes: number,
    parse: (text: string, path: string) => T,
    now: () => bigint = () => BigInt(Date.now()) * 1_000_000n,
  ) {
    this.#maxBytes = maxBytes;
    this.#parse = parse;
    this.#now = now;
  }

  /** @throws InputError `file_not_found` and others of `readFileBounded`, and what `parse` throws */
  async read(path: string): Promise<T> {
    const now = await stat(path, { bigint: true }).catch(() => null);
    const kept = this.#kept.get(path);
    if (kept !== undefined && now !== null && isSame(kept.stat, now)) return kept.value;
    this.#kept.delete(path);
    const value = this.#parse(new TextDecoder().decode(await readFileBounded(path, this.#maxBytes)), path);
    // What was read is of this stat or of a later one: of a later one the next look finds that the stat differs.
    if (now !== null && this.#now() - now.ctimeNs > RESTED_NS) {
      if (this.#kept.size >= MAX_FILES) this.#kept.delete(this.#kept.keys().next().value!);
      this.#kept.set(path, { stat: now, value });
    }
    return value;
  }
}

function isSame(one: BigIntStats, other: BigIntStats): boolean {
  return (
    one.size === other.size &&
    one.ino === other.ino &&
    one.dev === other.dev &&
    one.mtimeNs === other.mtimeNs &&
    one.ctimeNs === other.ctimeNs
  );
}
