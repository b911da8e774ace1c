/**
 * Tensor lists of the catalogue's models, as the store makes those models. Written by `scripts/pin-tensors.ts`.
 *
 * @module models/blocks/pinned
 */
import { type TensorList, tensorList } from './list.ts';
import * as minimind2 from './pinned/minimind2-small.ts';
import * as stories from './pinned/stories15m.ts';
import * as tinyllama from './pinned/tinyllama-1.1b-chat.ts';

interface Pinned {
  readonly model: string;
  readonly bytes: number;
  /** Lines of `name offset bytes sha256`, the hash in base64url. */
  readonly rows: string;
}

const PINNED: readonly Pinned[] = [tinyllama, minimind2, stories];
const unpacked = new Map<string, TensorList>();

/** The list of the model with this sha256, if it is one of the catalogue's that runs in blocks. */
export function pinnedList(sha256: string): TensorList | null {
  const known = unpacked.get(sha256);
  if (known !== undefined) return known;
  const found = PINNED.find(({ model }) => model === sha256);
  if (found === undefined) return null;
  const sections = found.rows
    .trim()
    .split('\n')
    .map((row) => {
      const [name = '', offset, bytes, hash = ''] = row.split(' ');
      return {
        name,
        offset: Number(offset),
        bytes: Number(bytes),
        sha256: Buffer.from(hash, 'base64url').toString('hex'),
      };
    });
  const list = tensorList(found.model, found.bytes, sections);
  unpacked.set(sha256, list);
  return list;
}
