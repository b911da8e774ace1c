/**
 * `POST /v1/chat/completions`.
 *
 * @module server/openai/chat
 */
import { z } from 'zod';
import { InputError } from '../../base/index.ts';
import type { AttemptRecord, ChatEvent, ChatRequest } from '../../gateway/index.ts';
import type { Exchange } from '../http/exchange.ts';
import { receiptBody } from '../http/receipt.ts';
import { optional, parseBody, refuse } from '../http/schema.ts';
import { sendStream } from '../http/stream.ts';
import type { ServerContext } from '../types.ts';
import { chunkOf, type Head, sendAnswer } from './envelope.ts';
import { chatLogprobs } from './logprobs.ts';
import { messages } from './messages.ts';
import { checkStreamOptions, generationFields, generationOptions } from './options.ts';
import { relayChat } from './relay.ts';
import { grammarOf, responseFormat } from './response-format.ts';
import { offered, offerOf } from './responses/tools.ts';
import { efforts, metadata, thinking } from './small-fields.ts';
import { sseEncoding } from './sse-encoding.ts';
import { toolChoice, tools } from './tools.ts';
import { finishReason, usageBody } from './usage.ts';

/** A body as clients write it; the API document is made from it. */
export const chatSchema = z.object({
  ...generationFields,
  messages,
  max_tokens: optional(z.int().min(1)),
  max_completion_tokens: optional(z.int().min(1)),
  logprobs: optional(z.boolean()),
  top_logprobs: optional(z.int().min(0).max(20)),
  response_format: optional(responseFormat),
  tools: optional(tools),
  tool_choice: optional(toolChoice),
  parallel_tool_calls: optional(z.boolean()),
  reasoning_effort: optional(z.enum(efforts)),
  metadata: optional(metadata),
});

/** Known fields that ask for something this node does not do. Unknown fields are ignored. */
const refused = {
  functions: { why: 'it is an older form of `tools`; use that.' },
  function_call: { allowed: ['none', 'auto'], why: 'it is an older form of `tool_choice`; use that.' },
  modalities: { allowed: [['text']], why: 'the models here answer in text only.' },
  audio: { why: 'the models here answer in text only.' },
  prediction: { why: 'predicted outputs are not implemented.' },
  web_search_options: { why: 'this node does not search the web.' },
} as const;

export interface ChatBody {
  readonly request: ChatRequest;
  readonly stream: boolean;
  readonly includeUsage: boolean;
  /** Add the receipt to the body. */
  readonly receipt: boolean;
}

/** Parses a body into a request. Throws `InputError` naming the field. */
export function parseChat(body: unknown, signal: AbortSignal, randomSeed: () => number): ChatBody {
  const parsed = parseBody(chatSchema, body);
  refuse(body as object, refused);
  if (parsed.top_logprobs !== undefined && !parsed.logprobs) {
    throw new InputError('invalid_value', 'top_logprobs: needs `logprobs: true`', { param: 'top_logprobs' });
  }
  checkStreamOptions(parsed);
  const maxTokens = parsed.max_completion_tokens ?? parsed.max_tokens ?? null;
  const grammar = grammarOf(parsed.response_format);
  const offer = offerOf(parsed.tools ?? [], parsed.tool_choice);
  const topLogprobs = parsed.logprobs ? (parsed.top_logprobs ?? 0) : null;
  return {
    request: {
      ...generationOptions(parsed, maxTokens, topLogprobs, signal, randomSeed),
      messages: parsed.messages,
      ...(grammar === null ? {} : { grammar }),
      ...offered(offer, parsed.parallel_tool_calls),
      ...(parsed.reasoning_effort === undefined ? {} : { variables: thinking(parsed.reasoning_effort) }),
    },
    stream: parsed.stream ?? false,
    includeUsage: parsed.stream_options?.include_usage ?? false,
    receipt: parsed.kith?.receipt ?? false,
  };
}

const none: readonly AttemptRecord[] = [];

export function chatRoute(context: ServerContext) {
  return async (exchange: Exchange): Promise<void> => {
    const bytes = await exchange.bytes();
    const relayed = relayChat(context, exchange, bytes);
    const before = relayed === null ? none : await relayed;
    if (before === 'answered') return;
    const body = parseChat(exchange.parse(bytes), exchange.signal, context.randomSeed);
    const request = before.length === 0 ? body.request : { ...body.request, before };
    const head = {
      id: `chatcmpl-${exchange.id}`,
      created: Math.floor(context.clock.now() / 1000),
      system_fingerprint: context.fingerprint,
    };
    const events = context.answering.chat(exchange, request, body.stream);
    if (body.stream) {
      await sendStream(
        exchange,
        context,
        events,
        sseEncoding(
          chatEncoder(head, body.request.n, body.includeUsage, body.receipt),
          plainChunks(head, body.includeUsage),
        ),
      );
    } else await sendWhole(exchange, head, events, body.request.n, body.receipt);
  };
}

