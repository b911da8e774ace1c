/**
 * The bodies of `POST /v1/messages` and `POST /v1/messages/count_tokens`.
 *
 * @module server/anthropic/request
 */
import { z } from 'zod';
import { InputError } from '../../base/index.ts';
import type { SamplerOptions } from '../../engine/index.ts';
import type { ChatRequest } from '../../gateway/index.ts';
import { optional, parseBody, refuse } from '../http/schema.ts';
import { boundedArray } from '../openai/input.ts';
import { generationFields, text } from '../openai/options.ts';
import { messages, system } from './blocks.ts';
import { conversationOf } from './conversation.ts';
import { toolFields, toolsOf } from './tools.ts';

const maxStops = 16;
const maxStopLength = 1000;

/** A schema is read whole by the engine, which names what it does not support; here only its outline counts. */
const outputFormat = z.object({
  type: z.literal('json_schema', { error: "must be 'json_schema'" }),
  schema: z.record(z.string(), z.unknown()),
});

/** The fields that decide what the prompt is. */
const promptFields = {
  model: optional(z.string().min(1).max(200)),
  messages,
  system: optional(system),
  ...toolFields,
  // Taken, as clients send it unasked; the models here answer without thinking blocks.
  thinking: optional(
    z.object({
      type: z.enum(['enabled', 'disabled', 'adaptive', 'between_tools']),
      budget_tokens: optional(z.int().min(1)),
    }),
  ),
  output_config: optional(z.object({ format: optional(outputFormat) })),
  /** Earlier name of `output_config.format`. */
  output_format: optional(outputFormat),
};

export const countTokensSchema = z.object(promptFields);

const required = (issue: { readonly input?: unknown }) =>
  issue.input === undefined || issue.input === null ? 'Field required' : undefined;

export const messagesSchema = z.object({
  ...promptFields,
  max_tokens: z
    .int({ error: required })
    .min(1, { error: 'must be at least 1: filling the cache without an answer is not supported' }),
  stop_sequences: optional(
    boundedArray(text.pipe(z.string().min(1, 'must not be empty').max(maxStopLength)), 0, maxStops),
  ),
  temperature: optional(z.number().min(0).max(1)),
  top_p: optional(z.number().gt(0).max(1)),
  top_k: optional(z.int().min(0).max(1_000_000)),
  stream: optional(z.boolean()),
  kith: generationFields.kith,
});

/** Known fields that ask for something this node does not do. Unknown fields are ignored. */
const refused = {
  mcp_servers: { why: 'this node does not call MCP servers.' },
  container: { why: 'this node has no containers.' },
  compaction: { why: 'conversations are not summarized here.' },
} as const;

function refuseUnsupported(body: object): void {
  refuse(body, refused);
  if (!('thread' in body) || body.thread === null) return;
  // Anthropic's own code for it: its client then sends the whole conversation each time.
  throw new InputError(
    'thread_unsupported_request',
    '`thread` is not supported: conversations are not kept here, so send all of their messages.',
    { param: 'thread' },
  );
}

export interface MessagesBody {
  readonly request: ChatRequest;
  /** For each of the request's messages: index in the body's; null for the system text. */
  readonly origins: readonly (number | null)[];
  readonly stream: boolean;
  /** Add the receipt to the body. */
  readonly receipt: boolean;
}

/** Parses a body into a request. Throws `InputError` naming the field. */
export function parseMessages(body: unknown, signal: AbortSignal, randomSeed: () => number): MessagesBody {
  const parsed = parseBody(messagesSchema, body);
  refuseUnsupported(body as object);
  const sampler: { -readonly [K in keyof SamplerOptions]?: SamplerOptions[K] } = {
    seed: randomSeed(),
    topLogprobs: null,
  };
  if (parsed.temperature !== undefined) sampler.temperature = parsed.temperature;
  if (parsed.top_p !== undefined) sampler.topP = parsed.top_p;
  if (parsed.top_k !== undefined) sampler.topK = parsed.top_k;
  const { prompt, origins } = promptOf(parsed);
  return {
    request: {
      ...prompt,
      n: 1,
      sampler,
      maxTokens: parsed.max_tokens,
      stop: parsed.stop_sequences ?? [],
      overflow: parsed.kith?.overflow ?? null,
      keepTokens: parsed.kith?.keep_tokens ?? 0,
      timeoutMs: parsed.kith?.timeout_ms ?? null,
      signal,
      drawnSeed: true,
    },
    origins,
    stream: parsed.stream ?? false,
    receipt: parsed.kith?.receipt ?? false,
  };
}

export interface CountTokensBody {
  readonly request: ChatRequest;
  readonly origins: readonly (number | null)[];
}

/** Parses a body into the request whose prompt is counted. Throws `InputError` naming the field. */
export function parseCountTokens(body: unknown, signal: AbortSignal): CountTokensBody {
  const parsed = parseBody(countTokensSchema, body);
  refuseUnsupported(body as object);
  const { prompt, origins } = promptOf(parsed);
  return {
    request: {
      ...prompt,
      n: 1,
      sampler: {},
      maxTokens: null,
      stop: [],
      overflow: null,
      keepTokens: 0,
      timeoutMs: null,
      signal,
    },
    origins,
  };
}

type Prompted = Pick<
  ChatRequest,
  'model' | 'messages' | 'prefill' | 'grammar' | 'tools' | 'toolChoice' | 'parallelToolCalls' | 'variables'
>;

function promptOf(parsed: z.output<typeof countTokensSchema>): {
  readonly prompt: Prompted;
  readonly origins: readonly (number | null)[];
} {
  const { messages: list, origins, prefill } = conversationOf(parsed.system, parsed.messages);
  const tools = toolsOf(parsed);
  const format = parsed.output_config?.format ?? parsed.output_format;
  if (prefill !== null) {
    const last = `messages[${parsed.messages.length - 1}]`;
    const forced = tools.toolChoice === 'required' || typeof tools.toolChoice === 'object';
    const why = format ? '`output_config.format`' : forced ? 'a `tool_choice` that demands a tool' : null;
    if (why !== null) {
      throw new InputError('invalid_value', `${last}: the answer cannot begin with this text under ${why}`, {
        param: last,
      });
    }
  }
  return {
    origins,
    prompt: {
      model: parsed.model ?? null,
      messages: list,
      ...(prefill === null ? {} : { prefill }),
      ...(format === undefined ? {} : { grammar: { kind: 'json_schema' as const, schema: format.schema } }),
      ...tools,
      // Templates that can begin with a thought leave it out.
      variables: { enable_thinking: false },
    },
  };
}
