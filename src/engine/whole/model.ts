/**
 * Opens a model whole through node-llama-cpp.
 *
 * @module engine/whole/model
 */

import type { LlamaContext, LlamaContextSequence, LlamaModel, Token } from 'node-llama-cpp';
import {
  AbortedError,
  InputError,
  isKithError,
  KithError,
  messageOf,
  throwIfAborted,
} from '../../base/index.ts';
import { type Gguf, getString, getStrings, hasKey } from '../../models/index.ts';
import { isReranker } from '../arch/index.ts';
import type { HostedModel, HostingContext } from '../process/hosted.ts';
import { type MemoryPlan, planMemory } from '../process/plan.ts';
import { createTokenizer } from '../tokenizer/index.ts';
import type { LoadedModel, LoadRequest, Tokenizer } from '../types.ts';
import { checkForLlama } from './check.ts';
import { openEmbedding } from './embedding.ts';
import { type Estimate, estimate } from './estimate.ts';
import { checkJob, generateOn } from './generate.ts';
import { type LlamaLibrary, openLlama } from './llama.ts';
import { createPieces } from './pieces.ts';
import { createPrepare } from './prepare.ts';
import { openRankingContext, RANK_CONTEXT } from './ranking.ts';
import { createSlots, type Slots } from './slots.ts';

export interface WholeInput extends HostingContext {
  readonly request: LoadRequest;
  readonly gguf: Gguf;
  readonly freeBytes: number;
  readonly usedBytes: number;
}

/** @throws InputError `model_unsupported` when node-llama-cpp cannot load it either. */
export async function openWholeModel(input: WholeInput): Promise<HostedModel> {
  const { options, request, gguf, signal } = input;
  const startedAt = performance.now();
  checkForLlama(gguf);
  const facts = estimate(gguf, options.kvType);
  const ranks = isReranker(gguf);
  const context = options.context ?? (ranks ? RANK_CONTEXT : null);
  const plan = planMemory({ ...input, ...facts, options: { ...options, context }, id: request.id });
  const { library, llama } = await openLlama(options, input.onLog);
  throwIfAborted(signal);
  const opened = new AsyncDisposableStack();
  try {
    const model = opened.use(
      await llama.loadModel({
        modelPath: request.path,
        loadSignal: signal,
        ...(llama.gpu === false ? { gpuLayers: 0 } : {}),
        onLoadProgress: (share) => input.onProgress(Math.round(share * facts.weightBytes), facts.weightBytes),
      }),
    );
    const vocab = getStrings(gguf, 'tokenizer.ggml.tokens', []).length;
    const loaded: LoadedModel = {
      id: request.id,
      architecture: getString(gguf, 'general.architecture'),
      runner: 'node-llama-cpp',
      task: ranks ? 'rerank' : facts.embeds ? 'embedding' : 'text',
      blocks: facts.blocks,
      embedding: model.embeddingVectorSize,
      vocab,
      context: plan.context,
      kvCells: 0,
      device: llama.gpu === false ? 'CPU' : `${llama.gpu} (node-llama-cpp)`,
      weightBytes: model.size,
      kvBytes: plan.kvBytes,
      loadMs: 0,
      hasTemplate: hasKey(gguf, 'tokenizer.chat_template'),
      // The text thread reads templates.
      toolStyle: null,
    };
    const base = createBase(model, plan, gguf);
    const pooled = { base, input, model, plan, opened };
    const sized = ranks
      ? await openRankingContext(pooled)
      : facts.embeds
        ? await openEmbedding(pooled)
        : await openText(base, { input, library, model, plan, facts, opened });
    const kept = opened.move();
    return {
      ...sized,
      loaded: { ...loaded, ...sized.sizes, loadMs: performance.now() - startedAt },
      [Symbol.asyncDispose]: async () => {
        await sized.close();
        await kept.disposeAsync();
      },
    };
  } catch (error) {
    await opened.disposeAsync();
    if (signal.aborted) throw new AbortedError(undefined, { cause: error });
    if (isKithError(error)) throw error;
    throw new InputError(
      'model_unsupported',
      `Model '${request.id}' (${getString(gguf, 'general.architecture', 'unknown architecture')}) has no graph here, and node-llama-cpp cannot load it: ${messageOf(error)}`,
      { status: 422, cause: error },
    );
  }
}

export type Base = Pick<
  HostedModel,
  'tokenizes' | 'totalBytes' | 'forward' | 'leases' | 'tokenize' | 'detokenize' | 'prepare'
> & {
  /** Token bytes for one generation's text stream. */
  pieces(): Pick<Tokenizer, 'bytes'>;
};
export type Sized = Omit<HostedModel, 'loaded' | typeof Symbol.asyncDispose> & {
  readonly sizes: Partial<LoadedModel>;
  close(): Promise<void>;
};

/** Our own tokenizer where there is one for this model: then the text thread does the work. */
function ownTokenizer(gguf: Gguf): Tokenizer | null {
  try {
    return createTokenizer(gguf.metadata);
  } catch (error) {
    if (isKithError(error) && error.code === 'tokenizer_unsupported') return null;
    throw error;
  }
}

