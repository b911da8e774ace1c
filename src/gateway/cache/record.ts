/**
 * Answers as they are kept: events in, one compact value out, and the other way round.
 *
 * Pieces of text that follow each other within a choice become one; what a choice says, in its order, is kept exactly.
 * How the choices were mixed in time is not.
 *
 * @module gateway/cache/record
 */
import type { ChatEvent, ChatRequest } from '../types.ts';
import type { Answer, AnswerPart, CachedReceipt, CacheNote } from './types.ts';

interface OpenCall {
  readonly id: string;
  readonly name: string;
  arguments: string;
  readonly index: number;
}

interface OpenChoice {
  readonly parts: (string | OpenCall)[];
  finish: { reason: 'stop' | 'length' | 'tool_calls'; stop: string | null; slidTokens: number } | null;
}

export interface Recorder {
  /** Takes the next event. */
  add(event: ChatEvent): void;
  /** The answer, once it is whole; null while it is not, and for good when it is none that can be kept. */
  answer(): Answer | null;
}

/** Listens to one answer. Beyond `maxChars` of text, or when there is something it cannot keep, it gives up. */
export function createRecorder(maxChars: number): Recorder {
  const choices: OpenChoice[] = [];
  let start: Extract<ChatEvent, { type: 'start' }> | null = null;
  let usage: Extract<ChatEvent, { type: 'usage' }> | null = null;
  let room = maxChars;
  let lost = false;

  const choiceOf = (index: number): OpenChoice | null => {
    // Choices are numbered from 0 without gaps; a larger number would be a fault of the backend.
    if (!Number.isInteger(index) || index < 0 || index > 1024) return null;
    for (let i = choices.length; i <= index; i++) choices.push({ parts: [], finish: null });
    return choices[index]!;
  };
  const callOf = (choice: OpenChoice, index: number): OpenCall | null => {
    const last = choice.parts.findLast((part) => typeof part !== 'string');
    return last?.index === index ? last : null;
  };

  const take = (event: ChatEvent): boolean => {
    if (usage !== null) return false;
    switch (event.type) {
      case 'start':
        if (start !== null) return false;
        start = event;
        return true;
      case 'text': {
        const choice = choiceOf(event.choice);
        if (choice === null || event.logprobs !== null || choice.finish !== null) return false;
        room -= event.text.length;
        if (event.text === '') return true;
        if (typeof choice.parts.at(-1) === 'string') choice.parts[choice.parts.length - 1] += event.text;
        else choice.parts.push(event.text);
        return true;
      }
      case 'tool_call': {
        const choice = choiceOf(event.choice);
        if (choice === null || choice.finish !== null) return false;
        const calls = choice.parts.filter((part) => typeof part !== 'string').length;
        if (event.index !== calls) return false;
        choice.parts.push({ id: event.id, name: event.name, arguments: '', index: event.index });
        room -= event.id.length + event.name.length;
        return true;
      }
      case 'tool_arguments': {
        const choice = choiceOf(event.choice);
        const call = choice === null ? null : callOf(choice, event.index);
        if (call === null) return false;
        call.arguments += event.text;
        room -= event.text.length;
        return true;
      }
      case 'finish': {
        const choice = choiceOf(event.choice);
        if (choice === null || choice.finish !== null || event.reason === 'aborted') return false;
        choice.finish = { reason: event.reason, stop: event.stop, slidTokens: event.slidTokens };
        return true;
      }
      case 'usage':
        usage = event;
        return true;
    }
  };

  return {
    add(event) {
      if (lost) return;
      if (take(event) && room >= 0) return;
      lost = true;
      choices.length = 0;
    },
    answer() {
      if (lost || start === null || usage === null || choices.length === 0) return null;
      const done = choices.map(({ parts, finish }) =>
        finish === null
          ? null
          : {
              parts: parts.map((part) =>
                typeof part === 'string' ? part : { id: part.id, name: part.name, arguments: part.arguments },
              ),
              ...finish,
            },
      );
      if (!done.every((choice) => choice !== null)) return null;
      return {
        backend: start.backend,
        model: start.model,
        choices: done,
        promptTokens: usage.promptTokens,
        cachedTokens: usage.cachedTokens,
        completionTokens: usage.completionTokens,
        receipt: usage.receipt,
      };
    },
  };
}

/**
 * Whether an answer is worth keeping for the request. One that was cut is kept only when the caller's own limit cut it:
 * a limit of time or of the context may cut elsewhere, or not at all, the next time.
 */
export function isRepeatable(answer: Answer, request: ChatRequest): boolean {
  if (answer.choices.length !== request.n) return false;
  if (answer.choices.every((choice) => choice.reason !== 'length')) return true;
  return request.n === 1 && request.maxTokens !== null && tokensReach(answer, request.maxTokens);
}

/** Not when it is unknown how many there are: then the limit may not have been what cut it. */
function tokensReach({ completionTokens }: Answer, limit: number): boolean {
  return completionTokens !== null && completionTokens >= limit;
}

/** The events of a kept answer, one per part. With a note its receipt says where it came from. */
export function* replay(answer: Answer, note: CacheNote | null): Generator<ChatEvent> {
  const { backend, model, promptTokens, cachedTokens, completionTokens } = answer;
  const known = {
    ...(promptTokens === null ? {} : { promptTokens }),
    ...(cachedTokens === null ? {} : { cachedTokens }),
  };
  yield { type: 'start', backend, model, ...known };
  for (const [choice, { parts, reason, stop, slidTokens }] of answer.choices.entries()) {
    let index = 0;
    for (const part of parts) {
      if (typeof part === 'string') yield { type: 'text', choice, text: part, logprobs: null };
      else yield* replayCall(choice, index++, part);
    }
    yield { type: 'finish', choice, reason, stop, slidTokens };
  }
  const receipt = note === null ? answer.receipt : markedReceipt(answer.receipt, note);
  yield { type: 'usage', promptTokens, cachedTokens, completionTokens, receipt };
}

function* replayCall(choice: number, index: number, call: Exclude<AnswerPart, string>): Generator<ChatEvent> {
  yield { type: 'tool_call', choice, index, id: call.id, name: call.name };
  if (call.arguments !== '') yield { type: 'tool_arguments', choice, index, text: call.arguments };
}

/** A receipt of an answer that was not computed for this request: the times it took are not this request's. */
export function markedReceipt(receipt: CachedReceipt | Answer['receipt'], cache: CacheNote): CachedReceipt {
  return { ...receipt, queueMs: null, prefillMs: null, decodeMs: null, cache };
}
