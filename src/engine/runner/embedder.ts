/**
 * Text embeddings from an encoder model: batches of token rows in, L2-normalised vectors out.
 *
 * @module engine/runner/embedder
 */
import { KithError } from '../../base/index.ts';
import type { Compute } from '../ggml/compute.ts';
import { checkRows, type EncoderInfo, type OpenEncoder, openEncoder, planPasses } from './encoder.ts';

export interface Embedder extends AsyncDisposable {
  readonly info: EncoderInfo;
  /**
   * @param rows token ids with the specials the model wants ([CLS] ... [SEP]), 1 to `context` each.
   * @returns row-major rows.length × dimension, each row L2-normalised.
   * @throws KithError `forward_invalid`, `vectors_invalid`
   */
  embed(rows: readonly Int32Array[]): Promise<{ vectors: Float32Array; dimension: number }>;
}

export async function openEmbedder(compute: Compute, options: OpenEncoder): Promise<Embedder> {
  const encoder = await openEncoder(compute, options);
  const { info, hyper } = encoder;
  return {
    info,
    async embed(rows) {
      checkRows(rows, info);
      const e = info.dimension;
      const vectors = new Float32Array(rows.length * e);
      for (const { indices, length } of planPasses(rows)) {
        const texts = indices.map((index) => ({ tokens: rows[index]!, second: rows[index]!.length }));
        await encoder.pass(texts, length, (hidden) => {
          for (const [text, index] of indices.entries()) {
            const own = hidden.subarray(text * length * e, (text + 1) * length * e);
            pool(own, rows[index]!.length, e, hyper.pooling, vectors.subarray(index * e, (index + 1) * e));
          }
        });
      }
      return { vectors, dimension: e };
    },
    [Symbol.asyncDispose]: () => encoder[Symbol.asyncDispose](),
  };
}

/** Mean over the text's own tokens, or its first or last token; then divided by its L2 norm. */
function pool(hidden: Float32Array, tokens: number, e: number, pooling: string, out: Float32Array): void {
  if (pooling === 'mean') {
    for (let t = 0; t < tokens; t++) for (let i = 0; i < e; i++) out[i]! += hidden[t * e + i]!;
  } else {
    const at = pooling === 'cls' ? 0 : (tokens - 1) * e;
    out.set(hidden.subarray(at, at + e));
  }
  let square = 0;
  for (let i = 0; i < e; i++) square += out[i]! * out[i]!;
  if (!Number.isFinite(square)) {
    throw new KithError(
      'vectors_invalid',
      'The model computed a vector that is not finite: its file is damaged or of a variant that is not supported.',
      { status: 500 },
    );
  }
  const scale = square > 0 ? 1 / Math.sqrt(square) : 0;
  for (let i = 0; i < e; i++) out[i]! *= scale;
}
