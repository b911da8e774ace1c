/**
 * Turns the text of an answer into text and calls.
 *
 * @module gateway/tools/answer
 */
import type { Random } from '../../base/index.ts';
import type { TokenLogprobs } from '../../engine/index.ts';
import type { ChatEvent } from '../types.ts';
import { type CallParser, type CallParserOptions, createCallParser, type Piece } from './call-parser.ts';

const LETTERS = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789';
const ID_LENGTH = 24;

/** `call_` and 24 letters and digits. */
export function callId(random: Random): string {
  let id = 'call_';
  for (let i = 0; i < ID_LENGTH; i++) id += LETTERS[random.uint32() % LETTERS.length];
  return id;
}

/**
 * Small models repeat themselves: an answer ends after a call that was made before with the same arguments this many times,
 * or after this many calls.
 */
const MOST_ALIKE = 3;
const MOST_CALLS = 64;

/** Log probabilities of a stretch of the answer that is not given out yet. */
interface Owed {
  readonly from: number;
  readonly text: string;
  readonly logprobs: readonly TokenLogprobs[];
}

interface Choice {
  readonly parser: CallParser;
  /** UTF-16 units that came. */
  length: number;
  owed: Owed[];
  /** Calls announced. */
  calls: number;
  /** The call that is being written. */
  current: { readonly name: string; text: string } | null;
  /** How often each call was made. */
  readonly made: Map<string, number>;
  /** Ended from here: what still comes is not looked at. */
  ended: boolean;
}

/**
 * @param random source of the ids of calls
 * @param end asked to end a choice that calls in circles; its `finish` still comes
 */
export async function* readCalls(
  events: AsyncIterable<ChatEvent>,
  options: CallParserOptions,
  random: Random,
  end: (choice: number) => void,
): AsyncGenerator<ChatEvent> {
  const choices = new Map<number, Choice>();
  const choiceOf = (index: number): Choice => {
    let choice = choices.get(index);
    if (choice === undefined) {
      const parser = createCallParser(options);
      choice = { parser, length: 0, owed: [], calls: 0, current: null, made: new Map(), ended: false };
      choices.set(index, choice);
    }
    return choice;
  };
  for await (const event of events) {
    if (event.type === 'text') {
      const choice = choiceOf(event.choice);
      if (choice.ended) continue;
      const from = choice.length;
      choice.length += event.text.length;
      if (event.logprobs !== null && choice.parser.callsAt === null)
        choice.owed.push({ from, text: event.text, logprobs: event.logprobs });
      yield* given(event.choice, choice, choice.parser.push(event.text), random);
      if (choice.parser.whole) countCall(choice);
      if (choice.ended) end(event.choice);
    } else if (event.type === 'finish') {
      const choice = choiceOf(event.choice);
      yield* given(event.choice, choice, choice.parser.finish(), random);
      const logprobs = settle(choice);
      if (logprobs !== null) yield { type: 'text', choice: event.choice, text: '', logprobs };
      yield { ...event, reason: reasonOf(event.reason, choice) };
    } else yield event;
  }
}

/** An answer that ended by itself after its calls has called tools; one that a stop string cut within a call is cut. */
function reasonOf(reason: (ChatEvent & { type: 'finish' })['reason'], { parser, ended }: Choice) {
  if (ended) return 'tool_calls';
  if (reason !== 'stop' || parser.callsAt === null) return reason;
  return parser.calls > 0 && parser.whole ? 'tool_calls' : 'length';
}

function* given(
  index: number,
  choice: Choice,
  pieces: readonly Piece[],
  random: Random,
): Generator<ChatEvent> {
  for (const piece of pieces) {
    if (piece.type === 'text') {
      yield { type: 'text', choice: index, text: piece.text, logprobs: settle(choice) };
    } else if (piece.type === 'call') {
      countCall(choice);
      if (choice.ended) return;
      choice.current = { name: piece.name, text: '' };
      yield { type: 'tool_call', choice: index, index: choice.calls++, id: callId(random), name: piece.name };
    } else {
      choice.current!.text += piece.text;
      yield { type: 'tool_arguments', choice: index, index: choice.calls - 1, text: piece.text };
    }
  }
}

/** Notes the call that was completed, and whether there are enough. */
function countCall(choice: Choice): void {
  const { current, made } = choice;
  if (current === null) return;
  choice.current = null;
  const key = `${current.name} ${current.text}`;
  const times = (made.get(key) ?? 0) + 1;
  made.set(key, times);
  if (times >= MOST_ALIKE || choice.calls >= MOST_CALLS) choice.ended = true;
}

/** Log probabilities of all text given out so far. Those of what became a call are dropped. */
function settle(choice: Choice): readonly TokenLogprobs[] | null {
  const { settled, callsAt } = choice.parser;
  const end = callsAt ?? settled;
  const out: TokenLogprobs[] = [];
  const left: Owed[] = [];
  for (const owed of choice.owed) {
    if (owed.from + owed.text.length <= end) out.push(...owed.logprobs);
    else if (callsAt === null) left.push(owed);
    else out.push(...startingBefore(owed, callsAt));
  }
  choice.owed = left;
  return out.length === 0 ? null : out;
}

/** Tokens of one piece that begin before the calls do: without those at its end that are all call. */
function startingBefore({ from, text, logprobs }: Owed, callsAt: number): readonly TokenLogprobs[] {
  let left = Buffer.byteLength(text.slice(Math.max(0, callsAt - from)));
  let count = logprobs.length;
  while (count > 0 && left >= logprobs[count - 1]!.bytes.length) left -= logprobs[--count]!.bytes.length;
  return logprobs.slice(0, count);
}
