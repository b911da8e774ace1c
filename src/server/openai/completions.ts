/**
 * `POST /v1/completions`: text continued without a chat template.
 *
 * @module server/openai/completions
 */
import { z } from 'zod';
import { InputError } from '../../base/index.ts';
import type { ChatEvent, CompletionRequest } from '../../gateway/index.ts';
import type { Exchange } from '../http/exchange.ts';
import { receiptBody } from '../http/receipt.ts';
import { optional, parseBody, refuse } from '../http/schema.ts';
import { sendStream } from '../http/stream.ts';
import type { ServerContext } from '../types.ts';
import { chunkOf, type Head, sendAnswer } from './envelope.ts';
import { textsOrTokens } from './input.ts';
import { type LegacyLogprobs, legacyLogprobs } from './logprobs.ts';
import { checkStreamOptions, generationFields, generationOptions } from './options.ts';
import { sseEncoding } from './sse-encoding.ts';
import { finishReason, usageBody } from './usage.ts';

const maxPrompts = 64;
const maxChoicesInAll = 64;
/** OpenAI's default for this route, kept so that old clients see what they expect. */
const defaultMaxTokens = 16;

/** A body as clients write it; the API document is made from it. */
export const completionSchema = z.object({
  ...generationFields,
  prompt: textsOrTokens(maxPrompts, true),
  max_tokens: optional(z.int().min(1)),
  echo: optional(z.boolean()),
  logprobs: optional(z.int().min(0).max(20)),
});

const refused = {
  suffix: { allowed: [''], why: 'the models here continue text, they do not fill gaps.' },
  best_of: { allowed: [1], why: 'use `n` and choose among the answers.' },
} as const;

export interface CompletionBody {
  readonly request: CompletionRequest;
  readonly stream: boolean;
  readonly includeUsage: boolean;
  /** Add the receipt to the body. */
  readonly receipt: boolean;
}

export function parseCompletion(
  body: unknown,
  signal: AbortSignal,
  randomSeed: () => number,
): CompletionBody {
  const parsed = parseBody(completionSchema, body);
  refuse(body as object, refused);
  checkStreamOptions(parsed);
  if (parsed.echo && parsed.logprobs !== undefined) {
    throw new InputError(
      'unsupported_parameter',
      'logprobs: not together with `echo`: the prompt is not scored',
      {
        param: 'logprobs',
      },
    );
  }
  const options = generationOptions(
    parsed,
    parsed.max_tokens ?? defaultMaxTokens,
    parsed.logprobs ?? null,
    signal,
    randomSeed,
  );
  if (parsed.prompt.length * options.n > maxChoicesInAll) {
    throw new InputError('invalid_value', `n: prompts × n is at most ${maxChoicesInAll}`, { param: 'n' });
  }
  return {
    request: { ...options, prompts: parsed.prompt, echo: parsed.echo ?? false },
    stream: parsed.stream ?? false,
    includeUsage: parsed.stream_options?.include_usage ?? false,
    receipt: parsed.kith?.receipt ?? false,
  };
}

export function completionsRoute(context: ServerContext) {
  return async (exchange: Exchange): Promise<void> => {
    const body = parseCompletion(await exchange.json(), exchange.signal, context.randomSeed);
    const head = {
      id: `cmpl-${exchange.id}`,
      created: Math.floor(context.clock.now() / 1000),
      system_fingerprint: context.fingerprint,
    };
    const events = context.answering.complete(exchange, body.request, body.stream);
    const choices = body.request.prompts.length * body.request.n;
    if (body.stream)
      await sendStream(
        exchange,
        context,
        events,
        sseEncoding(completionEncoder(head, body.includeUsage, body.receipt)),
      );
    else await sendWhole(exchange, head, events, choices, body.receipt);
  };
}

export function completionEncoder(
  head: Head,
  includeUsage: boolean,
  receipt = false,
): (event: ChatEvent) => unknown[] {
  let model = '';
  const offsets = new Map<number, number>();
  const chunk = (choices: unknown[], usage: unknown = null) =>
    chunkOf(head, 'text_completion', model, choices, includeUsage ? usage : undefined);
  return (event) => {
    switch (event.type) {
      case 'start':
        model = event.model;
        return [];
      case 'text': {
        const offset = offsets.get(event.choice) ?? 0;
        offsets.set(event.choice, offset + event.text.length);
        const logprobs = event.logprobs ? legacyLogprobs(event.logprobs, offset) : null;
        return [chunk([{ index: event.choice, text: event.text, logprobs, finish_reason: null }])];
      }
      case 'tool_call':
      case 'tool_arguments':
        // Completions offer no tools.
        return [];
      case 'finish':
        return [
          chunk([
            { index: event.choice, text: '', logprobs: null, finish_reason: finishReason(event.reason) },
          ]),
        ];
      case 'usage': {
        const usage = includeUsage ? usageBody(event) : null;
        return usage !== null || receipt
          ? [{ ...chunk([], usage), ...(receipt ? { kith: receiptBody(event.receipt) } : {}) }]
          : [];
      }
    }
  };
}

async function sendWhole(
  exchange: Exchange,
  head: Head,
  events: AsyncIterable<ChatEvent>,
  count: number,
  receipt: boolean,
): Promise<void> {
  const choices = Array.from({ length: count }, (_, index) => ({
    index,
    text: '',
    logprobs: null as LegacyLogprobs | null,
    finish_reason: null as string | null,
  }));
  for await (const event of events) {
    if (event.type === 'text') {
      const choice = choices[event.choice]!;
      if (event.logprobs) {
        const more = legacyLogprobs(event.logprobs, choice.text.length);
        choice.logprobs ??= { tokens: [], token_logprobs: [], top_logprobs: [], text_offset: [] };
        for (const key of ['tokens', 'token_logprobs', 'top_logprobs', 'text_offset'] as const) {
          (choice.logprobs[key] as unknown[]).push(...more[key]);
        }
      }
      choice.text += event.text;
    } else if (event.type === 'finish') choices[event.choice]!.finish_reason = finishReason(event.reason);
    else if (event.type === 'usage') {
      sendAnswer(exchange.response, head, 'text_completion', choices, event, receipt);
    }
  }
}
