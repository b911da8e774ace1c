/**
 * A model that can be computed over peers, by its id.
 *
 * @module node/shards/text-model
 */
import { InputError } from '../../base/index.ts';
import type { ModelManifest, ModelStore } from '../../models/index.ts';

export const writesText = ({ task }: Pick<ModelManifest, 'task'>): boolean =>
  task === 'chat' || task === 'completion';

/** @throws InputError `model_not_found`; `wrong_model_task` for one that writes no text */
export async function textModel(models: Pick<ModelStore, 'get'>, id: string): Promise<ModelManifest> {
  const { manifest } = await models.get(id);
  if (!writesText(manifest))
    throw new InputError(
      'wrong_model_task',
      `'${id}' ${manifest.task === 'rerank' ? 'is a reranker' : 'makes embeddings'}, which are not computed over peers.`,
      {
        param: 'model',
      },
    );
  return manifest;
}
