/** Hashes again what is there of a model that is here in part. @module models/blocks/verify */
import { KithError } from '../../base/index.ts';
import type { Io, StoreContext } from '../store/obtain.ts';
import type { ModelManifest } from '../types.ts';
import { knownList } from './known-lists.ts';
import { PartialFile } from './partial-file.ts';
import { readBlocksNote } from './recover.ts';

/**
 * False when nothing of it is here. What is wrong counts as missing from then on.
 *
 * @throws KithError `model_corrupt` naming what was wrong
 */
export async function verifyBlocks(
  context: StoreContext,
  manifest: ModelManifest,
  { meter, signal }: Io,
): Promise<boolean> {
  const { id } = manifest;
  const path = context.layout.blocks(id);
  const note = context.layout.blocksNote(id);
  const list = await knownList(context, manifest);
  if (list === null || (await readBlocksNote(note)) === null) return false;
  meter.start('verify', null);
  const io = { signal, onHash: meter.at };
  await using file = await PartialFile.open({ file: path, note }, list, io);
  const wrong = [...file.forgotten, ...(await file.check(io))].map(({ name }) => name);
  meter.flush();
  if (wrong.length === 0) return true;
  const more = wrong.length > 5 ? ` and ${wrong.length - 5} more` : '';
  const why = `${wrong.slice(0, 5).join(', ')}${more} had other bytes than when they came; they count as missing now`;
  const remedy = `Get them again with: kith shard download ${id}`;
  throw new KithError('model_corrupt', `Model "${id}" is damaged: ${path}: ${why}. ${remedy}`, {
    details: { model: id, path, why, remedy },
  });
}
