/**
 * Embedding models that were trained so that the first numbers of a vector stand for the whole (Matryoshka
 * representation learning, Kusupati et al. 2022). A GGUF has no key that says so; the model's name has to.
 *
 * @module models/manifest/matryoshka
 */

/** Names in lower case with dashes, and the fewest numbers that the model's authors trained or name. */
const trained: readonly (readonly [RegExp, number])[] = [
  [/nomic-embed-text-v1\.5/, 64],
  [/nomic-embed-text-v2/, 256],
  [/arctic-embed-m-v1\.5/, 256],
  [/arctic-embed-[ml]-v2/, 256],
  [/mxbai-embed-large-v1/, 128],
  [/embedding-?gemma/, 128],
  [/qwen3-(vl-)?embedding/, 32],
  [/jina-embeddings-v3/, 32],
];

/**
 * Fewest numbers to which vectors of a model of this name may be cut; null when the name is not known for it.
 *
 * @param name `general.name` of its GGUF
 */
export function matryoshkaOf(name: string | null): number | null {
  const plain = (name ?? '').toLowerCase().replace(/[\s_]+/g, '-');
  return trained.find(([pattern]) => pattern.test(plain))?.[1] ?? null;
}
