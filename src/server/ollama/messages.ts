/**
 * Messages and tools of a chat body, as the engine and the gateway take them.
 *
 * @module server/ollama/messages
 */
import { z } from 'zod';
import { InputError } from '../../base/index.ts';
import type { ChatMessage } from '../../engine/index.ts';
import type { ToolDefinition } from '../../gateway/index.ts';
import { optional } from '../http/schema.ts';
import { boundedArray } from '../openai/input.ts';
import { text } from '../openai/options.ts';

const maxMessages = 2048;
const maxCalls = 128;
const maxTools = 128;

const object = z.custom<object>(
  (value) => typeof value === 'object' && value !== null && !Array.isArray(value),
  'must be an object',
);
const toolName = z.string().regex(/^[A-Za-z0-9_-]{1,64}$/, 'must be 1 to 64 letters, digits, _ or -');

/** Absent, null and empty ask for nothing. */
const images = z.unknown().refine((value) => !value || (Array.isArray(value) && value.length === 0), {
  params: { code: 'unsupported_parameter' },
  message: 'images are not supported: the models here read text only',
});

const call = z.object({
  id: optional(z.string().max(200)),
  function: z.object({ name: text, arguments: optional(object) }),
});

const message = z.object({
  role: z.enum(['system', 'user', 'assistant', 'tool'], {
    error: 'role must be one of system, user, assistant, tool',
  }),
  content: optional(text),
  images: z.optional(images),
  tool_calls: optional(boundedArray(call, 0, maxCalls)),
  tool_name: optional(z.string().max(200)),
  tool_call_id: optional(z.string().max(200)),
});

export const messages = boundedArray(message, 0, maxMessages).transform(toEngine);

/**
 * Ollama's tool answers name the tool, or nothing; templates want the id of the call. An answer belongs to the first
 * call of its tool that has none so far, and without a name to the first such call at all.
 */
function toEngine(list: readonly z.output<typeof message>[]): ChatMessage[] {
  const open: { readonly id: string; readonly name: string }[] = [];
  let calls = 0;
  return list.map((value): ChatMessage => {
    const content = value.content ?? '';
    if (value.role === 'tool') {
      const at = open.findIndex(({ id, name }) =>
        value.tool_call_id !== undefined
          ? id === value.tool_call_id
          : value.tool_name === undefined || name === value.tool_name,
      );
      const [answered] = at < 0 ? [] : open.splice(at, 1);
      const name = value.tool_name ?? answered?.name;
      return {
        role: 'tool',
        content,
        tool_call_id: answered?.id ?? value.tool_call_id ?? `call_${++calls}`,
        ...(name === undefined ? {} : { name }),
      };
    }
    if (value.role !== 'assistant' || !value.tool_calls?.length) return { role: value.role, content };
    const made = value.tool_calls.map(({ id = `call_${++calls}`, function: { name, arguments: given } }) => {
      open.push({ id, name });
      return { id, type: 'function', function: { name, arguments: JSON.stringify(given ?? {}) } };
    });
    return { role: 'assistant', content: content === '' ? null : content, tool_calls: made };
  });
}

const tool = z.object({
  type: z.literal('function', { error: 'must be "function"' }),
  function: z.object({
    name: toolName,
    description: optional(text),
    parameters: optional(object),
  }),
});

export const tools = boundedArray(tool, 0, maxTools).transform((list): ToolDefinition[] =>
  list.map(({ function: { name, description, parameters } }) => ({
    name,
    description: description ?? null,
    parameters: parameters ?? null,
    strict: false,
  })),
);

/** Throws when two tools have one name: nobody could tell their calls apart. */
export function checkToolNames(list: readonly ToolDefinition[]): void {
  const seen = new Set<string>();
  for (const [index, { name }] of list.entries()) {
    if (seen.has(name)) {
      const param = `tools[${index}].function.name`;
      throw new InputError('invalid_value', `${param}: there is another tool named '${name}'`, { param });
    }
    seen.add(name);
  }
}
