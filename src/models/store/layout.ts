/**
 * Where things lie: `<home>/models/<id>/{model.gguf, manifest.json, verified.json}`, of models that are here in part
 * `{blocks.gguf, blocks.json}`, the list of tensors `tensors.json`; unfinished files under
 * `.partial`, locks under `.locks` (never deleted, see base/lock). Ids are checked before they become paths.
 *
 * @module models/store/layout
 */

import { join, resolve } from 'node:path';
import { MAX_LIST_BYTES, parseTensorList, type TensorList } from '../blocks/list.ts';
import { type BlocksNote, MAX_BLOCKS_NOTE_BYTES, parseBlocksNote } from '../blocks/note.ts';
import { RememberedFiles } from '../disk/remembered.ts';
import { checkModelId, MAX_MANIFEST_BYTES, parseManifest } from '../manifest/manifest.ts';
import type { ModelManifest } from '../types.ts';
import { MAX_NOTE_BYTES, parseVerified, type VerifiedNote } from './verified.ts';

export interface Layout {
  readonly root: string;
  readonly partial: string;
  folder(id: string): string;
  model(id: string): string;
  manifest(id: string): string;
  /** When, and of exactly which file, the sha256 was last seen to be right. */
  verified(id: string): string;
  /** The model's file when only some of its tensors are here; sparse. */
  blocks(id: string): string;
  /** Which tensors those are. */
  blocksNote(id: string): string;
  /** The tensor list that was made of the file, or given. */
  tensors(id: string): string;
  /** The model's bytes so far. */
  part(id: string): string;
  /** Folder of files that are to be converted. */
  input(id: string): string;
  lock(id: string): string;
  readonly manifests: RememberedFiles<ModelManifest>;
  readonly notes: RememberedFiles<VerifiedNote>;
  readonly blockNotes: RememberedFiles<BlocksNote>;
  readonly tensorLists: RememberedFiles<TensorList>;
}

export function createLayout(home: string): Layout {
  const root = join(resolve(home), 'models');
  const partial = join(root, '.partial');
  const folder = (id: string) => join(root, checkModelId(id));
  return {
    root,
    partial,
    folder,
    model: (id) => join(folder(id), 'model.gguf'),
    manifest: (id) => join(folder(id), 'manifest.json'),
    verified: (id) => join(folder(id), 'verified.json'),
    blocks: (id) => join(folder(id), 'blocks.gguf'),
    blocksNote: (id) => join(folder(id), 'blocks.json'),
    tensors: (id) => join(folder(id), 'tensors.json'),
    part: (id) => join(partial, `${checkModelId(id)}.part`),
    input: (id) => join(partial, `${checkModelId(id)}.input`),
    lock: (id) => join(root, '.locks', `${checkModelId(id)}.lock`),
    manifests: new RememberedFiles(MAX_MANIFEST_BYTES, parseManifest),
    notes: new RememberedFiles(MAX_NOTE_BYTES, parseVerified),
    blockNotes: new RememberedFiles(MAX_BLOCKS_NOTE_BYTES, parseBlocksNote),
    tensorLists: new RememberedFiles(MAX_LIST_BYTES, parseTensorList),
  };
}

/** The note beside a part that says of which bytes it is the beginning. */
export const stateOf = (part: string): string => `${part}.json`;
