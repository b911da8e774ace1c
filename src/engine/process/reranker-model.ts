/**
 * A reranker on Kith's own graph: queries and passages in, their relevance out.
 *
 * @module engine/process/reranker-model
 */
import { systemClock, throwIfAborted } from '../../base/index.ts';
import { getStrings } from '../../models/index.ts';
import { type EncoderRow, openReranker, planPasses } from '../runner/index.ts';
import { createTokenizer } from '../tokenizer/index.ts';
import type { LoadedModel } from '../types.ts';
import { createEmbedQueue } from './embed-queue.ts';
import type { HostedModel } from './hosted.ts';
import type { KithModelInput } from './kith-model.ts';
import { frameOf, pairRow } from './pairs.ts';
import { planMemory } from './plan.ts';
import { checkVocabulary } from './vocabulary.ts';

/** @throws InputError `tokenizer_unsupported` before anything is allocated, `reranker_unsupported` */
export async function openRanking(input: KithModelInput): Promise<HostedModel> {
  const { gguf, source, request, compute, watchPass, signal, onProgress } = input;
  const startedAt = performance.now();
  const tokenizer = createTokenizer(gguf.metadata);
  const frame = frameOf(tokenizer);
  const table = gguf.tensors.get('token_embd.weight');
  if (table !== undefined) checkVocabulary(tokenizer.size, table.dims[1] ?? 1);
  let weightBytes = 0;
  for (const tensor of gguf.tensors.values()) weightBytes += tensor.bytes;
  planMemory({ ...input, id: request.id, weightBytes, kvBytesPerCell: 0, contextTrained: 512 });
  throwIfAborted(signal);
  const reranker = await openReranker(compute, { gguf, source, onProgress });
  const { info } = reranker;
  const queue = createEmbedQueue<EncoderRow>(
    {
      ...{ dimension: 1, what: 'rerank' },
      plan: (pairs) => planPasses(pairs.map(({ tokens }) => tokens)),
      embed: async (pairs) => ({ vectors: await watchPass(() => reranker.rank(pairs)) }),
    },
    input.options,
    systemClock,
  );
  const context = Math.min(info.context, input.options.context ?? info.context);
  const loaded: LoadedModel = {
    id: request.id,
    architecture: info.architecture,
    runner: 'kith',
    task: 'rerank',
    blocks: info.blocks,
    embedding: info.dimension,
    vocab: Math.max(info.vocab, getStrings(gguf, 'tokenizer.ggml.tokens', []).length),
    context,
    kvCells: 0,
    device: info.device,
    weightBytes: info.weightBytes,
    kvBytes: 0,
    loadMs: performance.now() - startedAt,
    hasTemplate: false,
    toolStyle: null,
  };
  return {
    loaded,
    tokenizes: false,
    totalBytes: weightBytes,
    generate: null,
    embed: null,
    async rank(query, passages, stop) {
      const pairs = passages.map((passage) => pairRow(query, passage, frame, context));
      return { scores: await queue.embed(pairs, stop), tokens: pairs.map(({ tokens }) => tokens.length) };
    },
    forward: null,
    leases: null,
    tokenize: (text, encoding) => tokenizer.encode(text, encoding),
    detokenize: (tokens) => tokenizer.decode(tokens),
    prepare: null,
    status: () => ({ active: queue.active, queued: queue.waiting, counters: {} }),
    drain: () => queue.drain(),
    async [Symbol.asyncDispose]() {
      await queue.drain();
      await reranker[Symbol.asyncDispose]();
    },
  };
}
