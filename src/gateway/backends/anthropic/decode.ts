/**
 * Events of Anthropic's message streams to events. Blocks of thinking and of the server's own tools become nothing.
 *
 * @module gateway/backends/anthropic/decode
 */
import type { Random } from '../../../base/index.ts';
import type { ChatEvent, FinishReason } from '../../types.ts';
import { badResponse, classify, parseJson, type SseFrame, UpstreamError } from '../../upstream/index.ts';
import { arrayIn, countIn, isObject, type JsonObject, stringIn } from '../json.ts';
import { AFTER_END, type AnswerDecoder } from '../stream-answer.ts';
import { ToolCalls } from '../tool-calls.ts';
import type { UsageReport } from '../types.ts';

export interface MessageDecoderOptions {
  readonly backend: string;
  readonly model: string;
  readonly server: string;
  readonly random: Random;
  /** ms since the epoch. */
  readonly now: () => number;
  readonly secrets: readonly string[];
}

const REASONS: Readonly<Record<string, FinishReason>> = {
  end_turn: 'stop',
  stop_sequence: 'stop',
  pause_turn: 'stop',
  max_tokens: 'length',
  model_context_window_exceeded: 'length',
  tool_use: 'tool_calls',
};

export function createMessageDecoder(options: MessageDecoderOptions): AnswerDecoder {
  const { server } = options;
  const calls = new ToolCalls(0, options.random, server);
  const notes: string[] = [];
  /** Kind of each open block by its index; a tool's block holds the input that it began with. */
  const blocks = new Map<number, { readonly tool: boolean; input: string; pieces: boolean }>();
  let model: string | null = null;
  let started = false;
  let complete = false;
  let done = false;
  let tokens = 0;
  const counts: Record<'input' | 'read' | 'created' | 'output', number | null> = {
    input: null,
    read: null,
    created: null,
    output: null,
  };

  const bad = (what: string): UpstreamError => badResponse('upstream_bad_chunk', server, what);

  function count(value: unknown): void {
    if (!isObject(value)) return;
    counts.input = countIn(value.input_tokens) ?? counts.input;
    counts.read = countIn(value.cache_read_input_tokens) ?? counts.read;
    counts.created = countIn(value.cache_creation_input_tokens) ?? counts.created;
    counts.output = countIn(value.output_tokens) ?? counts.output;
  }

  /** The API counts what was read from a cache and what was written to one apart from the rest of the prompt. */
  function usage(): UsageReport {
    const { input, read, created, output } = counts;
    return {
      promptTokens: input === null ? null : input + (read ?? 0) + (created ?? 0),
      cachedTokens: read,
      completionTokens: output,
    };
  }

  function begin(message: JsonObject): ChatEvent[] {
    if (started) throw bad('began its answer twice.');
    model = stringIn(message.model)?.slice(0, 200) ?? null;
    count(message.usage);
    started = true;
    const { promptTokens, cachedTokens } = usage();
    const known = {
      ...(promptTokens === null ? {} : { promptTokens }),
      ...(cachedTokens === null ? {} : { cachedTokens }),
    };
    return [{ type: 'start', backend: options.backend, model: model ?? options.model, ...known }];
  }

  function text(value: unknown): ChatEvent[] {
    const said = stringIn(value) ?? '';
    if (said === '') return [];
    tokens++;
    return [{ type: 'text', choice: 0, text: said, logprobs: null }];
  }

  function goOn(): void {
    if (complete) throw badResponse(AFTER_END, server, 'went on after its end.');
  }

  function openBlock(index: number, block: JsonObject): ChatEvent[] {
    const tool = block.type === 'tool_use';
    const given = isObject(block.input) && Object.keys(block.input).length > 0;
    goOn();
    blocks.set(index, { tool, input: given ? JSON.stringify(block.input) : '', pieces: false });
    tokens++;
    if (block.type === 'text') return text(block.text);
    if (!tool) return [];
    return calls.add({ index, id: stringIn(block.id) || null, name: stringIn(block.name), args: '' });
  }

  function delta(index: number, value: JsonObject): ChatEvent[] {
    const block = blocks.get(index);
    if (block === undefined) throw bad('sent a piece of a block that has not begun.');
    goOn();
    tokens++;
    if (value.type === 'text_delta') return text(value.text);
    if (value.type !== 'input_json_delta' || !block.tool) return [];
    const args = stringIn(value.partial_json) ?? '';
    if (args !== '') block.pieces = true;
    return calls.add({ index, id: null, name: null, args });
  }

  function closeBlock(index: number): ChatEvent[] {
    const block = blocks.get(index);
    blocks.delete(index);
    if (block === undefined || !block.tool || block.pieces || block.input === '' || complete) return [];
    return calls.add({ index, id: null, name: null, args: block.input });
  }

  /** The answer is whole with its reason; `message_stop` only says so again. */
  function end(value: JsonObject): ChatEvent[] {
    const word = stringIn(value.stop_reason);
    if (word === null || complete) return [];
    if (word === 'refusal')
      throw new UpstreamError(
        'content_filter',
        'content_filter',
        `${server} declined to answer this request.`,
      );
    const known = REASONS[word];
    if (known === undefined)
      notes.push(`${server} ended its answer for the reason '${word.slice(0, 60)}', taken as a stop.`);
    const said = known ?? 'stop';
    const called = calls.count > 0;
    const reason =
      called && said === 'stop' ? 'tool_calls' : !called && said === 'tool_calls' ? 'stop' : said;
    const events = calls.finish(reason);
    complete = true;
    const stop = stringIn(value.stop_sequence);
    return [...events, { type: 'finish', choice: 0, reason, stop, slidTokens: 0 }];
  }

  function fail(value: JsonObject): never {
    throw classify({
      server,
      status: null,
      headers: {},
      text: JSON.stringify(value),
      now: options.now(),
      secrets: options.secrets,
    });
  }

  return {
    frame({ event, data }: SseFrame) {
      if (data.trim() === '') return [];
      const value = parseJson(data, server);
      if (!isObject(value)) throw bad('sent an event that is no JSON object.');
      const type = stringIn(value.type) ?? event;
      if (!complete && (type === 'error' || (value.error ?? null) !== null)) fail(value);
      if (type === 'ping') return [];
      const index = countIn(value.index) ?? 0;
      const inner = (name: string): JsonObject => {
        const each = value[name];
        if (!isObject(each)) throw bad(`sent ${type.slice(0, 60)} without ${name}.`);
        return each;
      };
      if (type === 'message_start') return begin(inner('message'));
      if (!started) throw bad(`sent ${type.slice(0, 60)} before message_start.`);
      switch (type) {
        case 'content_block_start':
          return openBlock(index, inner('content_block'));
        case 'content_block_delta':
          return delta(index, inner('delta'));
        case 'content_block_stop':
          return closeBlock(index);
        case 'message_delta':
          count(value.usage);
          return end(inner('delta'));
        case 'message_stop':
          done = true;
          return [];
        default:
          // The API adds events over time and asks clients to pass over them.
          return [];
      }
    },
    whole(body) {
      if (!isObject(body)) throw bad('answered with what is no JSON object.');
      if (body.type === 'error' || isObject(body.error)) fail(body);
      if (body.type !== 'message') throw bad('answered with JSON that is no message.');
      const events = begin(body);
      for (const [index, block] of arrayIn(body.content).entries())
        if (isObject(block)) events.push(...openBlock(index, block), ...closeBlock(index));
      done = true;
      return [...events, ...end(body)];
    },
    get done() {
      return done;
    },
    get complete() {
      return complete;
    },
    get tokens() {
      return tokens;
    },
    get usage() {
      return usage();
    },
    get model() {
      return model;
    },
    notes,
  };
}
