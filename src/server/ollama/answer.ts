/**
 * What gateway events become: parts of an answer, and at its end its figures. Streamed, each part is one line of JSON;
 * whole, the parts are joined.
 *
 * @module server/ollama/answer
 */
import type { TokenLogprob, TokenLogprobs } from '../../engine/index.ts';
import type { ChatEvent, FinishReason } from '../../gateway/index.ts';
import { type Exchange, sendJson } from '../http/exchange.ts';
import { receiptHeaders } from '../http/receipt.ts';
import { type StreamEncoding, sendStream } from '../http/stream.ts';
import type { ServerContext } from '../types.ts';
import { ollamaError } from './names.ts';

export interface ToolCall {
  readonly id: string;
  readonly function: { readonly index: number; readonly name: string; readonly arguments: unknown };
}

/** A stretch of an answer. */
export interface Part {
  readonly content: string;
  readonly toolCalls: readonly ToolCall[];
  readonly logprobs: readonly unknown[];
}

/** How one route writes a part, in which everything else about the line is known. */
export type Shape = (part: Part) => object;

const lineType = 'application/x-ndjson';
const nothing: Part = { content: '', toolCalls: [], logprobs: [] };
const decoder = new TextDecoder();

/** Nanoseconds, as Ollama counts. */
export const nanoseconds = (ms: number): number => Math.max(0, Math.round(ms * 1e6));

/** Answers with a line per part, or with all of it at once. */
export async function sendAnswer(
  exchange: Exchange,
  context: ServerContext,
  events: AsyncIterable<ChatEvent>,
  { model, stream, shape, began }: { model: string; stream: boolean; shape: Shape; began: number },
): Promise<void> {
  const { clock } = context;
  const created = () => new Date(clock.now()).toISOString();
  const read = createReader(() => clock.monotonic() - began);
  if (stream) {
    const line = (part: Part, end: object | null) =>
      `${JSON.stringify({ model, created_at: created(), ...shape(part), done: end !== null, ...end })}\n`;
    const encoding: StreamEncoding = {
      contentType: lineType,
      encode(event) {
        const { parts, end } = read(event);
        let text = '';
        for (const part of parts) text += line(part, null);
        return end === null ? text : text + line(nothing, end);
      },
      end: () => '',
      error: (fault) => `${JSON.stringify(ollamaError(fault))}\n`,
      ping: null,
    };
    await sendStream(exchange, context, events, encoding);
    return;
  }
  const whole = { content: '', toolCalls: [] as ToolCall[], logprobs: [] as unknown[] };
  for await (const event of events) {
    const { parts, end } = read(event);
    for (const part of parts) {
      whole.content += part.content;
      whole.toolCalls.push(...part.toolCalls);
      whole.logprobs.push(...part.logprobs);
    }
    if (end === null || event.type !== 'usage') continue;
    const body = { model, created_at: created(), ...shape(whole), done: true, ...end };
    sendJson(exchange.response, 200, body, receiptHeaders(event.receipt));
  }
}

/** @param elapsed ms since the request came */
function createReader(
  elapsed: () => number,
): (event: ChatEvent) => { readonly parts: readonly Part[]; readonly end: object | null } {
  let call: { id: string; index: number; name: string; text: string } | null = null;
  let reason: FinishReason = 'stop';
  let startMs: number | null = null;

  /** A call is told when it is whole. */
  const whole = (): Part[] => {
    if (call === null) return [];
    const { id, index, name, text } = call;
    call = null;
    const made = {
      id,
      function: { index, name, arguments: JSON.parse(text === '' ? '{}' : text) as unknown },
    };
    return [{ ...nothing, toolCalls: [made] }];
  };

  return (event) => {
    switch (event.type) {
      case 'start':
        startMs = elapsed();
        return { parts: [], end: null };
      case 'text': {
        const logprobs = event.logprobs?.map(tokenLogprob) ?? [];
        return { parts: [...whole(), { ...nothing, content: event.text, logprobs }], end: null };
      }
      case 'tool_call': {
        const parts = whole();
        call = { id: event.id, index: event.index, name: event.name, text: '' };
        return { parts, end: null };
      }
      case 'tool_arguments':
        if (call !== null) call.text += event.text;
        return { parts: [], end: null };
      case 'finish':
        reason = event.reason;
        // Cut short, a call may lack its end; Ollama's API has no form for half a call.
        if (reason === 'length' && call !== null && !isJson(call.text)) call = null;
        return { parts: whole(), end: null };
      case 'usage':
        return { parts: [], end: { done_reason: doneReason(reason), ...figures(event, startMs, elapsed()) } };
    }
  };
}

/** Unknown figures are left out. */
function figures(
  { promptTokens, completionTokens, receipt }: Extract<ChatEvent, { type: 'usage' }>,
  startMs: number | null,
  totalMs: number,
): object {
  const { queueMs, prefillMs, decodeMs } = receipt;
  return {
    total_duration: nanoseconds(totalMs),
    // Everything before the engine had the prompt: the model's load, if there was one, template and tokens.
    ...(startMs === null ? {} : { load_duration: nanoseconds(startMs - (queueMs ?? 0)) }),
    ...(promptTokens === null ? {} : { prompt_eval_count: promptTokens }),
    ...(prefillMs === null ? {} : { prompt_eval_duration: nanoseconds(prefillMs) }),
    ...(completionTokens === null ? {} : { eval_count: completionTokens }),
    // From the first token to the last: with one token there is nothing between.
    ...(decodeMs === null || (completionTokens !== null && completionTokens < 2)
      ? {}
      : { eval_duration: nanoseconds(decodeMs) }),
  };
}

/** Calls end an answer like anything else; what was cut by time or by its caller is incomplete. */
function doneReason(reason: FinishReason): 'stop' | 'length' {
  return reason === 'length' || reason === 'aborted' ? 'length' : 'stop';
}

function tokenLogprob(token: TokenLogprobs): object {
  return { ...logprobEntry(token), top_logprobs: token.top.map(logprobEntry) };
}

function logprobEntry({ bytes, logprob }: TokenLogprob) {
  return { token: decoder.decode(bytes), logprob, bytes: [...bytes] };
}

function isJson(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}
