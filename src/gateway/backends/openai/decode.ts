/**
 * Chunks of OpenAI's streams (chat and completions), as many servers write them, to events.
 *
 * @module gateway/backends/openai/decode
 */
import type { Random } from '../../../base/index.ts';
import type { TokenLogprobs } from '../../../engine/index.ts';
import type { ChatEvent } from '../../types.ts';
import { badResponse, classify, parseJson, type SseFrame } from '../../upstream/index.ts';
import { arrayIn, countIn, isObject, type JsonObject, stringIn } from '../json.ts';
import { AFTER_END, type AnswerDecoder } from '../stream-answer.ts';
import { ToolCalls } from '../tool-calls.ts';
import type { UsageReport } from '../types.ts';
import { finishOf } from './finish.ts';
import { chatLogprobs, completionLogprobs } from './logprobs.ts';

export interface DecoderOptions {
  readonly api: 'chat' | 'completions';
  readonly backend: string;
  /** The model as it was asked for. */
  readonly model: string;
  readonly server: string;
  /** Choices that the answer has to have. */
  readonly choices: number;
  readonly random: Random;
  /** ms since the epoch, for what a refusal says about when to come back. */
  readonly now: () => number;
  readonly secrets: readonly string[];
}

interface Choice {
  readonly calls: ToolCalls;
  finished: boolean;
}

export function createDecoder(options: DecoderOptions): AnswerDecoder {
  const { server } = options;
  const choices = new Map<number, Choice>();
  const notes: string[] = [];
  let started = false;
  let finished = 0;
  let tokens = 0;
  let done = false;
  let usage: UsageReport = { promptTokens: null, cachedTokens: null, completionTokens: null };
  let model: string | null = null;

  function failIfError(value: JsonObject, event: string): void {
    const error = value.error ?? (value.object === 'error' || event === 'error' ? value : null);
    if (error === null || error === false || finished === options.choices) return;
    throw classify({
      server,
      status: null,
      headers: {},
      text: JSON.stringify(error === value ? value : { error }),
      now: options.now(),
      secrets: options.secrets,
    });
  }

  function choiceAt(index: number): Choice {
    let choice = choices.get(index);
    if (choice === undefined) {
      if (index >= options.choices)
        throw badResponse('upstream_bad_chunk', server, `sent choice ${index} of ${options.choices}.`);
      choice = { calls: new ToolCalls(index, options.random, server), finished: false };
      choices.set(index, choice);
    }
    return choice;
  }

  function choiceEvents(value: JsonObject, events: ChatEvent[]): void {
    const index = countIn(value.index) ?? 0;
    const choice = choiceAt(index);
    const delta = isObject(value.delta) ? value.delta : isObject(value.message) ? value.message : {};
    const text =
      options.api === 'chat'
        ? `${textOf(delta.content)}${stringIn(delta.refusal) ?? ''}`
        : (stringIn(value.text) ?? '');
    const pieces = piecesOf(delta);
    const thinking = stringIn(delta.reasoning_content) ?? stringIn(delta.reasoning) ?? '';
    if (choice.finished) {
      if (text === '' && pieces.length === 0) return;
      throw badResponse(AFTER_END, server, `went on with choice ${index} after its end.`);
    }
    const logprobs = logprobsOf(value.logprobs);
    if (text !== '' || logprobs !== null) {
      tokens++;
      events.push({ type: 'text', choice: index, text, logprobs });
    } else if (thinking !== '' || pieces.length > 0 || arrayIn(delta.content).length > 0) tokens++;
    for (const piece of pieces) events.push(...choice.calls.add(piece));
    const word = stringIn(value.finish_reason);
    if (word === null || word === '') return;
    const { reason: said, known } = finishOf(word, server);
    if (!known)
      notes.push(`${server} ended its answer for the reason '${word.slice(0, 60)}', taken as a stop.`);
    // Some servers say `stop` after calls, some `tool_calls` after none.
    const called = choice.calls.count > 0;
    const reason =
      called && said === 'stop' ? 'tool_calls' : !called && said === 'tool_calls' ? 'stop' : said;
    events.push(...choice.calls.finish(reason));
    const stop = stringIn(value.stop_reason) ?? stringIn(value.matched_stop);
    events.push({ type: 'finish', choice: index, reason, stop, slidTokens: 0 });
    choice.finished = true;
    finished++;
  }

  function logprobsOf(value: unknown): TokenLogprobs[] | null {
    if (!isObject(value)) return null;
    return options.api === 'chat' ? chatLogprobs(value) : completionLogprobs(value);
  }

  function decode(value: unknown, event: string): ChatEvent[] {
    if (!isObject(value))
      throw badResponse('upstream_bad_chunk', server, 'sent a chunk that is no JSON object.');
    failIfError(value, event);
    const list = arrayIn(value.choices);
    if (model === null && typeof value.model === 'string' && value.model !== '')
      model = value.model.slice(0, 200);
    const events: ChatEvent[] = [];
    if (list.length > 0 && !started) {
      started = true;
      events.push({ type: 'start', backend: options.backend, model: model ?? options.model });
    }
    for (const choice of list) {
      if (!isObject(choice))
        throw badResponse('upstream_bad_chunk', server, 'sent a choice that is no JSON object.');
      choiceEvents(choice, events);
    }
    // The last count stands: some report with every chunk, some beside the last choice, some in parts.
    for (const report of reportsIn(value)) usage = usageOf(report, usage);
    return events;
  }

  return {
    frame({ event, data }: SseFrame) {
      if (data.trim() === '[DONE]') {
        done = true;
        return [];
      }
      if (data.trim() === '') return [];
      return decode(parseJson(data, server), event);
    },
    whole(body) {
      const events = decode(body, 'message');
      done = true;
      if (events.length === 0)
        throw badResponse('upstream_bad_chunk', server, 'answered with JSON that holds no choices.');
      return events;
    },
    get done() {
      return done;
    },
    get complete() {
      return finished === options.choices;
    },
    get tokens() {
      return tokens;
    },
    get usage() {
      return usage;
    },
    get model() {
      return model;
    },
    notes,
  };
}

