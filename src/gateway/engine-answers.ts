/**
 * Answers of a model that the engine has loaded: requests become sequences, and their events those of the gateway. The same
 * for a whole model on this machine and for one whose blocks peers compute.
 *
 * @module gateway/engine-answers
 */
import { AbortedError, InputError, isKithError, type KithError, type Random } from '../base/index.ts';
import type {
  Engine,
  GenerateEvent,
  GenerateRequest,
  GenerateUsage,
  LoadedModel,
  Prompt,
} from '../engine/index.ts';
import { merge } from './merge.ts';
import { chatWithTools, countWithTools } from './tools/chat.ts';
import { createToolSchemas } from './tools/schemas.ts';
import type { ChatEvent, ChatRequest, CompletionRequest, GenerationOptions } from './types.ts';

/** Why sequences end when their answer does. Made once: an abort without a reason makes an exception each time. */
const over = new AbortedError('The answer is over.');

export interface EngineAnswersOptions {
  /** Name of the backend, as receipts give it. */
  readonly backend: string;
  readonly engine: Pick<Engine, 'generate' | 'countTokens'>;
  /** For requests that do not say what to do when they outgrow the context. @default 'error' */
  readonly overflow?: 'error' | 'slide';
  /** Source of the ids of tool calls. */
  readonly random: Random;
}

/** `model` is loaded; `name` is what events and receipts call it. */
export interface EngineAnswers {
  chat(model: LoadedModel, name: string, request: ChatRequest): AsyncGenerator<ChatEvent>;
  complete(model: LoadedModel, name: string, request: CompletionRequest): AsyncGenerator<ChatEvent>;
  countTokens(model: LoadedModel, name: string, request: ChatRequest): Promise<number>;
}

export function createEngineAnswers(options: EngineAnswersOptions): EngineAnswers {
  const { backend, engine } = options;
  const schemas = createToolSchemas();

  async function* generate(
    model: LoadedModel,
    name: string,
    prompts: readonly Prompt[],
    request: GenerationOptions,
    extra: Partial<GenerateRequest>,
    notes: readonly string[] = [],
    ends: readonly AbortSignal[] = [],
  ): AsyncGenerator<ChatEvent> {
    checkWrites(model, name);
    const stop = new AbortController();
    const signal = AbortSignal.any([request.signal, stop.signal]);
    const sources = prompts.flatMap((prompt) =>
      Array.from({ length: request.n }, (_, i) => {
        const sampler =
          request.sampler.seed === undefined
            ? request.sampler
            : { ...request.sampler, seed: (request.sampler.seed + i) >>> 0 };
        return engine.generate(
          {
            model: model.id,
            prompt,
            sampler,
            maxTokens: request.maxTokens,
            stop: request.stop,
            overflow: request.overflow ?? options.overflow ?? 'error',
            keepTokens: request.keepTokens,
            timeoutMs: request.timeoutMs,
            ...extra,
          },
          ends[i] === undefined ? signal : AbortSignal.any([signal, ends[i]]),
        );
      }),
    );
    const usages: (GenerateUsage | null)[] = sources.map(() => null);
    let started = false;
    try {
      for await (const [choice, event] of merge<GenerateEvent>(sources, () => stop.abort(over))) {
        if (event.type === 'start') {
          if (started) continue;
          started = true;
          // With several prompts the first start says nothing of the others.
          const { promptTokens, cachedTokens } = event;
          const known = prompts.length === 1 ? { promptTokens, cachedTokens } : {};
          yield { type: 'start', backend, model: name, ...known };
        } else if (event.type === 'text') {
          yield { type: 'text', choice, text: event.text, logprobs: event.logprobs };
        } else {
          if (event.reason === 'aborted' && request.signal.aborted) throw abortReason(request.signal);
          usages[choice] = event.usage;
          yield {
            type: 'finish',
            choice,
            reason: event.reason,
            stop: event.stop,
            slidTokens: event.slidTokens,
          };
        }
      }
    } finally {
      stop.abort(over);
    }
    yield usageEvent(backend, name, usages, request.n, notes);
  }

  return {
    chat: (model, name, request) =>
      chatWithTools(request, {
        style: model.toolStyle,
        schemas,
        random: options.random,
        generate: ({ prompt, extra, notes, ends }) =>
          generate(model, name, [prompt], request, extra, notes, ends),
      }),
    complete(model, name, request) {
      const prompts = request.prompts.map(
        (prompt): Prompt =>
          typeof prompt === 'string' ? { kind: 'text', text: prompt } : { kind: 'tokens', tokens: prompt },
      );
      return generate(model, name, prompts, request, { echo: request.echo });
    },
    async countTokens(model, name, request) {
      checkWrites(model, name);
      return countWithTools(request, model.toolStyle, (prompt) =>
        engine.countTokens(model.id, prompt, request.signal),
      );
    },
  };
}

function checkWrites({ task }: LoadedModel, name: string): void {
  if (task === 'embedding')
    throw wrongTask(name, 'makes embeddings and does not write text', '/v1/embeddings');
  if (task === 'rerank') throw wrongTask(name, 'is a reranker and does not write text', '/v1/rerank');
}

export function wrongTask(id: string, what: string, route: string): InputError {
  return new InputError('wrong_model_task', `'${id}' ${what}: use it with ${route}.`, { param: 'model' });
}

/** The prompt counts once per prompt, what was generated counts for every choice. */
function usageEvent(
  backend: string,
  model: string,
  usages: readonly (GenerateUsage | null)[],
  n: number,
  notes: readonly string[],
): ChatEvent {
  let promptTokens = 0;
  let cachedTokens = 0;
  let completionTokens = 0;
  let drafted = 0;
  let accepted = 0;
  const longest = {
    queueMs: null as number | null,
    prefillMs: null as number | null,
    decodeMs: null as number | null,
  };
  for (const [index, usage] of usages.entries()) {
    if (!usage) continue;
    if (index % n === 0) {
      promptTokens += usage.promptTokens;
      cachedTokens += usage.cachedTokens;
    }
    completionTokens += usage.completionTokens;
    drafted += usage.draftedTokens ?? 0;
    accepted += usage.acceptedTokens ?? 0;
    for (const key of ['queueMs', 'prefillMs', 'decodeMs'] as const)
      longest[key] = Math.max(longest[key] ?? 0, usage[key]);
  }
  return {
    type: 'usage',
    promptTokens,
    cachedTokens,
    completionTokens,
    receipt: {
      backend,
      model,
      ...longest,
      ...(drafted === 0 ? {} : { draftedTokens: drafted, acceptedTokens: accepted }),
      notes,
    },
  };
}

export function abortReason(signal: AbortSignal): KithError {
  return isKithError(signal.reason) ? signal.reason : new AbortedError(undefined, { cause: signal.reason });
}