/** Chunks of a streamed answer: the role first, deltas, the finish of each choice, usage when asked for. */
export function chatEncoder(
  head: Head,
  n: number,
  includeUsage: boolean,
  receipt = false,
): (event: ChatEvent) => unknown[] {
  let model = '';
  const chunk = (choices: unknown[], usage: unknown = null) =>
    chunkOf(head, 'chat.completion.chunk', model, choices, includeUsage ? usage : undefined);
  const choice = (index: number, delta: object, logprobs: unknown, reason: string | null) =>
    chunk([{ index, delta, logprobs, finish_reason: reason }]);
  return (event) => {
    switch (event.type) {
      case 'start':
        model = event.model;
        return Array.from({ length: n }, (_, index) =>
          choice(index, { role: 'assistant', content: '', refusal: null }, null, null),
        );
      case 'text':
        return [
          choice(
            event.choice,
            { content: event.text },
            event.logprobs ? chatLogprobs(event.logprobs) : null,
            null,
          ),
        ];
      case 'tool_call':
      case 'tool_arguments':
        return [choice(event.choice, { tool_calls: [callDelta(event)] }, null, null)];
      case 'finish':
        return [choice(event.choice, {}, null, finishReason(event.reason))];
      case 'usage': {
        const usage = includeUsage ? usageBody(event) : null;
        return usage !== null || receipt
          ? [{ ...chunk([], usage), ...(receipt ? { kith: receiptBody(event.receipt) } : {}) }]
          : [];
      }
    }
  };
}

/** Chunks of plain text: of their JSON only the choice and the text change, so that only these are written anew. */
export function plainChunks(head: Head, includeUsage: boolean): (event: ChatEvent) => string | null {
  let before: string | null = null;
  const after = `},"logprobs":null,"finish_reason":null}]${includeUsage ? ',"usage":null' : ''}}`;
  return (event) => {
    if (event.type === 'start') {
      const whole = JSON.stringify(chunkOf(head, 'chat.completion.chunk', event.model, [], undefined));
      before = `${whole.slice(0, -2)}{"index":`;
      return null;
    }
    if (event.type !== 'text' || event.logprobs !== null || before === null) return null;
    return `${before}${event.choice},"delta":{"content":${JSON.stringify(event.text)}${after}`;
  };
}

interface Message {
  readonly role: 'assistant';
  /** Null when there are calls and no text. */
  content: string | null;
  readonly refusal: null;
  tool_calls?: ReturnType<typeof callOf>[];
}

function callOf(id: string, name: string) {
  return { id, type: 'function' as const, function: { name, arguments: '' } };
}

/** The first delta of a call says what is called, the others add to its arguments. */
function callDelta(event: Extract<ChatEvent, { type: 'tool_call' | 'tool_arguments' }>): object {
  const { index } = event;
  return event.type === 'tool_call'
    ? { index, ...callOf(event.id, event.name) }
    : { index, function: { arguments: event.text } };
}

async function sendWhole(
  exchange: Exchange,
  head: Head,
  events: AsyncIterable<ChatEvent>,
  n: number,
  receipt: boolean,
): Promise<void> {
  const choices = Array.from({ length: n }, (_, index) => ({
    index,
    message: { role: 'assistant', content: '', refusal: null } as Message,
    logprobs: null as ReturnType<typeof chatLogprobs> | null,
    finish_reason: null as string | null,
  }));
  for await (const event of events) {
    if (event.type === 'text') {
      const choice = choices[event.choice]!;
      choice.message.content = `${choice.message.content ?? ''}${event.text}`;
      if (event.logprobs) {
        choice.logprobs ??= { content: [], refusal: null };
        choice.logprobs.content.push(...chatLogprobs(event.logprobs).content);
      }
    } else if (event.type === 'tool_call') {
      const { message } = choices[event.choice]!;
      message.tool_calls ??= [];
      message.tool_calls.push(callOf(event.id, event.name));
      if (message.content === '') message.content = null;
    } else if (event.type === 'tool_arguments') {
      choices[event.choice]!.message.tool_calls![event.index]!.function.arguments += event.text;
    } else if (event.type === 'finish') choices[event.choice]!.finish_reason = finishReason(event.reason);
    else if (event.type === 'usage') {
      sendAnswer(exchange.response, head, 'chat.completion', choices, event, receipt);
    }
  }
}
