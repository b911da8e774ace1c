/**
 * One generation on one node-llama-cpp sequence.
 *
 * @module engine/whole/generate
 */

import type { ContextShiftOptions, LlamaContextSequence, LlamaModel, Token } from 'node-llama-cpp';
import { AbortedError, InputError } from '../../base/index.ts';
import { withoutBos } from '../process/hosted.ts';
import type { GenerateJob } from '../process/job.ts';
import { createTextStream, type TextChunk } from '../tokenizer/index.ts';
import type { EngineOptions, FinishReason, GenerateEvent, Tokenizer } from '../types.ts';
import type { LlamaLibrary } from './llama.ts';
import { mapSampler } from './sampling.ts';

export interface GenerateInput {
  readonly library: LlamaLibrary;
  readonly model: LlamaModel;
  readonly sequence: LlamaContextSequence;
  /** Bytes of the generated tokens, asked once each, in order. */
  readonly pieces: Pick<Tokenizer, 'bytes'>;
  readonly detokenize: (tokens: Int32Array) => string;
  readonly job: GenerateJob;
  /** Tokens one sequence may hold. */
  readonly context: number;
  readonly options: EngineOptions;
  readonly emit: (event: GenerateEvent) => void;
  readonly signal: AbortSignal;
  /** `performance.now()` of the call and of the admission. */
  readonly calledAt: number;
}

/** Refuses what this runner cannot do, before a place is taken. */
export function checkJob(input: Pick<GenerateInput, 'library' | 'model' | 'job' | 'context'>): void {
  const { library, model, job, context } = input;
  if (job.grammar !== null) {
    throw new InputError(
      'grammar_unsupported',
      `Model '${job.model}' runs on the compatibility path, which cannot hold an answer to a schema or grammar. Use a model of an architecture that Kith has a graph for.`,
      { param: 'grammar' },
    );
  }
  mapSampler({ model, TokenBias: library.TokenBias, sampler: job.sampler, history: [], id: job.model });
  if (job.tokens.length >= context && job.overflow !== 'slide') {
    throw new InputError(
      'context_length_exceeded',
      `The prompt has ${job.tokens.length} tokens; the model's context holds ${context}, of which at least one is for the answer. ` +
        'Shorten the prompt, or ask for `overflow: "slide"`.',
      { param: job.promptParam, details: { promptTokens: job.tokens.length, context } },
    );
  }
}

/** Resolves after the `finish` event. */
export async function generateOn(input: GenerateInput): Promise<void> {
  const { job, sequence, model, library, emit, signal, options } = input;
  const admittedAt = performance.now();
  const slide = createSlide(job, input.context);
  const prompt = slide.fit(job.tokens);
  const history: number[] = [...prompt];
  const settings = mapSampler({
    model,
    TokenBias: library.TokenBias,
    sampler: job.sampler,
    history,
    id: job.model,
  });

  if (!job.cachePrompt) await sequence.clearHistory();
  // One token must be left to compute: its logits choose the first new one.
  else await sequence.adaptStateToTokens(prompt.slice(0, -1) as Token[], false);
  const cachedTokens = sequence.nextTokenIndex;
  if (signal.aborted) throw new AbortedError();
  emit({ type: 'start', promptTokens: job.tokens.length, cachedTokens });
  if (job.echo) {
    const text = input.detokenize(withoutBos(job.tokens, model.tokens.bos));
    if (text !== '') emit({ type: 'text', text, tokens: 0, logprobs: null });
  }

  const stream = createTextStream(input.pieces, job.stop);
  const show = (chunk: TextChunk): void => {
    if (chunk.text !== '' || chunk.tokens > 0) {
      emit({ type: 'text', text: chunk.text, tokens: chunk.tokens, logprobs: null });
    }
  };
  const room = job.overflow === 'slide' ? Number.POSITIVE_INFINITY : input.context - prompt.length;
  const most = Math.min(job.maxTokens ?? Number.POSITIVE_INFINITY, options.maxTokens, room);
  const endAt = input.calledAt + Math.min(options.maxRunMs, job.timeoutMs ?? Number.POSITIVE_INFINITY);

  let completionTokens = 0;
  let firstAt: number | null = null;
  let reason: FinishReason = most === 0 ? 'length' : 'stop';
  const interrupted = (): FinishReason | null =>
    signal.aborted ? 'aborted' : performance.now() >= endAt ? 'length' : null;

  const left = prompt.slice(cachedTokens) as Token[];
  let halted = most === 0 ? reason : interrupted();
  while (halted === null && left.length > options.prefillChunk) {
    await sequence.evaluateWithoutGeneratingNewTokens(left.splice(0, options.prefillChunk));
    halted = interrupted();
  }
  if (halted !== null) reason = halted;
  else {
    const steps = sequence.evaluate(left, { ...settings, contextShift: slide.shift });
    for await (const token of steps) {
      firstAt ??= performance.now();
      completionTokens++;
      history.push(token);
      const chunk = stream.push(token);
      show(chunk);
      if (chunk.stop !== null) break;
      const now = completionTokens >= most ? 'length' : interrupted();
      if (now === null) continue;
      reason = now;
      break;
    }
  }
  show(stream.finish());
  const endedAt = performance.now();
  emit({
    type: 'finish',
    reason,
    stop: stream.stop,
    slidTokens: slide.dropped(),
    usage: {
      promptTokens: job.tokens.length,
      cachedTokens,
      completionTokens,
      queueMs: admittedAt - input.calledAt,
      prefillMs: (firstAt ?? endedAt) - admittedAt,
      decodeMs: firstAt === null ? 0 : endedAt - firstAt,
    },
  });
}

interface Slide {
  /** The prompt, shortened when it does not fit. */
  fit(tokens: Int32Array): number[];
  readonly shift: ContextShiftOptions;
  dropped(): number;
}

/** Drops the oldest tokens after the first `keepTokens`, half a context at a time. */
function createSlide(job: GenerateJob, context: number): Slide {
  const half = Math.max(1, Math.floor(context / 2));
  const keep = Math.min(job.keepTokens, half - 1);
  let dropped = 0;
  return {
    fit(tokens) {
      const list = [...tokens];
      while (list.length >= context) {
        const count = Math.min(half, list.length - keep - 1);
        list.splice(keep, count);
        dropped += count;
      }
      return list;
    },
    shift: {
      size: half,
      strategy: ({ sequence }) => {
        const end = Math.min(keep + half, sequence.nextTokenIndex);
        dropped += end - keep;
        return [{ start: keep, end }];
      },
    },
    dropped: () => dropped,
  };
}
