/**
 * The conversation of Anthropic's API as the engine's messages: tool results are messages of their own, consecutive
 * turns of a role are one, and the beginning of the answer that a last assistant message gives stands apart.
 *
 * @module server/anthropic/conversation
 */
import { InputError } from '../../base/index.ts';
import type { ChatMessage } from '../../engine/index.ts';
import type { Message, SystemText } from './blocks.ts';

export interface Conversation {
  readonly messages: readonly ChatMessage[];
  /** For each of `messages`: index of the client's message it came from; null for the system text. */
  readonly origins: readonly (number | null)[];
  /** Text that the answer begins with; null without one. */
  readonly prefill: string | null;
}

/** Between turns that become one, and between a client's blocks of text. */
const betweenTurns = '\n\n';
const betweenBlocks = '\n';

type AssistantBlocks = Extract<Message, { role: 'assistant' }>['content'];
type UserBlocks = readonly Extract<Message, { role: 'user' }>['content'][number][];

const joined = (blocks: SystemText): string => blocks.map((block) => block.text).join(betweenBlocks);

function refuse(index: number, what: string): InputError {
  const param = `messages[${index}].content`;
  return new InputError('invalid_value', `${param}: ${what}`, { param });
}

/** Throws `InputError` naming the message that does not fit. */
export function conversationOf(system: SystemText | undefined, list: readonly Message[]): Conversation {
  const messages: ChatMessage[] = [];
  const origins: (number | null)[] = [];
  const push = (message: ChatMessage, origin: number | null) => {
    messages.push(message);
    origins.push(origin);
  };
  const [leading, rest] = leadingSystem(system, list);
  if (leading !== '') push({ role: 'system', content: leading }, null);

  /** Calls of the assistant turn before, by id: what a tool result may answer. */
  let calls = new Map<string, string>();
  let results: { readonly message: ChatMessage; readonly origin: number }[] = [];
  let texts: string[] = [];
  let textOrigin = 0;
  const endUserTurn = () => {
    // Results stand next to the calls they answer, whatever the client wrote between.
    for (const { message, origin } of results) push(message, origin);
    if (texts.length > 0) push({ role: 'user', content: texts.join(betweenTurns) }, textOrigin);
    results = [];
    texts = [];
  };

  for (const [index, message] of list.entries()) {
    if (index < rest) continue;
    if (message.role === 'assistant') {
      endUserTurn();
      const turn = assistantTurn(message.content);
      if (turn === null) continue;
      const before = messages.at(-1);
      if (before?.role === 'assistant') {
        messages[messages.length - 1] = mergedTurns(before, turn.message);
        for (const [id, name] of turn.calls) calls.set(id, name);
      } else {
        push(turn.message, index);
        calls = turn.calls;
      }
      continue;
    }
    const blocks: UserBlocks = message.content;
    const own = blocks.filter((block) => block.type === 'text');
    const answered = blocks.filter((block) => block.type === 'tool_result');
    for (const block of answered) {
      const name = calls.get(block.tool_use_id);
      if (name === undefined) {
        throw refuse(
          index,
          `the assistant message before has no tool_use '${block.tool_use_id.slice(0, 80)}' that this tool_result could answer`,
        );
      }
      const said = block.content === undefined ? '' : joined(block.content);
      // Templates have no place for failure; without a word the model would take the text for a result.
      const content = block.is_error === true ? `Error: ${said}` : said;
      results.push({
        message: { role: 'tool', content, name, tool_call_id: block.tool_use_id },
        origin: index,
      });
    }
    if (own.length === 0 && answered.length === 0) throw refuse(index, 'must not be empty');
    if (own.length > 0) {
      // Most templates take a system message at the beginning only; a later one joins the user's turn.
      if (texts.length === 0) textOrigin = index;
      texts.push(joined(own));
    }
  }
  endUserTurn();
  const prefill = list.at(-1)!.role === 'assistant' ? takePrefill(messages, origins, list.length - 1) : null;
  if (messages.every((message) => message.role === 'system')) throw refuse(0, 'must not be empty');
  return { messages, origins, prefill };
}

/** The system text with the system messages that come before all others, and the index of the first other message. */
function leadingSystem(system: SystemText | undefined, list: readonly Message[]): [string, number] {
  const first = list.findIndex((message) => message.role !== 'system');
  const rest = first < 0 ? 0 : first;
  const parts = list.slice(0, rest).map((message) => joined(message.content as SystemText));
  if (system !== undefined) parts.unshift(joined(system));
  return [parts.filter((part) => part !== '').join(betweenTurns), rest];
}

/** Null when nothing is left of the message: empty text, or thoughts only. */
function assistantTurn(
  blocks: AssistantBlocks,
): { readonly message: ChatMessage; readonly calls: Map<string, string> } | null {
  let content = '';
  const calls = new Map<string, string>();
  const toolCalls: unknown[] = [];
  for (const block of blocks) {
    // The model wrote these one after the other: as one text they are what it has in its cache.
    if (block.type === 'text') content += block.text;
    else if (block.type === 'tool_use') {
      calls.set(block.id, block.name);
      toolCalls.push({
        id: block.id,
        type: 'function',
        function: { name: block.name, arguments: JSON.stringify(block.input) },
      });
    }
  }
  if (toolCalls.length > 0) {
    return {
      message: { role: 'assistant', content: content === '' ? null : content, tool_calls: toolCalls },
      calls,
    };
  }
  return content === '' ? null : { message: { role: 'assistant', content }, calls };
}

function mergedTurns(one: ChatMessage, other: ChatMessage): ChatMessage {
  const texts = [one.content, other.content].filter((text) => text !== null);
  const calls = [...(one.tool_calls ?? []), ...(other.tool_calls ?? [])];
  return {
    role: 'assistant',
    content: texts.length === 0 ? null : texts.join(betweenTurns),
    ...(calls.length === 0 ? {} : { tool_calls: calls }),
  };
}

/** Takes the last assistant turn from the messages, for the model to go on from. */
function takePrefill(messages: ChatMessage[], origins: (number | null)[], index: number): string | null {
  const last = messages.at(-1);
  if (last?.role !== 'assistant') return null;
  if (last.tool_calls !== undefined) {
    throw refuse(index, 'a conversation that ends with a tool_use needs its tool_result next');
  }
  const text = last.content!;
  if (text !== text.trimEnd()) {
    throw refuse(index, 'the text that the answer begins with must not end with white space');
  }
  messages.pop();
  origins.pop();
  return text;
}
