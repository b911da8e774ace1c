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
}

export async function* readCalls(
  events: AsyncIterable<ChatEvent>,
  options: CallParserOptions,
  random: Random,
): AsyncGenerator<ChatEvent> {
  const choices = new Map<number, Choice>();
  const choiceOf = (index: number): Choice => {
    let choice = choices.get(index);
    if (choice === undefined) {
      choice = { parser: createCallParser(options), length: 0, owed: [], calls: 0 };
      choices.set(index, choice);
    }
    return choice;
  };
  for await (const event of events) {
    if (event.type === 'text') {
      const choice = choiceOf(event.choice);
      const from = choice.length;
      choice.length += event.text.length;
      if (event.logprobs !== null && choice.parser.callsAt === null)
        choice.owed.push({ from, text: event.text, logprobs: event.logprobs });
      yield* given(event.choice, choice, choice.parser.push(event.text), random);
    } else if (event.type === 'finish') {
      const choice = choiceOf(event.choice);
      yield* given(event.choice, choice, choice.parser.finish(), random);
      const logprobs = settle(choice);
      if (logprobs !== null) yield { type: 'text', choice: event.choice, text: '', logprobs };
      yield { ...event, reason: reasonOf(event.reason, choice.parser) };
    } else yield event;
  }
}

/** An answer that ended by itself after its calls has called tools; one that a stop string cut within a call is cut. */
function reasonOf(reason: (ChatEvent & { type: 'finish' })['reason'], parser: CallParser) {
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
      const id = callId(random);
      yield { type: 'tool_call', choice: index, index: choice.calls++, id, name: piece.name };
    } else {
      yield { type: 'tool_arguments', choice: index, index: choice.calls - 1, text: piece.text };
    }
  }
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
