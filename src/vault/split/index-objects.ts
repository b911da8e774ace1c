/**
 * The index of the split search as objects of a collection: cut in pieces, since an object has a bound.
 *
 * @module vault/split/index-objects
 */
import { damaged } from '../seal/record.ts';
import { decodeIndex, encodeIndex, type SplitIndex } from './index-file.ts';

/** Names of objects that are of `split` begin so. */
export const SPLIT_OBJECTS = 'split/';
const INDEX = `${SPLIT_OBJECTS}index/`;
/** Of pieces of 2 MiB: an index has 16 MiB at most. */
const MOST_PIECES = 8;

/** @param pieceBytes of each object @default 2 MiB */
export function indexObjects(index: SplitIndex, pieceBytes = 2 << 20): Map<string, Uint8Array> {
  const bytes = encodeIndex(index);
  return new Map(
    Array.from({ length: Math.ceil(bytes.length / pieceBytes) }, (_, i) => [
      `${INDEX}${i}`,
      bytes.subarray(i * pieceBytes, (i + 1) * pieceBytes),
    ]),
  );
}

/**
 * @param names all of the collection @param read gives one object
 * @throws KithError `vault_damaged`: there is none, or not all of it
 */
export async function readIndex(
  names: Iterable<string>,
  read: (name: string) => Promise<Uint8Array>,
): Promise<SplitIndex> {
  const own = [...names].filter((name) => name.startsWith(INDEX));
  if (own.length === 0 || own.length > MOST_PIECES) throw damaged('the index of the split search');
  const pieces = await Promise.all(own.map((_, i) => read(`${INDEX}${i}`)));
  return decodeIndex(Buffer.concat(pieces));
}
