/**
 * How the servers of these tests answer beyond the faults of the mock upstream.
 *
 * @module test/gateway/plays
 */
import type { Play, Stage } from '../upstreams/faults.ts';

type Where = Pick<Stage, 'response' | 'entry'>;

const data = (value: unknown): string => `data: ${JSON.stringify(value)}\n\n`;

/** One event of a streamed answer of OpenAI's API. */
export function chunk({ entry }: Pick<Where, 'entry'>, inner: object): string {
  return data({
    id: 'x',
    object: 'chat.completion.chunk',
    created: 1,
    model: String(entry.body?.model),
    ...inner,
  });
}

/** Headers and these words, a token each; more may follow. */
export function speak(where: Where, words: readonly string[]): void {
  const { response, entry } = where;
  if (!response.headersSent) {
    response.writeHead(200, { 'content-type': 'text/event-stream' });
    response.flushHeaders();
    response.write(
      chunk(where, {
        choices: [{ index: 0, delta: { role: 'assistant', content: '' }, finish_reason: null }],
      }),
    );
  }
  for (const content of words) {
    entry.tokens++;
    response.write(chunk(where, { choices: [{ index: 0, delta: { content }, finish_reason: null }] }));
  }
}

/** The end of an answer, with figures that count its words. `mark`: what says that it is over. */
export function conclude(where: Where, mark = 'data: [DONE]\n\n'): void {
  const { response, entry } = where;
  response.write(chunk(where, { choices: [{ index: 0, delta: {}, finish_reason: 'stop' }] }));
  const usage = { prompt_tokens: 7, completion_tokens: entry.tokens, total_tokens: 7 + entry.tokens };
  response.end(`${chunk(where, { choices: [], usage })}${mark}`);
}

/** A whole answer of these words. */
export function say(where: Where, words: readonly string[]): void {
  speak(where, words);
  conclude(where);
}

/** Words of the answer with which the request ends already. */
export function saidIn({ entry }: Pick<Where, 'entry'>): number {
  const messages = (entry.body?.messages ?? []) as readonly { role: string; content: string }[];
  const last = messages.at(-1);
  return last?.role === 'assistant' ? last.content.split(' ').length - 1 : 0;
}

/** What the last user said. */
export function questionIn({ entry }: Pick<Where, 'entry'>): string {
  const messages = (entry.body?.messages ?? []) as readonly { role: string; content: string }[];
  return messages.findLast(({ role }) => role === 'user')?.content ?? '';
}

/** The whole answer, or what is missing of it when the request ends with its beginning. */
export const goesOn =
  (words: readonly string[]): Play =>
  (stage) =>
    say(stage, words.slice(saidIn(stage)));
