/**
 * One answer of the node as it is written: `POST /v1/chat/completions` with its receipt.
 *
 * @module web/data/answer-stream
 */
import { ask } from './node.ts';
import { faultOf, NodeError } from './node-error.ts';
import type { Receipt } from './receipt.ts';
import { readEvents } from './sse.ts';

export interface Message {
  readonly role: 'system' | 'user' | 'assistant';
  readonly content: string;
}

/** Null = as the node decides. */
export interface AnswerOptions {
  readonly model: string | null;
  readonly temperature: number | null;
  readonly top_p: number | null;
  readonly max_tokens: number | null;
  readonly seed: number | null;
}

export interface Usage {
  readonly prompt_tokens: number;
  readonly completion_tokens: number;
  readonly cached_tokens: number | null;
}

export type AnswerPart =
  | {
      readonly type: 'start';
      readonly requestId: string | null;
      readonly backend: string | null;
      /** Step of the node's ladder, as it names it. */
      readonly step: string | null;
    }
  | { readonly type: 'text'; readonly text: string }
  | { readonly type: 'finish'; readonly reason: string; readonly model: string }
  | { readonly type: 'receipt'; readonly usage: Usage | null; readonly receipt: Receipt | null };

interface Chunk {
  readonly model?: string;
  readonly choices?: readonly {
    readonly delta?: { readonly content?: string | null };
    readonly finish_reason?: string | null;
  }[];
  readonly usage?: {
    readonly prompt_tokens: number;
    readonly completion_tokens: number;
    readonly prompt_tokens_details?: { readonly cached_tokens?: number };
  } | null;
  readonly kith?: Receipt;
  readonly error?: unknown;
}

/** @param terms headers. Throws `NodeError`; its code is `connection_lost` when the stream ended before its end. */
export async function* streamAnswer(
  messages: readonly Message[],
  options: AnswerOptions,
  terms: Readonly<Record<string, string>>,
  signal: AbortSignal,
): AsyncGenerator<AnswerPart> {
  const chosen = Object.entries(options).filter(([, value]) => value !== null);
  const response = await ask('/v1/chat/completions', {
    method: 'POST',
    signal,
    headers: { 'content-type': 'application/json', ...terms },
    body: JSON.stringify({
      messages,
      ...Object.fromEntries(chosen),
      stream: true,
      stream_options: { include_usage: true },
      kith: { receipt: true },
    }),
  });
  const requestId = response.headers.get('x-request-id');
  const lost = () =>
    new NodeError({
      code: 'connection_lost',
      message: 'The connection to the node broke before the answer was complete.',
      status: 0,
      requestId,
    });
  yield {
    type: 'start',
    requestId,
    backend: response.headers.get('x-kith-backend'),
    step: response.headers.get('x-kith-step'),
  };
  const events = readEvents(response.body!);
  for (;;) {
    let next: Awaited<ReturnType<typeof events.next>>;
    try {
      next = await events.next();
    } catch (error) {
      if (signal.aborted) throw error;
      throw lost();
    }
    if (next.done) throw lost();
    if (next.value.data === '[DONE]') return;
    const chunk = JSON.parse(next.value.data) as Chunk;
    if (chunk.error !== undefined) throw new NodeError(faultOf(chunk, 0, requestId));
    yield* partsOf(chunk);
  }
}

function* partsOf(chunk: Chunk): Generator<AnswerPart> {
  const choice = chunk.choices?.[0];
  if (choice?.delta?.content) yield { type: 'text', text: choice.delta.content };
  if (choice?.finish_reason) yield { type: 'finish', reason: choice.finish_reason, model: chunk.model ?? '' };
  if (chunk.usage || chunk.kith) {
    const usage = chunk.usage
      ? {
          prompt_tokens: chunk.usage.prompt_tokens,
          completion_tokens: chunk.usage.completion_tokens,
          cached_tokens: chunk.usage.prompt_tokens_details?.cached_tokens ?? null,
        }
      : null;
    yield { type: 'receipt', usage, receipt: chunk.kith ?? null };
  }
}
