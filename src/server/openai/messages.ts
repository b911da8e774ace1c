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

const toolCall = z.object({
  id: z.string().max(200),
  type: z.literal('function'),
  function: z.object({ name: text, arguments: text }),
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
    z.object({ role: z.literal('tool'), content, tool_call_id: z.string().max(200) }),
  ],
  { error: 'role must be one of system, developer, user, assistant, tool' },
);

export const messages = boundedArray(message, 1, maxMessages).transform((list) => list.map(toEngine));

/** `developer` is the newer name of `system`; templates know only the latter. */
function toEngine(value: z.output<typeof message>): ChatMessage {
  if (value.role === 'tool') return value;
  const named = value.name === undefined ? {} : { name: value.name };
  if (value.role !== 'assistant')
    return { role: value.role === 'user' ? 'user' : 'system', content: value.content, ...named };
  return {
    role: 'assistant',
    content: value.content ?? value.refusal ?? (value.tool_calls ? null : ''),
    ...named,
    ...(value.tool_calls ? { tool_calls: value.tool_calls } : {}),
  };
}
