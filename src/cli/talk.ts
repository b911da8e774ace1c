/**
 * Asks a model: through the running node when there is one, else with an engine of this process's own.
 *
 * @module cli/talk
 */
import type { Config, Logger, ResolvedConfig } from '../base/index.ts';
import { isKithError, systemClock, systemRandom, totalOf } from '../base/index.ts';
import { openRooms } from '../node/index.ts';
import { connect, type NodeClient } from './client.ts';
import { createProgress } from './progress.ts';
import { headersFor } from './wishes.ts';

export interface TalkMessage {
  readonly role: 'system' | 'user' | 'assistant';
  readonly content: string;
}

export interface TalkRequest {
  /** Null: the default model. */
  readonly model: string | null;
  readonly messages: readonly TalkMessage[];
  readonly maxTokens?: number | undefined;
  readonly temperature?: number | undefined;
  readonly seed?: number | undefined;
}

export interface TalkUsage {
  readonly model: string;
  /** Null when unknown. */
  readonly promptTokens: number | null;
  readonly cachedTokens: number | null;
  readonly completionTokens: number | null;
  /** ms; null when unknown. */
  readonly queueMs: number | null;
  readonly prefillMs: number | null;
  readonly decodeMs: number | null;
}

export type TalkEvent =
  | { readonly type: 'text'; readonly text: string }
  | { readonly type: 'finish'; readonly reason: string }
  | ({ readonly type: 'usage' } & TalkUsage);

export interface TalkVectors {
  readonly model: string;
  readonly vectors: readonly (readonly number[])[];
  /** Null when unknown. */
  readonly tokens: number | null;
}

export interface Talk extends AsyncDisposable {
  /** `node`: over HTTP; `engine`: in this process. */
  readonly where: 'node' | 'engine';
  chat(request: TalkRequest, signal: AbortSignal): AsyncIterable<TalkEvent>;
  embed(model: string | null, inputs: readonly string[], signal: AbortSignal): Promise<TalkVectors>;
  /** Ids of models that can be asked for text. */
  models(): Promise<readonly string[]>;
}

export async function openTalk(resolved: ResolvedConfig, log: Logger): Promise<Talk> {
  const { config } = resolved;
  const client = await connect(config.home);
  return client ? nodeTalk(client, headersFor(resolved)) : engineTalk(config, log);
}

/** Longest wait for a model that the node is still loading, ms. */
const loadingPatienceMs = 10 * 60_000;

/** @param headers sent with each request: what is wished of its answer */
function nodeTalk(client: NodeClient, headers: Readonly<Record<string, string>>): Talk {
  /** Shows what the node's start is doing, and returns when its default model is there (or failed). */
  async function whenStarted(signal: AbortSignal): Promise<void> {
    const progress = createProgress();
    try {
      for (;;) {
        const status = await client.status(signal);
        if (status.state !== 'starting') return;
        if (status.progress && process.stderr.isTTY) {
          progress.update(status.defaultModel ?? 'model', {
            phase: status.progress.phase as 'load',
            doneBytes: status.progress.doneBytes,
            totalBytes: status.progress.totalBytes,
            rate: null,
            eta: null,
          });
        }
        await systemClock.sleep(200, signal);
      }
    } finally {
      progress.clear();
    }
  }

  /** Runs `attempt`, again while the node says that the model is still being loaded. */
  async function* patiently<T>(attempt: () => AsyncIterable<T>, signal: AbortSignal): AsyncGenerator<T> {
    const deadline = systemClock.monotonic() + loadingPatienceMs;
    for (;;) {
      try {
        yield* attempt();
        return;
      } catch (error) {
        if (!isKithError(error) || error.code !== 'model_loading' || systemClock.monotonic() > deadline)
          throw error;
        await systemClock.sleep((error.retryAfter ?? 1) * 1000, signal);
      }
    }
  }

  return {
    where: 'node',
    async *chat(request, signal) {
      if (request.model === null) await whenStarted(signal);
      const body = {
        ...(request.model === null ? {} : { model: request.model }),
        messages: request.messages,
        stream: true,
        stream_options: { include_usage: true },
        max_tokens: request.maxTokens,
        temperature: request.temperature,
        seed: request.seed,
        kith: { receipt: true },
      };
      for await (const chunk of patiently(
        () => client.stream('/v1/chat/completions', body, signal, headers),
        signal,
      )) {
        yield* talkEvents(chunk as Chunk);
      }
    },
    async embed(model, inputs, signal) {
      const answer = (await client.post(
        '/v1/embeddings',
        { ...(model === null ? {} : { model }), input: inputs },
        signal,
        headers,
      )) as { model: string; data: { embedding: number[] }[]; usage: { prompt_tokens: number } };
      return {
        model: answer.model,
        vectors: answer.data.map((each) => each.embedding),
        // No text is without tokens: 0 stands for a count that the backend did not give.
        tokens: answer.usage.prompt_tokens || null,
      };
    },
    async models() {
      const status = await client.status();
      return status.models.filter(({ task }) => task === 'text').map((model) => model.id);
    },
    async [Symbol.asyncDispose]() {},
  };
}

