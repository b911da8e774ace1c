/**
 * What a template is given of a conversation with tools, and the whole conversation in plain messages for a template that
 * knows none.
 *
 * @module gateway/tools/conversation
 */
import { createHash } from 'node:crypto';
import type { ChatMessage, ToolStyle } from '../../engine/index.ts';
import type { ToolDefinition } from '../types.ts';

/** A call in an assistant's message, as the API's edge has checked it. */
interface Call {
  readonly id?: string;
  readonly function: { readonly name: string; readonly arguments: string };
}

export interface Conversation {
  readonly messages: readonly ChatMessage[];
  /** For the template; none where the messages say it all. */
  readonly tools?: readonly unknown[];
}

const callsOf = (message: ChatMessage): readonly Call[] => (message.tool_calls ?? []) as readonly Call[];

/** `plain`: only messages that every template knows. `folded`: without a system message too. */
export type Wording = ToolStyle | 'plain' | 'folded';

/** @param tools those the model may call now; a conversation can hold calls of others */
export function conversationOf(
  messages: readonly ChatMessage[],
  tools: readonly ToolDefinition[],
  wording: Wording,
): Conversation {
  const described = tools.map(describe);
  const listed = described.length === 0 ? {} : { tools: described };
  switch (wording) {
    case 'hermes':
      return { messages: messages.map(withText), ...listed };
    case 'mistral':
      return { messages: messages.map(withText).map(withShortIds), ...listed };
    case 'llama3':
      return { messages: oneCallEach(messages).map(withText), ...listed };
    case 'plain':
      return { messages: plain(messages, described) };
    case 'folded':
      return { messages: folded(plain(messages, described)) };
  }
}

/** Templates look for words in the content, which a null has not. */
function withText(message: ChatMessage): ChatMessage {
  return message.content === null ? { ...message, content: '' } : message;
}

/** As OpenAI's API has it, which is what templates expect; some need a description. */
function describe({ name, description, parameters }: ToolDefinition): unknown {
  return {
    type: 'function',
    function: {
      name,
      description: description ?? '',
      parameters: parameters ?? { type: 'object', properties: {} },
    },
  };
}

/** Mistral's templates refuse ids that are not nine letters and digits. */
function withShortIds(message: ChatMessage): ChatMessage {
  const { tool_call_id: answered, tool_calls: calls } = message;
  return {
    ...message,
    ...(answered === undefined ? {} : { tool_call_id: shortId(answered) }),
    ...(calls === undefined
      ? {}
      : { tool_calls: callsOf(message).map((call) => ({ ...call, id: shortId(call.id ?? '') })) }),
  };
}

function shortId(id: string): string {
  return /^[A-Za-z0-9]{9}$/.test(id) ? id : createHash('sha256').update(id).digest('hex').slice(0, 9);
}

/** Llama's templates refuse several calls in one message: each goes into a message of its own, its result after it. */
function oneCallEach(messages: readonly ChatMessage[]): ChatMessage[] {
  const out: ChatMessage[] = [];
  const placed = new Set<ChatMessage>();
  for (const [index, message] of messages.entries()) {
    if (placed.has(message)) continue;
    const calls = callsOf(message);
    if (calls.length === 0) {
      out.push(message);
      continue;
    }
    // The template leaves out what is said beside a call.
    if (message.content) out.push({ role: message.role, content: message.content });
    const results = messages.slice(index + 1);
    for (const call of calls) {
      out.push({ ...message, content: null, tool_calls: [call] });
      const result = results.find(
        (each) => each.role === 'tool' && each.tool_call_id === call.id && !placed.has(each),
      );
      if (result === undefined) continue;
      placed.add(result);
      out.push(result);
    }
  }
  return out;
}

/** Only roles that every template knows; turns alternate where they did. */
function plain(messages: readonly ChatMessage[], tools: readonly unknown[]): ChatMessage[] {
  const out: ChatMessage[] = [];
  let results: string[] = [];
  const flush = (): void => {
    if (results.length > 0) out.push({ role: 'user', content: results.join('\n') });
    results = [];
  };
  for (const message of messages) {
    const { role, content } = message;
    if (role === 'tool') {
      results.push(`<tool_response>\n${content ?? ''}\n</tool_response>`);
      continue;
    }
    flush();
    const calls = callsOf(message).map(
      (call) =>
        `<tool_call>\n{"name": ${JSON.stringify(call.function.name)}, "arguments": ${call.function.arguments}}\n</tool_call>`,
    );
    if (calls.length === 0) out.push(message);
    else out.push({ role, content: [...(content ? [content] : []), ...calls].join('\n') });
  }
  flush();
  if (tools.length === 0) return out;
  const [first, ...others] = out;
  if (first?.role !== 'system') return [{ role: 'system', content: instructions(tools) }, ...out];
  return [{ ...first, content: `${first.content ?? ''}\n\n${instructions(tools)}` }, ...others];
}

/** Some templates refuse a system message: the first user then says what it said. */
function folded(messages: readonly ChatMessage[]): readonly ChatMessage[] {
  const [system, first, ...others] = messages;
  if (system?.role !== 'system' || first?.role !== 'user') return messages;
  return [{ ...first, content: `${system.content}\n\n${first.content}` }, ...others];
}

function instructions(tools: readonly unknown[]): string {
  return [
    'You can call the tools listed here, one JSON object each:',
    '<tools>',
    ...tools.map((tool) => JSON.stringify(tool)),
    '</tools>',
    'To call a tool, answer with its name and its arguments as JSON between tags, like this:',
    '<tool_call>',
    '{"name": "name_of_the_tool", "arguments": {"name_of_an_argument": "its value"}}',
    '</tool_call>',
    'The result comes back between <tool_response> and </tool_response>. Answer without a call when no tool is needed.',
  ].join('\n');
}
