/**
 * Relevance of passages to a query from an encoder that reads both together (a cross-encoder): token rows of pairs in, one
 * logit each out.
 *
 * @module engine/runner/reranker
 */
import { KithError } from '../../base/index.ts';
import type { Compute } from '../ggml/compute.ts';
import {
  checkRows,
  type EncoderInfo,
  type EncoderRow,
  type OpenEncoder,
  openEncoder,
  planPasses,
} from './encoder.ts';

export interface Reranker extends AsyncDisposable {
  readonly info: EncoderInfo;
  /**
   * @param pairs query and passage with the specials the model wants, 1 to `context` tokens each.
   * @returns a logit for each pair: larger is more relevant.
   * @throws KithError `forward_invalid`, `scores_invalid`
   */
  rank(pairs: readonly EncoderRow[]): Promise<Float32Array>;
}

/** @throws KithError `model_invalid` for a file without the head of a reranker */
export async function openReranker(compute: Compute, options: OpenEncoder): Promise<Reranker> {
  const encoder = await openEncoder(compute, options);
  const { info } = encoder;
  return {
    info,
    async rank(pairs) {
      const rows = pairs.map(({ tokens }) => tokens);
      checkRows(rows, info);
      const scores = new Float32Array(pairs.length);
      for (const { indices, length } of planPasses(rows)) {
        const texts = indices.map((index) => pairs[index]!);
        await encoder.pass(texts, length, (logits) => {
          for (const [text, index] of indices.entries()) scores[index] = logits[text]!;
        });
      }
      if (scores.some((score) => !Number.isFinite(score))) {
        throw new KithError(
          'scores_invalid',
          'The model computed a relevance that is not finite: its file is damaged or of a variant that is not supported.',
          { status: 500 },
        );
      }
      return scores;
    },
    [Symbol.asyncDispose]: () => encoder[Symbol.asyncDispose](),
  };
}
