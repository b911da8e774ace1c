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
  readonly to: number;
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
        choice.owed.push({ from, to: choice.length, logprobs: event.logprobs });
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
    if (owed.to <= end) out.push(...owed.logprobs);
    else if (callsAt === null) left.push(owed);
    else out.push(...startingBefore(owed, callsAt));
  }
  choice.owed = left;
  return out.length === 0 ? null : out;
}

/** Tokens of one piece that begin before the calls do. */
function startingBefore({ from, logprobs }: Owed, callsAt: number): TokenLogprobs[] {
  const decoder = new TextDecoder('utf-8', { ignoreBOM: true });
  const out: TokenLogprobs[] = [];
  let at = from;
  for (const token of logprobs) {
    if (at >= callsAt) break;
    out.push(token);
    at += decoder.decode(token.bytes, { stream: true }).length;
  }
  return out;
}
