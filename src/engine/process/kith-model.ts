/**
 * A model on Kith's own graphs: a text model with its scheduler, a block range for single passes, or an encoder.
 *
 * @module engine/process/kith-model
 */

import { AbortedError, isKithError, KithError, systemClock } from '../../base/index.ts';
import { type Gguf, hasKey, type OwnedSource } from '../../models/index.ts';
import { isReranker } from '../arch/index.ts';
import { createGrammars, type GrammarMatcher } from '../grammar/index.ts';
import { type Carry, type Compute, isEncoder, type Runner } from '../runner/index.ts';
import { createSampler } from '../sampler/index.ts';
import { createScheduler, type Scheduler, type SchedulerJob } from '../scheduler/index.ts';
import { createFullTokenizer, createTokenizer, type FullTokenizer } from '../tokenizer/index.ts';
import type { GenerateEvent, LoadedModel, LoadRequest, Sampler, Tokenizer } from '../types.ts';
import { openEncoder } from './encoder-model.ts';
import { type HostedModel, type HostingContext, withoutBos } from './hosted.ts';
import type { GenerateJob } from './job.ts';
import { createLeases, type Leases } from './leases.ts';
import type { MemoryPlan } from './plan.ts';
import { openRanking } from './reranker-model.ts';
import { openTextRunner, planText } from './text-runner.ts';
import { checkVocabulary } from './vocabulary.ts';

export interface KithModelInput extends HostingContext {
  readonly request: LoadRequest;
  readonly gguf: Gguf;
  readonly source: OwnedSource;
  readonly compute: Compute;
  readonly freeBytes: number;
  readonly usedBytes: number;
  /** Runs a forward pass under the eyes of the hang detection. */
  readonly watchPass: <T>(pass: () => Promise<T>) => Promise<T>;
  /** Computes the blocks that are not here. */
  readonly carry: Carry;
}

/**
 * @throws KithError `architecture_unsupported` or InputError `tokenizer_unsupported` when the compatibility runner has
 * to be used, before anything is allocated.
 */
export function openKithModel(input: KithModelInput): Promise<HostedModel> {
  if (!isEncoder(input.gguf)) return openText(input);
  return isReranker(input.gguf) ? openRanking(input) : openEncoder(input);
}

async function openText(input: KithModelInput): Promise<HostedModel> {
  const { gguf, request } = input;
  const startedAt = performance.now();
  const text = planText(input);
  const { range, hyper } = text;
  // Blocks alone never see a token; everything that does must be able to write text.
  const tokenizer = range.embed && range.head ? createFullTokenizer(gguf.metadata) : null;
  if (tokenizer !== null) checkVocabulary(tokenizer.size, hyper.vocab);
  const { runner, plan } = await openTextRunner(input, text);
  const whole = tokenizer !== null && range.from === 0 && range.to === hyper.blocks;
  const scheduler = whole ? schedule(input, runner, tokenizer, plan, text.prefillChunk) : null;
  const isMiddle = !range.embed && !range.head && range.to > range.from;
  const leases = isMiddle ? createLeases(runner) : null;
  const loaded: LoadedModel = {
    id: request.id,
    architecture: runner.info.architecture,
    runner: 'kith',
    task: 'text',
    blocks: range.to - range.from,
    embedding: runner.info.embedding,
    vocab: runner.info.vocab,
    context: plan.context,
    kvCells: runner.info.kvCells,
    device: runner.info.device,
    weightBytes: runner.info.weightBytes,
    kvBytes: runner.info.kvBytes,
    loadMs: performance.now() - startedAt,
    hasTemplate: hasKey(gguf, 'tokenizer.chat_template'),
    // The text thread reads templates.
    toolStyle: null,
  };
  return {
    loaded,
    tokenizes: false,
    totalBytes: plan.totalBytes,
    generate: scheduler === null ? null : generator(scheduler, tokenizer!, runner.info.vocab),
    embed: null,
    rank: null,
    // A scheduler owns the cells of its runner; passes from outside would write into them.
    forward:
      scheduler === null
        ? (parts) => {
            if (leases !== null && leases.count > 0) throw lent(request.id);
            return runner.forward(parts);
          }
        : null,
    leases,
    tokenize: (text, encoding) => (tokenizer ?? createTokenizer(gguf.metadata)).encode(text, encoding),
    detokenize: (tokens) => (tokenizer ?? createTokenizer(gguf.metadata)).decode(tokens),
    prepare: null,
    status: () => (leases === null ? schedulerStatus(scheduler) : leaseStatus(leases)),
    async drain() {
      await scheduler?.drain();
      await leases?.drain();
    },
    async [Symbol.asyncDispose]() {
      await scheduler?.[Symbol.asyncDispose]();
      await runner[Symbol.asyncDispose]();
    },
  };
}

