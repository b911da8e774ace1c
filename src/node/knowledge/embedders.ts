/**
 * Who makes the vectors of knowledge bases: a KB keeps the model that it began with, whatever is configured later.
 *
 * @module node/knowledge/embedders
 */
import { InputError } from '../../base/index.ts';
import type { Embedder, EmbedderIdentity, KnowledgeStore } from '../../knowledge/index.ts';
import { type EngineEmbedderOptions, openEngineEmbedder } from './embedder.ts';

export interface Embedders {
  /** The one that the KB has; the configured one while it has none. Loads the model. */
  of(store: KnowledgeStore): Promise<Embedder>;
  configured(): Promise<Embedder>;
  /** The one that made vectors elsewhere. @throws InputError `embedder_mismatch`: what is here under its name is another */
  named(made: EmbedderIdentity): Promise<Embedder>;
  /** For questions: nothing is loaded before the first. */
  lazy(store: KnowledgeStore): Embedder;
}

/** @param model configured id */
export function createEmbedders(
  parts: Omit<EngineEmbedderOptions, 'model'> & { readonly model: string },
): Embedders {
  const open = new Map<string, Promise<Embedder>>();
  const get = async (model: string): Promise<Embedder> => {
    const { manifest } = await parts.models.get(model);
    // A model that was replaced by another file under its name is another embedder.
    const key = `${model} ${manifest.sha256}`;
    let opening = open.get(key);
    if (opening === undefined) {
      // Without a signal: several wait for it.
      opening = openEngineEmbedder({ ...parts, model });
      open.set(key, opening);
      opening.catch(() => open.delete(key));
    }
    return opening;
  };
  const of = (store: KnowledgeStore) => get(store.embedder?.id ?? parts.model);
  const lost = () => new InputError('embedder_missing', 'The knowledge base has no vectors yet.');
  return {
    of,
    configured: () => get(parts.model),
    async named({ id, hash }) {
      const real = await get(id);
      if (real.hash !== hash)
        throw new InputError(
          'embedder_mismatch',
          `The model ${id} on this disk is not the one that made the vectors of this knowledge base: install that one, or restore the knowledge base and have its vectors made anew with \`kith rag rebuild\`.`,
          { status: 409 },
        );
      return real;
    },
    lazy: (store) => ({
      get id() {
        return store.embedder?.id ?? '';
      },
      get hash() {
        return store.embedder?.hash ?? '';
      },
      get dimension() {
        return store.embedder?.dimension ?? 0;
      },
      // Questions are cut by the model itself.
      window: Number.MAX_SAFE_INTEGER,
      countTokens: async (texts, signal) => (await of(store)).countTokens(texts, signal),
      async embed(texts, options) {
        const kept = store.embedder;
        if (kept === null) throw lost();
        const real = await of(store);
        if (real.hash !== kept.hash)
          throw new InputError(
            'embedder_mismatch',
            `The model ${kept.id} on this disk is not the one that made the vectors of this knowledge base: have them made anew with \`kith rag rebuild\`.`,
            { status: 409 },
          );
        return real.embed(texts, options);
      },
    }),
  };
}
