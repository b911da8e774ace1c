/**
 * An encoder on Kith's own graph: texts in, vectors out.
 *
 * @module engine/process/encoder-model
 */
import { systemClock, throwIfAborted } from '../../base/index.ts';
import { getStrings } from '../../models/index.ts';
import { openEmbedder, planPasses } from '../runner/index.ts';
import { createTokenizer } from '../tokenizer/index.ts';
import type { LoadedModel } from '../types.ts';
import { createEmbedQueue } from './embed-queue.ts';
import type { HostedModel } from './hosted.ts';
import type { KithModelInput } from './kith-model.ts';
import { planMemory } from './plan.ts';
import { checkVocabulary } from './vocabulary.ts';

export async function openEncoder(input: KithModelInput): Promise<HostedModel> {
  const { gguf, request, compute, watchPass } = input;
  const startedAt = performance.now();
  const tokenizer = createTokenizer(gguf.metadata);
  const table = gguf.tensors.get('token_embd.weight');
  if (table !== undefined) checkVocabulary(tokenizer.size, table.dims[1] ?? 1);
  let weightBytes = 0;
  for (const tensor of gguf.tensors.values()) weightBytes += tensor.bytes;
  const embedder = await openEmbedderWithin(input, weightBytes);
  const { info } = embedder;
  const queue = createEmbedQueue<Int32Array>(
    {
      dimension: info.dimension,
      plan: planPasses,
      embed: (rows) => watchPass(() => embedder.embed(rows)),
    },
    input.options,
    systemClock,
  );
  const loaded: LoadedModel = {
    id: request.id,
    architecture: info.architecture,
    runner: 'kith',
    task: 'embedding',
    blocks: info.blocks,
    embedding: info.dimension,
    vocab: Math.max(info.vocab, getStrings(gguf, 'tokenizer.ggml.tokens', []).length),
    context: Math.min(info.context, input.options.context ?? info.context),
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
    embed: async (rows, signal) => ({
      vectors: await queue.embed(rows, signal),
      dimension: info.dimension,
    }),
    rank: null,
    forward: null,
    leases: null,
    tokenize: (text, encoding) => tokenizer.encode(text, encoding),
    detokenize: (tokens) => tokenizer.decode(tokens),
    prepare: null,
    status: () => ({ active: queue.active, queued: queue.waiting, counters: {} }),
    drain: () => queue.drain(),
    async [Symbol.asyncDispose]() {
      await queue.drain();
      await embedder[Symbol.asyncDispose]();
    },
  };

  function openEmbedderWithin(limits: KithModelInput, bytes: number) {
    planMemory({ ...limits, id: request.id, weightBytes: bytes, kvBytesPerCell: 0, contextTrained: 512 });
    throwIfAborted(limits.signal);
    return openEmbedder(compute, { gguf, source: limits.source, onProgress: limits.onProgress });
  }
}