function createBase(model: LlamaModel, plan: MemoryPlan, gguf: Gguf): Base {
  const own = ownTokenizer(gguf);
  const shared = { totalBytes: plan.totalBytes, forward: null, leases: null };
  if (own !== null) {
    return {
      ...shared,
      tokenizes: false,
      tokenize: (text, options) => own.encode(text, options),
      detokenize: (tokens) => own.decode(tokens),
      prepare: null,
      pieces: () => own,
    };
  }
  const base: Omit<Base, 'prepare'> = {
    ...shared,
    tokenizes: true,
    pieces: () =>
      createPieces((tokens, before) => model.detokenize(tokens as Token[], false, before as Token[])),
    tokenize(text, { addSpecial = true, parseSpecial = false }) {
      const tokens: number[] = model.tokenize(text, parseSpecial);
      const { tokens: special } = model;
      if (addSpecial) {
        // A template may have written the token already.
        if (special.shouldPrependBosToken && special.bos !== null && tokens[0] !== special.bos)
          tokens.unshift(special.bos);
        if (special.shouldAppendEosToken && special.eos !== null && tokens.at(-1) !== special.eos)
          tokens.push(special.eos);
      }
      return Int32Array.from(tokens);
    },
    detokenize: (tokens) => model.detokenize([...tokens] as Token[], false),
  };
  return { ...base, prepare: createPrepare(gguf, base.tokenize) };
}

/** What an embedding context and a ranking context are made of. */
export interface PooledInput {
  readonly base: Base;
  readonly input: WholeInput;
  readonly model: LlamaModel;
  readonly plan: MemoryPlan;
  readonly opened: AsyncDisposableStack;
}

interface TextInput {
  readonly input: WholeInput;
  readonly library: LlamaLibrary;
  readonly model: LlamaModel;
  readonly plan: MemoryPlan;
  readonly facts: Estimate;
  readonly opened: AsyncDisposableStack;
}

async function openText(
  base: Base,
  { input, library, model, plan, facts, opened }: TextInput,
): Promise<Sized> {
  const { options } = input;
  // Here a sequence's cells are its own, so the plan's cells are cut into whole contexts.
  const sequences = Math.max(
    1,
    Math.min(options.maxActive, Math.floor(plan.kvCells / Math.max(1, plan.context))),
  );
  const cache =
    options.kvType === 'f16'
      ? {}
      : {
          experimentalKvCacheKeyType: kvName(options.kvType),
          experimentalKvCacheValueType: kvName(options.kvType),
        };
  const context: LlamaContext = opened.use(
    await model.createContext({
      contextSize: plan.context,
      sequences,
      batchSize: options.prefillChunk,
      threads: options.threads,
      createSignal: input.signal,
      // The memory was planned above, over all models of this process.
      ignoreMemorySafetyChecks: true,
      ...cache,
    }),
  );
  const slots: Slots<LlamaContextSequence> = createSlots(
    Array.from({ length: sequences }, () => context.getSequence()),
    options,
  );
  const running = new Set<AbortController>();
  let unloaded: KithError | null = null;
  return {
    ...base,
    sizes: {
      kvCells: plan.context * sequences,
      kvBytes: Math.ceil(plan.context * sequences * facts.kvBytesPerCell),
    },
    async generate(job, emit, signal) {
      const calledAt = performance.now();
      checkJob({ library, model, job, context: plan.context });
      const sequence = await slots.take(job.priority, signal, (each) => sharedPrefix(each, job.tokens));
      const stop = new AbortController();
      running.add(stop);
      try {
        await generateOn({
          library,
          model,
          pieces: base.pieces(),
          detokenize: base.detokenize,
          sequence,
          job,
          context: plan.context,
          options,
          emit: (event) => {
            if (unloaded === null) emit(event);
          },
          signal: AbortSignal.any([signal, stop.signal]),
          calledAt,
        });
        if (unloaded !== null) throw unloaded;
      } catch (error) {
        // What a sequence that failed holds is unknown.
        if (unloaded === null) await sequence.clearHistory();
        throw unloaded ?? error;
      } finally {
        running.delete(stop);
        slots.put(sequence);
      }
    },
    embed: null,
    rank: null,
    status: () => ({ active: slots.active, queued: slots.queued, counters: { sequences } }),
    drain: () => slots.idle(),
    async close() {
      unloaded = new KithError('model_unloading', 'The model was unloaded before the answer was complete.', {
        status: 503,
      });
      slots.close(unloaded);
      for (const stop of running) stop.abort();
      await slots.idle();
    },
  };
}

function kvName(type: WholeInput['options']['kvType']): 'F32' | 'F16' | 'Q8_0' | 'Q4_0' {
  return type.toUpperCase() as 'F32' | 'F16' | 'Q8_0' | 'Q4_0';
}

function sharedPrefix(sequence: LlamaContextSequence, tokens: Int32Array): number {
  const held = sequence.contextTokens;
  let same = 0;
  while (same < held.length && same < tokens.length && held[same] === tokens[same]) same++;
  return same;
}
