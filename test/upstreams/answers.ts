/**
 * What the mock upstream answers when nothing fails: the words of a counting answer, frame by frame, in each API.
 *
 * @module test/upstreams/answers
 */
import type { ServerResponse } from 'node:http';
import type { Seen } from './index.ts';

export type Api = 'chat' | 'completions' | 'anthropic' | 'embeddings' | 'models';

export interface Frame {
  readonly text: string;
  readonly token: boolean;
}

export interface Answer {
  readonly api: Api;
  /** Frames of the stream: what begins it, `words` tokens, what ends it. */
  readonly frames: readonly Frame[];
  /** One token's frame. */
  token(index: number): string;
  /** The same answer as one JSON value. */
  readonly json: unknown;
  /** An error as this API writes it. */
  error(type: string, message: string): unknown;
}

/** Tokens of each answer. */
export const WORDS = 20;
export const USAGE = { prompt: 11, cached: 3, completion: WORDS };
export const word = (index: number): string => `word${index} `;
export const ANSWER_TEXT = Array.from({ length: WORDS }, (_, index) => word(index)).join('');

const data = (value: unknown): string => `data: ${JSON.stringify(value)}\n\n`;
const named = (value: { type: string }): string => `event: ${value.type}\n${data(value)}`;

export function jsonAnswer(response: ServerResponse, value: unknown, status = 200): void {
  response.writeHead(status, { 'content-type': 'application/json' });
  response.end(JSON.stringify(value));
}

export function answerOf(api: Api, { body }: Pick<Seen, 'body'>): Answer {
  const model = typeof body?.model === 'string' ? body.model : 'mock-model';
  const tokens = (token: (index: number) => string) =>
    Array.from({ length: WORDS }, (_, index) => ({ text: token(index), token: true }));
  const frame = (text: string): Frame => ({ text, token: false });
  if (api === 'anthropic') return anthropic(model, tokens, frame);
  const error = (type: string, message: string) => ({ error: { message, type, param: null, code: null } });
  if (api === 'models') {
    const list = ['mock-model', 'mock-embed'].map((id) => ({
      id,
      object: 'model',
      created: 1,
      owned_by: 'mock',
    }));
    return { api, frames: [], token: () => '', json: { object: 'list', data: list }, error };
  }
  if (api === 'embeddings') return embeddings(model, body, error);
  const chat = api === 'chat';
  const head = {
    id: 'mock-1',
    object: chat ? 'chat.completion.chunk' : 'text_completion',
    created: 1,
    model,
  };
  const chunk = (inner: object, reason: string | null = null) =>
    data({ ...head, choices: [{ index: 0, ...inner, finish_reason: reason }] });
  const token = (index: number) => chunk(chat ? { delta: { content: word(index) } } : { text: word(index) });
  const usage = {
    prompt_tokens: USAGE.prompt,
    completion_tokens: USAGE.completion,
    total_tokens: USAGE.prompt + USAGE.completion,
    prompt_tokens_details: { cached_tokens: USAGE.cached },
  };
  const options = body?.stream_options as { include_usage?: boolean } | undefined;
  return {
    api,
    frames: [
      ...(chat ? [frame(chunk({ delta: { role: 'assistant', content: '' } }))] : []),
      ...tokens(token),
      frame(chunk(chat ? { delta: {} } : { text: '' }, 'stop')),
      ...(options?.include_usage === true ? [frame(data({ ...head, choices: [], usage }))] : []),
      frame('data: [DONE]\n\n'),
    ],
    token,
    json: {
      ...head,
      object: chat ? 'chat.completion' : 'text_completion',
      choices: [
        {
          index: 0,
          ...(chat ? { message: { role: 'assistant', content: ANSWER_TEXT } } : { text: ANSWER_TEXT }),
          finish_reason: 'stop',
        },
      ],
      usage,
    },
    error,
  };
}

function anthropic(
  model: string,
  tokens: (token: (index: number) => string) => Frame[],
  frame: (text: string) => Frame,
): Answer {
  const usage = {
    input_tokens: USAGE.prompt - USAGE.cached,
    cache_read_input_tokens: USAGE.cached,
    cache_creation_input_tokens: 0,
  };
  const message = { id: 'msg_1', type: 'message', role: 'assistant', model, content: [] as unknown[] };
  const token = (index: number) =>
    named({
      type: 'content_block_delta',
      ...{ index: 0, delta: { type: 'text_delta', text: word(index) } },
    });
  const delta = { stop_reason: 'end_turn', stop_sequence: null };
  return {
    api: 'anthropic',
    frames: [
      frame(
        named({
          type: 'message_start',
          ...{ message: { ...message, usage: { ...usage, output_tokens: 1 } } },
        }),
      ),
      frame(
        named({ type: 'content_block_start', ...{ index: 0, content_block: { type: 'text', text: '' } } }),
      ),
      frame(named({ type: 'ping' })),
      ...tokens(token),
      frame(named({ type: 'content_block_stop', ...{ index: 0 } })),
      frame(named({ type: 'message_delta', ...{ delta, usage: { output_tokens: USAGE.completion } } })),
      frame(named({ type: 'message_stop' })),
    ],
    token,
    json: {
      ...message,
      content: [{ type: 'text', text: ANSWER_TEXT }],
      ...delta,
      usage: { ...usage, output_tokens: USAGE.completion },
    },
    error: (type, text) => ({ type: 'error', error: { type, message: text } }),
  };
}

/** Vectors of four numbers that tell inputs apart: length, first and last character, 1. */
export function vectorOf(input: unknown): number[] {
  const text = typeof input === 'string' ? input : JSON.stringify(input);
  return [text.length, text.charCodeAt(0) || 0, text.charCodeAt(text.length - 1) || 0, 1];
}

function embeddings(model: string, body: Seen['body'], error: Answer['error']): Answer {
  const inputs = Array.isArray(body?.input) ? body.input : [body?.input];
  const rows = inputs.map((input, index) => {
    const vector = Float32Array.from(vectorOf(input));
    const packed = Buffer.from(vector.buffer).toString('base64');
    return {
      object: 'embedding',
      index,
      embedding: body?.encoding_format === 'base64' ? packed : [...vector],
    };
  });
  const usage = { prompt_tokens: inputs.length, total_tokens: inputs.length };
  // Out of order: the index says which is which.
  return {
    api: 'embeddings',
    frames: [],
    token: () => '',
    json: { object: 'list', model, data: rows.reverse(), usage },
    error,
  };
}
