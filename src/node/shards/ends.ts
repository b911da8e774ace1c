/**
 * The ends of a model whose other blocks are computed elsewhere: what this machine needs on its disk.
 *
 * @module node/shards/ends
 */
import { isKithError, KithError } from '../../base/index.ts';
import type { ModelManifest, ModelStore } from '../../models/index.ts';

/**
 * A file that has the embedding and the head, and `own` blocks at each end. A request fetches nothing: what is missing may be
 * large, and nobody could see how it goes on.
 *
 * @throws KithError `model_not_installed` (409) with the command that gets what is missing
 */
export async function endsOf(
  models: Pick<ModelStore, 'ensureBlocks'>,
  { id, blocks }: Pick<ModelManifest, 'id' | 'blocks'>,
  own: number,
  signal: AbortSignal,
): Promise<string> {
  try {
    const first = { from: 0, to: own, embedding: true, head: own === 0 };
    const { path } = await models.ensureBlocks(id, first, { signal });
    if (own === 0) return path;
    const last = { from: blocks - own, to: blocks, head: true };
    return (await models.ensureBlocks(id, last, { signal })).path;
  } catch (error) {
    if (!isKithError(error) || error.code !== 'model_not_installed') throw error;
    const get = `kith shard download ${id} --ends`;
    throw new KithError(
      'model_not_installed',
      own === 0
        ? `This machine computes the embedding and the head of '${id}' itself, and they are not here. Get them with: ${get}`
        : `This machine computes the embedding, the head and ${own} blocks at each end of '${id}' itself, and they are not all here. Get them with: ${get} --blocks ${own} and: kith shard download ${id} --start-block ${blocks - own}`,
      { status: 409, param: 'model', cause: error },
    );
  }
}