/** Text of a delta: a string, or parts of which those of thinking are left out (Mistral). */
function textOf(content: unknown): string {
  if (typeof content === 'string') return content;
  let text = '';
  for (const part of arrayIn(content))
    if (isObject(part) && part.type === 'text') text += stringIn(part.text) ?? '';
  return text;
}

function piecesOf(delta: JsonObject) {
  const list = arrayIn(delta.tool_calls).filter(isObject);
  // The form that functions had before tools.
  if (list.length === 0 && isObject(delta.function_call))
    list.push({ index: 0, function: delta.function_call });
  return list.map((call) => {
    const fn = isObject(call.function) ? call.function : {};
    const args = fn.arguments;
    return {
      index: countIn(call.index),
      id: stringIn(call.id) || null,
      name: stringIn(fn.name),
      args: typeof args === 'string' ? args : args === undefined || args === null ? '' : JSON.stringify(args),
    };
  });
}

/** Where servers put their reports: beside the choices, inside them (Moonshot), or in a place of their own (Groq). */
export function reportsIn(value: JsonObject): JsonObject[] {
  const inside = arrayIn(value.choices).map((choice) => (isObject(choice) ? choice.usage : null));
  const own = isObject(value.x_groq) ? value.x_groq.usage : null;
  return [...inside, own, value.usage].filter(isObject);
}

/** What a report says, over what was reported before it. */
export function usageOf(value: JsonObject, before: UsageReport): UsageReport {
  const details = isObject(value.prompt_tokens_details) ? value.prompt_tokens_details : {};
  const cached = countIn(details.cached_tokens) ?? countIn(value.prompt_cache_hit_tokens);
  return {
    promptTokens: countIn(value.prompt_tokens) ?? before.promptTokens,
    cachedTokens: cached ?? before.cachedTokens,
    completionTokens: countIn(value.completion_tokens) ?? before.completionTokens,
  };
}
