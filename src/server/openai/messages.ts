/**
 * Chat messages at the edge: roles, text parts joined, images refused.
 *
 * @module server/openai/messages
 */
import { z } from 'zod';
import type { ChatMessage } from '../../engine/index.ts';
import { optional } from '../http/schema.ts';
import { boundedArray } from './input.ts';
import { text } from './options.ts';

const maxMessages = 2048;
const maxParts = 1024;

/** Parts that carry text become it; every other kind is refused by name. */
const part = z
  .object({ type: z.string().max(100), text: z.optional(text), refusal: z.optional(text) })
  .transform((value, context) => {
    if (value.type === 'text' && value.text !== undefined) return value.text;
    if (value.type === 'refusal' && value.refusal !== undefined) return value.refusal;
    const known = value.type === 'text' || value.type === 'refusal';
    context.addIssue({
      code: 'custom',
      params: { code: known ? 'invalid_value' : 'unsupported_parameter' },
      message: known
        ? `a part of type '${value.type}' needs \`${value.type}\``
        : `content parts of type '${value.type}' are not supported: the models here read text only`,
    });
    return z.NEVER;
  });

const content = z.union([text, boundedArray(part, 0, maxParts).transform((parts) => parts.join(''))], {
  error: 'must be a string or an array of parts',
});
const name = optional(text);

const identifier = z.string().min(1).max(200);

const toolCall = z.object({
  id: identifier,
  type: z.literal('function', { error: 'only calls of type function are supported' }),
  function: z.object({
    name: z.string().regex(/^[A-Za-z0-9_-]{1,64}$/, 'must be 1 to 64 of letters, digits, `_` and `-`'),
    // Some clients send no text for a call without arguments.
    arguments: text.transform((value) => (value.trim() === '' ? '{}' : value)),
  }),
});

const message = z.discriminatedUnion(
  'role',
  [
    z.object({ role: z.enum(['system', 'developer', 'user']), content, name }),
    z.object({
      role: z.literal('assistant'),
      content: optional(content),
      name,
      refusal: optional(text),
      tool_calls: optional(boundedArray(toolCall, 0, 128)),
    }),
    z.object({ role: z.literal('tool'), content, tool_call_id: identifier }),
  ],
  { error: 'role must be one of system, developer, user, assistant, tool' },
);

export const messages = boundedArray(message, 1, maxMessages)
  .superRefine((list, context) => {
    const asked = new Set<string>();
    for (const [index, each] of list.entries()) {
      if (each.role === 'assistant') for (const { id } of each.tool_calls ?? []) asked.add(id);
      if (each.role !== 'tool' || asked.has(each.tool_call_id)) continue;
      context.addIssue({
        code: 'custom',
        path: [index, 'tool_call_id'],
        message: `no earlier assistant message has a tool call with the id '${each.tool_call_id}'`,
      });
      return;
    }
  })
  .transform((list) => list.map(toEngine));

/** `developer` is the newer name of `system`; templates know only the latter. */
function toEngine(value: z.output<typeof message>): ChatMessage {
  if (value.role === 'tool') return value;
  const named = value.name === undefined ? {} : { name: value.name };
  if (value.role !== 'assistant')
    return { role: value.role === 'user' ? 'user' : 'system', content: value.content, ...named };
  return {
    role: 'assistant',
    content: value.content ?? value.refusal ?? (value.tool_calls?.length ? null : ''),
    ...named,
    ...(value.tool_calls?.length ? { tool_calls: value.tool_calls } : {}),
  };
}