interface Chunk {
  readonly model: string;
  readonly choices: readonly {
    readonly delta: { readonly content?: string };
    readonly finish_reason: string | null;
  }[];
  readonly usage?: {
    readonly prompt_tokens: number;
    readonly completion_tokens: number;
    readonly prompt_tokens_details?: { readonly cached_tokens: number };
  } | null;
  readonly kith?: {
    readonly queue_ms: number | null;
    readonly prefill_ms: number | null;
    readonly decode_ms: number | null;
  };
}

function* talkEvents(chunk: Chunk): Generator<TalkEvent> {
  const choice = chunk.choices[0];
  if (choice?.delta.content) yield { type: 'text', text: choice.delta.content };
  if (choice?.finish_reason) yield { type: 'finish', reason: choice.finish_reason };
  if (chunk.usage || chunk.kith) {
    yield {
      type: 'usage',
      model: chunk.model,
      promptTokens: chunk.usage?.prompt_tokens ?? null,
      cachedTokens: chunk.usage?.prompt_tokens_details?.cached_tokens ?? null,
      completionTokens: chunk.usage?.completion_tokens ?? null,
      queueMs: chunk.kith?.queue_ms ?? null,
      prefillMs: chunk.kith?.prefill_ms ?? null,
      decodeMs: chunk.kith?.decode_ms ?? null,
    };
  }
}

async function engineTalk(config: Config, log: Logger): Promise<Talk> {
  const progress = createProgress();
  const rooms = await openRooms(config, log, (model, step) => {
    // Loading a file that is in place is quick: only the slow steps are worth a line.
    if (step.phase !== 'load') progress.update(model, step);
  });
  const prepare = async (model: string, signal: AbortSignal) => {
    try {
      await rooms.local.prepare(model, signal);
    } finally {
      progress.clear();
    }
  };
  return {
    where: 'engine',
    async *chat(request, signal) {
      const model = request.model ?? config.models.default;
      if (await rooms.local.has(model)) await prepare(model, signal);
      const { temperature } = request;
      const events = rooms.gateway.chat({
        model,
        messages: request.messages,
        n: 1,
        sampler: {
          seed: request.seed ?? systemRandom.uint32(),
          ...(temperature === undefined ? {} : { temperature }),
        },
        maxTokens: request.maxTokens ?? null,
        stop: [],
        overflow: config.engine.overflow,
        keepTokens: 0,
        timeoutMs: null,
        signal,
      });
      for await (const event of events) {
        if (event.type === 'text') yield { type: 'text', text: event.text };
        else if (event.type === 'finish') yield { type: 'finish', reason: event.reason };
        else if (event.type === 'usage') {
          const { promptTokens, cachedTokens, completionTokens, receipt } = event;
          const { queueMs, prefillMs, decodeMs } = receipt;
          yield {
            type: 'usage',
            model: receipt.model,
            promptTokens,
            cachedTokens,
            completionTokens,
            queueMs,
            prefillMs,
            decodeMs,
          };
        }
      }
    },
    async embed(model, inputs, signal) {
      const id = model ?? config.models.embedding;
      if (await rooms.local.has(id)) await prepare(id, signal);
      const answer = await rooms.gateway.embed({ model: id, inputs, truncate: false, signal });
      return {
        model: answer.receipt.model,
        vectors: inputs.map((_, i) =>
          Array.from(answer.vectors.subarray(i * answer.dimension, (i + 1) * answer.dimension)),
        ),
        tokens: totalOf(answer.tokens),
      };
    },
    async models() {
      const known = await rooms.gateway.models();
      return known.filter(({ task }) => task === 'chat' || task === 'completion').map((model) => model.id);
    },
    [Symbol.asyncDispose]: () => rooms[Symbol.asyncDispose](),
  };
}
