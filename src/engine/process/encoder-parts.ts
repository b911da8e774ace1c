/**
 * What encoders on Kith's own graph have in common, whatever comes out of them: what is read of the file first, and what a
 * host is told of one that is loaded.
 *
 * @module engine/process/encoder-parts
 */
import { getStrings } from '../../models/index.ts';
import type { EncoderInfo } from '../runner/index.ts';
import { createTokenizer } from '../tokenizer/index.ts';
import type { LoadedModel } from '../types.ts';
import type { EmbedQueue } from './embed-queue.ts';
import type { HostedModel } from './hosted.ts';
import type { KithModelInput } from './kith-model.ts';
import { checkVocabulary } from './vocabulary.ts';

interface EncoderFile {
  readonly tokenizer: ReturnType<typeof createTokenizer>;
  readonly weightBytes: number;
}

/** @throws InputError `tokenizer_unsupported` before anything is allocated */
export function readEncoder({ gguf }: Pick<KithModelInput, 'gguf'>): EncoderFile {
  const tokenizer = createTokenizer(gguf.metadata);
  const table = gguf.tensors.get('token_embd.weight');
  if (table !== undefined) checkVocabulary(tokenizer.size, table.dims[1] ?? 1);
  let weightBytes = 0;
  for (const tensor of gguf.tensors.values()) weightBytes += tensor.bytes;
  return { tokenizer, weightBytes };
}

interface Opened extends EncoderFile {
  readonly startedAt: number;
  readonly task: LoadedModel['task'];
  /** Closed with the model. */
  readonly runner: { readonly info: EncoderInfo } & AsyncDisposable;
  readonly queue: Pick<EmbedQueue<never>, 'active' | 'waiting' | 'drain'>;
  /** Tokens that one row may have. */
  readonly context: number;
  readonly does: Pick<HostedModel, 'embed' | 'rank'>;
}

export function hostedEncoder({ gguf, request }: KithModelInput, opened: Opened): HostedModel {
  const { tokenizer, weightBytes, startedAt, task, runner, queue, context, does } = opened;
  const { info } = runner;
  return {
    loaded: {
      id: request.id,
      architecture: info.architecture,
      runner: 'kith',
      task,
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
    },
    tokenizes: false,
    totalBytes: weightBytes,
    generate: null,
    ...does,
    forward: null,
    leases: null,
    tokenize: (text, encoding) => tokenizer.encode(text, encoding),
    detokenize: (tokens) => tokenizer.decode(tokens),
    prepare: null,
    status: () => ({ active: queue.active, queued: queue.waiting, counters: {} }),
    drain: () => queue.drain(),
    async [Symbol.asyncDispose]() {
      await queue.drain();
      await runner[Symbol.asyncDispose]();
    },
  };
}
