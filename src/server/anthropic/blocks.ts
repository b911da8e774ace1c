/**
 * Messages at the edge: roles and the content blocks that each may have. Blocks that are not text or tool traffic are
 * refused by name.
 *
 * @module server/anthropic/blocks
 */
import { z } from 'zod';
import { optional } from '../http/schema.ts';
import { boundedArray } from '../openai/input.ts';
import { text } from '../openai/options.ts';

const maxMessages = 10_000;
const maxBlocks = 4096;
const maxName = 200;

/** What is wrong with a block whose type is none of `allowed`. */
function refusal(allowed: readonly string[]) {
  return (issue: { readonly input?: unknown }): string => {
    const { type } = (issue.input ?? {}) as { readonly type?: unknown };
    if (typeof type !== 'string') return `a block needs a type: ${allowed.join(', ')}`;
    return `blocks of type '${type.slice(0, 60)}' are not supported here, only ${allowed.join(', ')}`;
  };
}

const textBlock = z.object({ type: z.literal('text'), text });

/** A string, or blocks of text. */
const textContent = z.union(
  [
    text.transform((value) => [{ type: 'text' as const, text: value }]),
    boundedArray(z.discriminatedUnion('type', [textBlock], { error: refusal(['text']) }), 0, maxBlocks),
  ],
  { error: 'must be a string or an array of text blocks' },
);

const toolUse = z.object({
  type: z.literal('tool_use'),
  id: z.string().min(1).max(maxName),
  name: z.string().min(1).max(maxName),
  input: z.record(z.string(), z.unknown()),
});

const toolResult = z.object({
  type: z.literal('tool_result'),
  tool_use_id: z.string().min(1).max(maxName),
  content: optional(textContent),
  is_error: optional(z.boolean()),
});

/** Thoughts of earlier answers: what is in them is not read. */
const thinking = z.object({ type: z.enum(['thinking', 'redacted_thinking']) });

function content<const T extends readonly [z.ZodObject, ...z.ZodObject[]]>(
  blocks: T,
  names: readonly string[],
) {
  return z.union(
    [
      text.transform((value) => [{ type: 'text' as const, text: value }]),
      boundedArray(z.discriminatedUnion('type', blocks, { error: refusal(names) }), 0, maxBlocks),
    ],
    { error: 'must be a string or an array of content blocks' },
  );
}

const message = z.discriminatedUnion(
  'role',
  [
    z.object({
      role: z.literal('user'),
      content: content([textBlock, toolResult], ['text', 'tool_result']),
    }),
    z.object({
      role: z.literal('assistant'),
      content: content([textBlock, toolUse, thinking], ['text', 'tool_use', 'thinking', 'redacted_thinking']),
    }),
    z.object({ role: z.literal('system'), content: textContent }),
  ],
  { error: 'role must be user, assistant or system' },
);

export type Message = z.output<typeof message>;
export const messages = boundedArray(message, 1, maxMessages);
export const system = textContent;
export type SystemText = z.output<typeof system>;
