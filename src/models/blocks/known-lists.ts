/**
 * Which tensor list holds for a model: the pinned one, else the one that this node made or was given and keeps.
 *
 * @module models/blocks/known-lists
 */
import { isKithError, writeFileAtomic } from '../../base/index.ts';
import type { StoreContext } from '../store/obtain.ts';
import { readFileState } from '../store/on-disk.ts';
import type { ModelManifest } from '../types.ts';
import { listOfFile } from './compute.ts';
import { checkListOf, serialiseTensorList, type TensorList } from './list.ts';
import { pinnedList } from './pinned.ts';

/** Null when nothing here says which tensors the model has. */
export async function knownList(
  { layout, log }: Pick<StoreContext, 'layout' | 'log'>,
  manifest: ModelManifest,
): Promise<TensorList | null> {
  const pinned = pinnedList(manifest.sha256);
  if (pinned !== null) return pinned;
  try {
    const list = await layout.tensorLists.read(layout.tensors(manifest.id));
    checkListOf(list, manifest);
    return list;
  } catch (error) {
    if (!isKithError(error)) throw error;
    if (error.code !== 'file_not_found')
      log.warn(`The kept list of tensors of ${manifest.id} is not used.`, { code: error.code });
    return null;
  }
}

/** @throws InputError `tensor_list_mismatch` */
export async function keepList(
  { layout }: Pick<StoreContext, 'layout'>,
  manifest: ModelManifest,
  list: TensorList,
): Promise<void> {
  checkListOf(list, manifest);
  if (pinnedList(manifest.sha256) !== null) return;
  await writeFileAtomic(layout.tensors(manifest.id), serialiseTensorList(list));
}

/** The known list, or the one of the whole verified file, which is made now and kept; null when that is not here. */
export async function makeList(
  context: Pick<StoreContext, 'layout' | 'log'>,
  manifest: ModelManifest,
  options: {
    readonly signal?: AbortSignal | undefined;
    readonly onBytes?: ((bytes: number) => void) | undefined;
  },
): Promise<TensorList | null> {
  const known = await knownList(context, manifest);
  if (known !== null) return known;
  const whole = await readFileState(context.layout, manifest);
  if (whole === null || whole.verifiedAt === null) return null;
  const list = await listOfFile(context.layout.model(manifest.id), manifest.sha256, options);
  const after = await readFileState(context.layout, manifest);
  // A file that changed while it was read has another list than the one that was verified.
  if (after === null || after.verifiedAt === null) return null;
  await keepList(context, manifest, list);
  return list;
}
