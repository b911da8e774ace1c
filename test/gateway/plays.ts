/**
 * How the servers of these tests answer beyond the faults of the mock upstream.
 *
 * @module test/gateway/plays
 */
import { WORDS, word } from '../upstreams/answers.ts';
import type { Play, Stage } from '../upstreams/faults.ts';

const sse = { 'content-type': 'text/event-stream' };

/** Headers, what begins the stream, and `count` tokens. */
export function begin({ response, answer, entry }: Stage, count: number): void {
  response.writeHead(200, sse);
  response.flushHeaders();
  for (const frame of answer.frames) {
    if (frame.token && entry.tokens === count) break;
    response.write(frame.text);
    if (frame.token) entry.tokens++;
  }
}

/** Falls silent after `count` tokens. */
export const stallsAfter =
  (count: number): Play =>
  (stage) =>
    begin(stage, count);

/** Ends the connection after `count` tokens. */
export const cutAfter =
  (count: number): Play =>
  (stage) => {
    begin(stage, count);
    stage.response.socket?.destroySoon();
  };

/** The whole answer, or what is missing of it when the request ends with its beginning. */
export const goesOn: Play = ({ response, answer, entry }) => {
  const messages = (entry.body?.messages ?? []) as readonly { role: string; content: string }[];
  const last = messages.at(-1);
  const said = last?.role === 'assistant' ? last.content.split(' ').length - 1 : 0;
  response.writeHead(200, sse);
  for (const frame of answer.frames) {
    if (frame.token && entry.tokens++ < said) continue;
    response.write(frame.text);
  }
  response.end();
};

/** A whole answer of these words, streamed, with figures that count them. */
export function say({ response, entry }: Pick<Stage, 'response' | 'entry'>, words: readonly string[]): void {
  const model = String(entry.body?.model);
  const data = (value: object) =>
    `data: ${JSON.stringify({ id: 'x', object: 'chat.completion.chunk', created: 1, model, ...value })}\n\n`;
  const chunk = (delta: object, finish_reason: string | null = null) =>
    data({ choices: [{ index: 0, delta, finish_reason }] });
  response.writeHead(200, sse);
  for (const content of words) response.write(chunk({ content }));
  response.write(chunk({}, 'stop'));
  const usage = { prompt_tokens: 1, completion_tokens: words.length, total_tokens: 1 + words.length };
  response.end(`${data({ choices: [], usage })}data: [DONE]\n\n`);
}

export const allWords = Array.from({ length: WORDS }, (_, index) => word(index));
