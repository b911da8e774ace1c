/**
 * Backends over a mock upstream, and requests to them.
 *
 * @module test/upstreams/support
 */
import { createSeededRandom, systemClock } from '../../src/base/index.ts';
import {
  createAnthropicBackend,
  createOpenAiBackend,
  type RemoteOptions,
} from '../../src/gateway/backends/index.ts';
import type { OpenAiBackendOptions } from '../../src/gateway/backends/openai/index.ts';
import type { ChatEvent, ChatRequest, CompletionRequest, EmbeddingRequest } from '../../src/gateway/types.ts';
import type { UpstreamLimits } from '../../src/gateway/upstream/index.ts';

/** Times that pass on no machine unless nothing comes at all; sizes that are reached soon. */
export const LIMITS: UpstreamLimits = {
  connectMs: 20_000,
  headersMs: 20_000,
  firstTokenMs: 20_000,
  interTokenMs: 20_000,
  totalMs: 60_000,
  maxResponseBytes: 4 * 2 ** 20,
  maxLineBytes: 64 * 1024,
  maxEvents: 5000,
};

const SHORT_MS = 150;
const LIMIT_OF = {
  timeout_connect: 'connectMs',
  timeout_headers: 'headersMs',
  timeout_first_token: 'firstTokenMs',
  timeout_inter_token: 'interTokenMs',
  timeout_total: 'totalMs',
} as const;

/** The limit that `outcome` is about is short, so that a busy machine cannot take one for another. */
export function limitsFor(outcome: string): Partial<UpstreamLimits> {
  const limit = LIMIT_OF[outcome as keyof typeof LIMIT_OF];
  return limit === undefined ? {} : { [limit]: SHORT_MS };
}

export const API_KEY = 'sk-planted-secret-0123456789';

const common = (baseUrl: string, limits: Partial<UpstreamLimits>): RemoteOptions => ({
  name: 'mock',
  baseUrl,
  apiKey: API_KEY,
  limits: { ...LIMITS, ...limits },
  clock: systemClock,
  random: createSeededRandom(1),
});

export const openAi = (
  baseUrl: string,
  options: Partial<OpenAiBackendOptions> = {},
  limits: Partial<UpstreamLimits> = {},
) => createOpenAiBackend({ ...common(baseUrl, limits), ...options });

export const anthropic = (baseUrl: string, limits: Partial<UpstreamLimits> = {}) =>
  createAnthropicBackend(common(baseUrl, limits));

const general = (signal = new AbortController().signal) => ({
  model: 'mock-model',
  n: 1,
  sampler: {},
  maxTokens: null,
  stop: [],
  overflow: null,
  keepTokens: 0,
  timeoutMs: null,
  signal,
});

export const chatRequest = (more: Partial<ChatRequest> = {}): ChatRequest => ({
  ...general(more.signal),
  messages: [{ role: 'user', content: 'Count.' }],
  ...more,
});

export const completionRequest = (more: Partial<CompletionRequest> = {}): CompletionRequest => ({
  ...general(more.signal),
  prompts: ['Count:'],
  echo: false,
  ...more,
});

export const embeddingRequest = (more: Partial<EmbeddingRequest> = {}): EmbeddingRequest => ({
  model: 'mock-embed',
  inputs: ['one', 'four'],
  truncate: false,
  signal: new AbortController().signal,
  ...more,
});

export interface Outcome {
  readonly events: readonly ChatEvent[];
  readonly text: string;
  readonly usage: Extract<ChatEvent, { type: 'usage' }> | null;
  readonly error: unknown;
}

/** Reads to the end or to the error. */
export async function outcomeOf(answer: AsyncIterable<ChatEvent>): Promise<Outcome> {
  const events: ChatEvent[] = [];
  let text = '';
  let usage: Outcome['usage'] = null;
  try {
    for await (const event of answer) {
      // Endless answers are counted by their text.
      if (events.length < 10_000) events.push(event);
      if (event.type === 'text') text += event.text;
      if (event.type === 'usage') usage = event;
    }
  } catch (error) {
    return { events, text, usage, error };
  }
  return { events, text, usage, error: null };
}
