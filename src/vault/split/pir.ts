/**
 * Fetching rows from two Eves without either learning which: 2-server private information retrieval by XOR (Chor, Goldreich, Kushilevitz,
 * Sudan, "Private information retrieval", FOCS 1995, section 3.1). One Eve gets a random selection of the rows, the other the same
 * but for the one that is wanted; what they answer differs by that row.
 *
 * The number of rows asked for is always the same, so that it tells nothing either.
 *
 * @module vault/split/pir
 */
import type { Random } from '../../base/index.ts';

export interface RowTable {
  /** Rows of each block, all alike; the last one may have fewer that are of use. */
  readonly rows: number;
  readonly blocks: number;
  /** A multiple of 16. */
  readonly rowBytes: number;
}

export interface RowQuestion {
  /** Bits for the one Eve and for the other: as `gatherRows` takes them. */
  readonly first: Uint8Array;
  readonly second: Uint8Array;
}

/** @param wanted numbers of rows, counted over all blocks @param questions how many are asked: at least as many; the others are drawn */
export function askRows(
  { rows, blocks }: RowTable,
  wanted: readonly number[],
  questions: number,
  random: Pick<Random, 'bytes' | 'float'>,
): RowQuestion {
  if (wanted.length > questions) throw new RangeError(`${wanted.length} rows are more than ${questions}.`);
  const each = Math.ceil(rows / 8);
  const first = random.bytes(questions * blocks * each);
  const second = Uint8Array.from(first);
  for (let k = 0; k < questions; k++) {
    const row = wanted[k] ?? Math.floor(random.float() * rows * blocks);
    if (!Number.isInteger(row) || row < 0 || row >= rows * blocks)
      throw new RangeError(`There is no row ${row}.`);
    const at = (k * blocks + Math.floor(row / rows)) * each + ((row % rows) >> 3);
    second[at]! ^= 1 << ((row % rows) & 7);
  }
  return { first, second };
}

/** The rows that were wanted, from both answers. */
export function readRows(
  first: Uint8Array,
  second: Uint8Array,
  rowBytes: number,
  wanted: number,
): Uint8Array[] {
  if (first.length !== second.length || first.length < wanted * rowBytes)
    throw new RangeError('The two answers do not have the same rows.');
  return Array.from({ length: wanted }, (_, k) => {
    const row = first.slice(k * rowBytes, (k + 1) * rowBytes);
    for (let i = 0; i < rowBytes; i++) row[i]! ^= second[k * rowBytes + i]!;
    return row;
  });
}
