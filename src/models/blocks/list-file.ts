/**
 * A tensor list as an owner passes it on: with the manifest, so that a node that never heard of the model knows it.
 *
 * @module models/blocks/list-file
 */
import { InputError } from '../../base/index.ts';
import { parseManifest } from '../manifest/manifest.ts';
import type { ModelManifest } from '../types.ts';
import {
  checkListOf,
  MAX_LIST_BYTES,
  parseTensorList,
  serialiseTensorList,
  type TensorList,
} from './list.ts';

export interface TensorListFile {
  readonly manifest: ModelManifest;
  readonly list: TensorList;
}

/** JSON text. Sources on the maker's own disk are left out. */
export function writeListFile({ manifest, list }: TensorListFile): string {
  const sources = manifest.sources.filter(({ parts }) => parts.every((uri) => !uri.startsWith('file:')));
  const plain = {
    schema: 1,
    manifest: { ...manifest, sources },
    list: JSON.parse(serialiseTensorList(list)),
  };
  return `${JSON.stringify(plain)}\n`;
}

/** @throws InputError `tensor_list_invalid`, `tensor_list_mismatch`, `manifest_invalid` */
export function readListFile(text: string, origin: string): TensorListFile {
  let value: unknown;
  try {
    value = text.length > MAX_LIST_BYTES ? null : JSON.parse(text);
  } catch {
    // Not JSON: said below.
    value = null;
  }
  if (typeof value !== 'object' || value === null || !('manifest' in value) || !('list' in value))
    throw new InputError(
      'tensor_list_invalid',
      `${origin} is no list of a model's tensors. Make one where the whole model is: kith models tensors MODEL --out FILE`,
      { param: 'list' },
    );
  const manifest = parseManifest(value.manifest, origin);
  const list = parseTensorList(value.list);
  checkListOf(list, manifest);
  return { manifest, list };
}