function schedule(
  input: KithModelInput,
  runner: Runner,
  tokenizer: Tokenizer,
  plan: MemoryPlan,
  prefillChunk: number,
): Scheduler {
  return createScheduler({
    runner,
    tokenizer,
    options: { ...input.options, context: plan.context, prefillChunk },
    speculation: input.options.speculation,
    clock: systemClock,
  });
}

function generator(
  scheduler: Scheduler,
  tokenizer: FullTokenizer,
  vocab: number,
): (job: GenerateJob, emit: (event: GenerateEvent) => void, signal: AbortSignal) => Promise<void> {
  const grammars = createGrammars(tokenizer, vocab);
  let last = 0;
  return (job, emit, signal) =>
    new Promise<void>((resolve, reject) => {
      if (signal.aborted) throw new AbortedError();
      const id = `${++last}`;
      const { model: _, sampler: options, echo, grammar, shown: texts, ...request } = job;
      const shown = controlTokens(tokenizer, texts);
      const matcher = grammar === null ? null : grammars.matcher(grammar, shown);
      const onAbort = (): void => {
        scheduler.cancel(id);
      };
      const settle = (error: unknown): void => {
        signal.removeEventListener('abort', onAbort);
        if (error === null) resolve();
        else reject(error);
      };
      const sampler = createSampler(options, vocab, matcher === null ? {} : { mask: matcher.mask });
      const submitted =
        matcher === null
          ? { ...request, shown, id, sampler }
          : { ...request, shown, id, ...held(sampler, matcher) };
      scheduler.submit(submitted, (event) => {
        if (isKithError(event)) {
          settle(event);
          return;
        }
        try {
          emit(event);
          if (event.type === 'start' && echo) {
            const text = tokenizer.decode(withoutBos(job.tokens, tokenizer.bos));
            if (text !== '') emit({ type: 'text', text, tokens: 0, logprobs: null });
          }
          if (event.type === 'finish') settle(null);
        } catch (error) {
          // An event that cannot be sent (over the size of a message) ends the generation.
          scheduler.cancel(id);
          settle(error);
        }
      });
      signal.addEventListener('abort', onAbort, { once: true });
    });
}

/** Those tokens of the texts that running text does not show. */
function controlTokens({ vocabulary, bytes }: FullTokenizer, texts: readonly string[]): Set<number> {
  const ids = texts.flatMap((text) => vocabulary.ids.get(text) ?? []);
  return new Set(ids.filter((id) => bytes(id).length === 0).sort((a, b) => a - b));
}

/** A sampler whose choices a grammar follows. */
function held(sampler: Sampler, matcher: GrammarMatcher): Pick<SchedulerJob, 'sampler' | 'ended'> {
  return {
    sampler: {
      sample(logits) {
        const sampled = sampler.sample(logits);
        matcher.accept(sampled.token);
        return sampled;
      },
      accept: (tokens) => sampler.accept(tokens),
    },
    ended: () => matcher.ended,
  };
}

const lent = (model: string) =>
  new KithError('cells_lent', `KV cells of '${model}' are lent: single passes could write into them.`, {
    status: 409,
  });

function leaseStatus(leases: Leases): ReturnType<HostedModel['status']> {
  const { count, waiting, freeCells } = leases;
  return { active: count, queued: waiting, counters: { freeCells } };
}

function schedulerStatus(scheduler: Scheduler | null): ReturnType<HostedModel['status']> {
  if (scheduler === null) return { active: 0, queued: 0, counters: {} };
  const { active, waiting, prefilling, kvCells, freeCells, cachedCells, tokensPerSecond, totals, ...stats } =
    scheduler.stats();
  const { decodeTokensPerSecond: speed } = stats;
  return {
    active,
    queued: waiting,
    counters: {
      prefilling,
      kvCells,
      freeCells,
      cachedCells,
      tokensPerSecond,
      ...(speed === null ? {} : { decodeTokensPerSecond: speed }),
      ...totals,
    },
  };
}
