/**
 * The backend over Anthropic's messages API.
 *
 * @module gateway/backends/anthropic
 */
import type { Backend } from '../../types.ts';
import { badResponse, createUpstream } from '../../upstream/index.ts';
import { countIn, isObject } from '../json.ts';
import { createModelList } from '../model-list.ts';
import { notSupported } from '../not-supported.ts';
import { headersOf, streamAnswer } from '../stream-answer.ts';
import type { RemoteOptions } from '../types.ts';
import { createMessageDecoder } from './decode.ts';
import { defaultMaxTokens, messagesBody, promptBody } from './request.ts';

export interface AnthropicBackendOptions extends Omit<RemoteOptions, 'defaults'> {
  readonly defaults?: { readonly chat?: string };
  /** Tokens of an answer whose request names no limit. @default 4096 */
  readonly maxTokens?: number;
  /** The `anthropic-version` header. @default '2023-06-01' */
  readonly version?: string;
}

const KIND = 'anthropic';

/**
 * `baseUrl` as for the other API, with its version: `https://api.anthropic.com/v1`.
 *
 * Throws `InputError` when the address is not one. Errors of requests are `UpstreamError`s and `AbortedError`s.
 */
export function createAnthropicBackend(options: AnthropicBackendOptions): Backend & AsyncDisposable {
  const secret = options.apiKey ?? '';
  const upstream = createUpstream({
    ...options,
    headers: { 'anthropic-version': options.version ?? '2023-06-01', ...options.headers },
    ...(secret === '' ? {} : { secretHeaders: { 'x-api-key': secret } }),
  });
  const list = createModelList(upstream, options, null);

  function modelOf(model: string | null): string {
    const id = model ?? options.defaults?.chat ?? null;
    if (id === null)
      throw notSupported(KIND, 'requests without a model, as no default is configured', 'model');
    return id;
  }

  return {
    name: options.name,
    has: list.has,
    models: list.models,
    health: list.health,
    defaultModel: (task) => (task === 'chat' ? (options.defaults?.chat ?? null) : null),
    async *chat(request) {
      const model = modelOf(request.model);
      const server = upstream.origin;
      const maxTokens = options.maxTokens ?? defaultMaxTokens;
      const { body, notes } = messagesBody(request, list.upstreamId(model), maxTokens);
      const decoder = createMessageDecoder({
        backend: options.name,
        model,
        server,
        random: options.random,
        now: () => options.clock.now(),
        secrets: secret === '' ? [] : [secret],
      });
      const limits = request.timeoutMs === null ? {} : { totalMs: request.timeoutMs };
      yield* streamAnswer(
        upstream,
        { method: 'POST', path: '/messages', body, signal: request.signal, limits, ...headersOf(request) },
        decoder,
        { backend: options.name, model, server, notes },
      );
    },
    // biome-ignore lint/correctness/useYield: the refusal comes when the answer is asked for, as with every failure
    async *complete() {
      throw notSupported(KIND, 'plain completions', 'prompt');
    },
    async countTokens(request) {
      const model = list.upstreamId(modelOf(request.model));
      const answer = await upstream.json({
        method: 'POST',
        path: '/messages/count_tokens',
        body: promptBody(request, model),
        signal: request.signal,
        ...headersOf(request),
      });
      const tokens = isObject(answer.body) ? countIn(answer.body.input_tokens) : null;
      if (tokens === null)
        throw badResponse('upstream_bad_count', upstream.origin, 'counted tokens without a number.');
      return tokens;
    },
    async embed() {
      throw notSupported(KIND, 'embeddings', 'model');
    },
    connections: upstream.connections,
    [Symbol.asyncDispose]: () => upstream[Symbol.asyncDispose](),
  };
}
