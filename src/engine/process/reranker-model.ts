/**
 * A reranker on Kith's own graph: queries and passages in, their relevance out.
 *
 * @module engine/process/reranker-model
 */
import { systemClock, throwIfAborted } from '../../base/index.ts';
import { type EncoderRow, openReranker, planPasses } from '../runner/index.ts';
import { createEmbedQueue } from './embed-queue.ts';
import { hostedEncoder, readEncoder } from './encoder-parts.ts';
import type { HostedModel } from './hosted.ts';
import type { KithModelInput } from './kith-model.ts';
import { frameOf, pairRow } from './pairs.ts';
import { planMemory } from './plan.ts';

/** @throws InputError `tokenizer_unsupported` before anything is allocated, `reranker_unsupported` */
export async function openRanking(input: KithModelInput): Promise<HostedModel> {
  const { gguf, source, request, compute, watchPass, signal, onProgress } = input;
  const startedAt = performance.now();
  const file = readEncoder(input);
  const frame = frameOf(file.tokenizer);
  planMemory({
    ...{ ...input, id: request.id, weightBytes: file.weightBytes },
    ...{ kvBytesPerCell: 0, contextTrained: 512 },
  });
  throwIfAborted(signal);
  const runner = await openReranker(compute, { gguf, source, onProgress });
  const { info } = runner;
  const queue = createEmbedQueue<EncoderRow>(
    {
      ...{ dimension: 1, what: 'rerank' },
      plan: (pairs) => planPasses(pairs.map(({ tokens }) => tokens)),
      embed: async (pairs) => ({ vectors: await watchPass(() => runner.rank(pairs)) }),
    },
    input.options,
    systemClock,
  );
  const context = Math.min(info.context, input.options.context ?? info.context);
  return hostedEncoder(input, {
    ...{ ...file, startedAt, task: 'rerank', runner, queue, context },
    does: {
      embed: null,
      async rank(query, passages, stop) {
        const pairs = passages.map((passage) => pairRow(query, passage, frame, context));
        return { scores: await queue.embed(pairs, stop), tokens: pairs.map(({ tokens }) => tokens.length) };
      },
    },
  });
}
