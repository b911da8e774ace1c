/**
 * `POST /generate`: the answer to one prompt, whole or as a stream of `meta`, `token` and `done` events.
 *
 * @module server/nsllm/generate
 */
import { z } from 'zod';
import { InputError } from '../../base/index.ts';
import type { ChatEvent, GenerationOptions } from '../../gateway/index.ts';
import { type Exchange, sendJson } from '../http/exchange.ts';
import { receiptBody, receiptHeaders } from '../http/receipt.ts';
import { optional, parseBody, refuse } from '../http/schema.ts';
import { pingComment } from '../http/sse.ts';
import { type StreamEncoding, sendStream } from '../http/stream.ts';
import { generationFields, generationOptions, text } from '../openai/options.ts';
import type { ServerContext } from '../types.ts';
import { idOf } from './embed.ts';
import { nsLlmError } from './errors.ts';

const { n: _n, stream_options: _options, user: _user, ...fields } = generationFields;

export const generateSchema = z.object({
  ...fields,
  prompt: optional(text),
  /** Other name of `prompt`. */
  text: optional(text),
  max_tokens: optional(z.int().min(1)),
  /** Continue the prompt as it stands, without the model's chat template. */
  raw: optional(z.boolean()),
});

const refused = {
  n: { allowed: [1], why: 'this route gives one answer; POST /v1/completions gives several.' },
} as const;

export interface GenerateBody {
  readonly prompt: string;
  readonly raw: boolean;
  readonly options: GenerationOptions;
  /** Null when the body does not say. */
  readonly stream: boolean | null;
  /** Add the receipt to the body. */
  readonly receipt: boolean;
}

/** Throws `InputError` naming the field. */
export function parseGenerate(body: unknown, signal: AbortSignal, randomSeed: () => number): GenerateBody {
  const parsed = parseBody(generateSchema, body);
  refuse(body as object, refused);
  const prompt = parsed.prompt ?? parsed.text;
  if (prompt === undefined || prompt === '') {
    const what = prompt === undefined ? 'is missing: the text to answer' : 'must not be empty';
    throw new InputError('invalid_value', `prompt: ${what}`, { param: 'prompt' });
  }
  const plain = { ...parsed, n: undefined, stream_options: undefined, user: undefined };
  return {
    prompt,
    raw: parsed.raw ?? false,
    options: generationOptions(plain, parsed.max_tokens ?? null, null, signal, randomSeed),
    stream: parsed.stream ?? null,
    receipt: parsed.kith?.receipt ?? false,
  };
}

export function generateRoute(context: ServerContext) {
  return async (exchange: Exchange): Promise<void> => {
    const began = context.clock.monotonic();
    const elapsed = () => Math.round(context.clock.monotonic() - began);
    const body = parseGenerate(await exchange.json(), exchange.signal, context.randomSeed);
    const options = { ...body.options, model: await idOf(context, body.options.model) };
    const accepts = exchange.request.headers.accept?.includes('text/event-stream') ?? false;
    const stream = body.stream ?? accepts;
    const { prompt } = body;
    const events = body.raw
      ? context.answering.complete(exchange, { ...options, prompts: [prompt], echo: false }, stream)
      : context.answering.chat(
          exchange,
          { ...options, messages: [{ role: 'user', content: prompt }] },
          stream,
        );
    if (stream) {
      const encoding = generateEncoding(body.prompt.length, elapsed, body.receipt);
      await sendStream(exchange, context, events, encoding);
    } else await sendWhole(exchange, events, elapsed, body.receipt);
  };
}

export type StopReason = 'eos_token' | 'stop_sequence' | 'max_tokens';

/** An answer cut by a time limit or the end of the context is incomplete, which this API calls `max_tokens`. */
function stopReason({ reason, stop }: Extract<ChatEvent, { type: 'finish' }>): StopReason {
  if (reason !== 'stop') return 'max_tokens';
  return stop === null ? 'eos_token' : 'stop_sequence';
}

/**
 * @param received characters of the prompt
 * @param elapsed ms since the request came
 */
export function generateEncoding(received: number, elapsed: () => number, receipt: boolean): StreamEncoding {
  let model = '';
  let index = 0;
  let reason: StopReason | null = null;
  const written = (name: string, data: unknown) => `event: ${name}\ndata: ${JSON.stringify(data)}\n\n`;
  return {
    contentType: 'text/event-stream; charset=utf-8',
    encode(event) {
      switch (event.type) {
        case 'start':
          model = event.model;
          return written('meta', { model, received });
        case 'text':
          return event.text === '' ? '' : written('token', { token: event.text, idx: index++ });
        case 'finish':
          reason = stopReason(event);
          return '';
        case 'usage':
          return written('done', {
            done: true,
            token_count: event.completionTokens,
            model,
            tokens_generated: event.completionTokens,
            latency_ms: elapsed(),
            stop_reason: reason,
            ...(receipt ? { kith: receiptBody(event.receipt) } : {}),
          });
        default:
          // No tools are offered here.
          return '';
      }
    },
    end: () => '',
    error: (fault, requestId) => written('error', nsLlmError(fault, requestId)),
    ping: pingComment,
  };
}

async function sendWhole(
  exchange: Exchange,
  events: AsyncIterable<ChatEvent>,
  elapsed: () => number,
  withReceipt: boolean,
): Promise<void> {
  let written = '';
  let reason: StopReason | null = null;
  for await (const event of events) {
    if (event.type === 'text') written += event.text;
    else if (event.type === 'finish') reason = stopReason(event);
    else if (event.type === 'usage') {
      const { receipt, completionTokens } = event;
      const body = {
        text: written,
        model: receipt.model,
        tokens_generated: completionTokens,
        latency_ms: elapsed(),
        stop_reason: reason,
        ...(withReceipt ? { kith: receiptBody(receipt) } : {}),
      };
      sendJson(exchange.response, 200, body, receiptHeaders(receipt));
    }
  }
}
