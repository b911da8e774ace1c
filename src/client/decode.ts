/**
 * Events of a stream, as servers send them, to events of an answer. What servers get wrong in harmless ways (calls
 * without index or id, an end without `[DONE]`) is taken as it was meant; an error inside a stream is an error.
 *
 * @module client/decode
 */
import { errorFrom, recordOf } from './attempts.ts';
import { ResponseError } from './errors.ts';
import type { ServerEvent } from './sse.ts';
import type { Received } from './transport.ts';
import type { AnswerEvent } from './types.ts';

export interface Decoder {
  /** What the event means; throws ApiError for an error, ResponseError for what is no event of this API. */
  decode(event: ServerEvent): AnswerEvent[];
  /** The server said that this is the end. */
  over(): boolean;
  /** Every choice that began has finished: the end may come without a word. */
  complete(): boolean;
}

export interface Source {
  readonly node: string;
  readonly headers: Received['headers'];
}

type Fields = Record<string, unknown>;

/** For `/v1/chat/completions` and `/v1/completions`. */
export function createOpenAiDecoder({ node, headers }: Source): Decoder {
  let started = false;
  let over = false;
  const finished = new Map<number, boolean>();
  /** Last call of each choice. */
  const calls = new Map<number, { index: number; id: string }>();

  const callEvents = (choice: number, delta: Fields): AnswerEvent[] => {
    const fn = recordOf(delta.function) ?? {};
    const [id, name, args] = [text(delta.id), text(fn.name), text(fn.arguments)];
    const last = calls.get(choice);
    const named = count(delta.index);
    // Without an index a new id, or a name without one, begins the next call.
    const begins =
      named === null
        ? last === undefined || (id !== '' ? id !== last.id : name !== '')
        : named !== last?.index;
    const index = named ?? (last === undefined ? 0 : last.index + (begins ? 1 : 0));
    const events: AnswerEvent[] = [];
    if (begins) {
      calls.set(choice, { index, id });
      events.push({ type: 'tool_call', choice, index, id, name });
    }
    if (args !== '') events.push({ type: 'tool_arguments', choice, index, text: args });
    return events;
  };

  const choiceEvents = (fields: Fields): AnswerEvent[] => {
    const choice = count(fields.index) ?? 0;
    const delta = recordOf(fields.delta) ?? {};
    const events: AnswerEvent[] = [];
    if (!finished.has(choice)) finished.set(choice, false);
    const reasoning = text(delta.reasoning_content) || text(delta.reasoning);
    const content = text(delta.content) || text(fields.text);
    if (reasoning !== '') events.push({ type: 'reasoning', choice, text: reasoning });
    if (content !== '') events.push({ type: 'text', choice, text: content });
    for (const call of arrayOf(delta.tool_calls)) events.push(...callEvents(choice, recordOf(call) ?? {}));
    if (typeof fields.finish_reason === 'string' && finished.get(choice) === false) {
      finished.set(choice, true);
      events.push({ type: 'finish', choice, reason: fields.finish_reason });
    }
    return events;
  };

  return {
    over: () => over,
    complete: () => finished.size > 0 && [...finished.values()].every(Boolean),
    decode({ event, data }) {
      if (data === '[DONE]') {
        over = true;
        return [];
      }
      const chunk = parse(data, node);
      failOn(event, chunk, { node, headers });
      const events: AnswerEvent[] = [];
      if (!started) {
        started = true;
        events.push({
          type: 'start',
          id: text(chunk.id),
          model: text(chunk.model),
          node,
          requestId: requestIdOf(headers),
        });
      }
      for (const choice of arrayOf(chunk.choices)) events.push(...choiceEvents(recordOf(choice) ?? {}));
      const usage = recordOf(chunk.usage);
      if (usage !== null || chunk.kith !== undefined) {
        events.push({
          type: 'usage',
          promptTokens: count(usage?.prompt_tokens),
          completionTokens: count(usage?.completion_tokens),
          cachedTokens: count(recordOf(usage?.prompt_tokens_details)?.cached_tokens),
          receipt: chunk.kith ?? null,
        });
      }
      return events;
    },
  };
}

/** For NS-LLM's `/generate`: `meta`, `token`, `done`, `error`. */
export function createGenerateDecoder({ node, headers }: Source): Decoder {
  let over = false;
  return {
    over: () => over,
    complete: () => over,
    decode({ event, data }) {
      const fields = parse(data, node);
      failOn(event, fields, { node, headers });
      if (event === 'meta') {
        return [{ type: 'start', id: '', model: text(fields.model), node, requestId: requestIdOf(headers) }];
      }
      if (event === 'token') return [{ type: 'text', choice: 0, text: text(fields.token) }];
      if (event !== 'done') return [];
      over = true;
      const reason = text(fields.stop_reason);
      return [
        { type: 'finish', choice: 0, reason: reason === 'max_tokens' ? 'length' : 'stop' },
        {
          type: 'usage',
          promptTokens: null,
          completionTokens: count(fields.tokens_generated),
          cachedTokens: null,
          receipt: null,
        },
      ];
    },
  };
}

function failOn(event: string, fields: Fields, { node, headers }: Source): void {
  const error =
    recordOf(fields.error) ??
    (typeof fields.error === 'string' ? { ...fields, message: fields.error } : null);
  if (error === null && event !== 'error') return;
  const said = error ?? fields;
  throw errorFrom(said, statusOf(said), headers, node);
}

/** An error inside a stream came after the status; its words say what it would have been. */
function statusOf(said: Fields): number {
  if (typeof said.status === 'number' && said.status >= 400 && said.status <= 599) return said.status;
  const words = `${text(said.type)} ${text(said.code)}`;
  if (/rate_limit|overloaded/.test(words)) return 429;
  if (/authentication/.test(words)) return 401;
  if (/permission/.test(words)) return 403;
  return /invalid_request/.test(words) ? 400 : 500;
}

export function parse(data: string, node: string): Fields {
  try {
    const fields = recordOf(JSON.parse(data));
    if (fields !== null) return fields;
  } catch {
    // Said below.
  }
  throw new ResponseError(
    'response_malformed',
    `${node} sent something that is no JSON object: ${data.slice(0, 80)}`,
    {
      node,
    },
  );
}

export function requestIdOf(headers: Received['headers']): string | null {
  const id = headers['x-request-id'];
  return typeof id === 'string' ? id : null;
}

export const text = (value: unknown): string => (typeof value === 'string' ? value : '');
export const count = (value: unknown): number | null =>
  typeof value === 'number' && Number.isSafeInteger(value) && value >= 0 ? value : null;
export const arrayOf = (value: unknown): readonly unknown[] => (Array.isArray(value) ? value : []);
