/**
 * The backend over any server that speaks OpenAI's API.
 *
 * Answers are always asked for as streams, so that the limits on tokens hold; a server that answers with one JSON value
 * instead is read all the same. A stream that ends before every choice has its `finish_reason` is a failure, `[DONE]` or
 * not; one that has them all is an answer, `[DONE]` or not.
 *
 * @module gateway/backends/openai
 */
import type { Backend, ChatEvent, GenerationOptions } from '../../types.ts';
import { createUpstream } from '../../upstream/index.ts';
import { createModelList } from '../model-list.ts';
import { notSupported } from '../not-supported.ts';
import { headersOf, requestIdOf, streamAnswer } from '../stream-answer.ts';
import type { RemoteOptions, RemoteReceipt } from '../types.ts';
import { takesAsItIs } from './as-it-is.ts';
import { createDecoder } from './decode.ts';
import { embed } from './embed.ts';
import { chatBody, completionBody, type OutgoingRequest } from './request.ts';
import { SERVER_KINDS, type ServerKind, type ServerKindName } from './servers/index.ts';

export interface OpenAiBackendOptions extends RemoteOptions {
  /** Which server it is: what may be asked of it goes by this. @default 'generic' */
  readonly kind?: ServerKindName;
  /** What this server knows or lacks beyond its kind. */
  readonly abilities?: Partial<ServerKind>;
}

/** Throws `InputError` when the address is not one. Errors of requests are `UpstreamError`s and `AbortedError`s. */
export function createOpenAiBackend(options: OpenAiBackendOptions): Backend & AsyncDisposable {
  const kind: ServerKind = { ...SERVER_KINDS[options.kind ?? 'generic'], ...options.abilities };
  const secret = options.apiKey ?? '';
  const upstream = createUpstream({
    ...options,
    ...(secret === '' ? {} : { secretHeaders: { authorization: `Bearer ${secret}` } }),
  });
  const list = createModelList(upstream, options, kind.healthPath);

  function modelOf(model: string | null, task: 'chat' | 'embedding'): string {
    const id = model ?? options.defaults?.[task] ?? null;
    if (id === null)
      throw notSupported(kind.kind, 'requests without a model, as no default is configured', 'model');
    return id;
  }

  const decoderOf = (api: 'chat' | 'completions', model: string, choices: number) =>
    createDecoder({
      api,
      backend: options.name,
      model,
      server: upstream.origin,
      choices,
      random: options.random,
      now: () => options.clock.now(),
      secrets: secret === '' ? [] : [secret],
    });

  function answer(
    api: 'chat' | 'completions',
    request: GenerationOptions,
    model: string,
    prompts: number,
    { body, notes }: OutgoingRequest,
  ): AsyncGenerator<ChatEvent> {
    const server = upstream.origin;
    const decoder = decoderOf(api, model, prompts * request.n);
    const path = api === 'chat' ? '/chat/completions' : '/completions';
    const limits = request.timeoutMs === null ? {} : { totalMs: request.timeoutMs };
    return streamAnswer(
      upstream,
      { method: 'POST', path, body, signal: request.signal, limits, ...headersOf(request) },
      decoder,
      {
        backend: options.name,
        model,
        server,
        notes,
      },
    );
  }

  return {
    name: options.name,
    has: list.has,
    models: list.models,
    health: list.health,
    defaultModel: (task) => options.defaults?.[task] ?? null,
    async *chat(request) {
      const model = modelOf(request.model, 'chat');
      yield* answer('chat', request, model, 1, chatBody(request, list.upstreamId(model), kind));
    },
    async *complete(request) {
      const model = modelOf(request.model, 'chat');
      const outgoing = completionBody(request, list.upstreamId(model), kind);
      yield* answer('completions', request, model, request.prompts.length, outgoing);
    },
    async countTokens() {
      throw notSupported(kind.kind, 'counting tokens without answering');
    },
    async embed(request) {
      const model = modelOf(request.model, 'embedding');
      const result = await embed(upstream, request, list.upstreamId(model), kind);
      const { last } = result;
      const receipt: RemoteReceipt = {
        backend: options.name,
        model: result.model ?? model,
        queueMs: null,
        prefillMs: null,
        decodeMs: null,
        notes: result.notes,
        upstream: {
          server: upstream.origin,
          model: result.model,
          requestId: requestIdOf(last.headers),
          timings: last.timings,
        },
      };
      return { vectors: result.vectors, dimension: result.dimension, tokens: result.tokens, receipt };
    },
    connections: upstream.connections,
    relay: {
      origin: upstream.origin,
      takes: (shape) => takesAsItIs(kind, shape),
      upstreamId: list.upstreamId,
      send: (body, stream, handler, headers) =>
        upstream.pass(
          '/chat/completions',
          body,
          stream ? 'text/event-stream' : 'application/json',
          handler,
          headers,
        ),
      decoder: (model) => decoderOf('chat', model, 1),
    },
    [Symbol.asyncDispose]: () => upstream[Symbol.asyncDispose](),
  };
}
