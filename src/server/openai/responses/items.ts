/**
 * `input` of a response: a text or a list of items, turned into the messages of a chat.
 *
 * @module server/openai/responses/items
 */
import { z } from 'zod';
import { InputError, KithError } from '../../../base/index.ts';
import type { ChatMessage } from '../../../engine/index.ts';
import { boundedArray } from '../input.ts';
import { text } from '../options.ts';
import type { OutputItem } from './response.ts';

const maxItems = 2048;
const maxParts = 1024;
const callId = z.string().min(1).max(200);

const textParts = new Set(['input_text', 'output_text', 'text']);

const part = z
  .object({ type: z.string().max(100), text: z.optional(text), refusal: z.optional(text) })
  .transform((value, context) => {
    const field = textParts.has(value.type) ? 'text' : value.type === 'refusal' ? 'refusal' : null;
    const said = field === null ? undefined : value[field];
    if (said !== undefined) return said;
    context.addIssue({
      code: 'custom',
      params: { code: field === null ? 'unsupported_parameter' : 'invalid_value' },
      message:
        field === null
          ? `content parts of type '${value.type}' are not supported: the models here read text only`
          : `a part of type '${value.type}' needs \`${field}\``,
    });
    return z.NEVER;
  });

/** Says of a list that fits no branch what is wrong with its length, which a union keeps to itself. */
const textOr = (list: string, max: number) => ({
  error: ({ input: given }: { input?: unknown }) => {
    if (!Array.isArray(given)) return `must be a text or an array of ${list}`;
    return given.length === 0 ? 'must not be empty' : `at most ${max} entries`;
  },
});

const content = z.union(
  [text, boundedArray(part, 0, maxParts).transform((parts) => parts.join(''))],
  textOr('parts', maxParts),
);

const someArguments = (json: string) => (json.trim() === '' ? '{}' : json);

const message = z.object({
  type: z.literal('message').default('message'),
  role: z.enum(['system', 'developer', 'user', 'assistant']),
  content,
});
const call = z.object({
  type: z.literal('function_call'),
  call_id: callId,
  name: text.pipe(z.string().min(1).max(64)),
  // Some clients send no text for a call without arguments.
  arguments: text.transform(someArguments),
});
const output = z.object({ type: z.literal('function_call_output'), call_id: callId, output: content });
/** Thoughts of a model elsewhere. The models here have none, and a prompt has no place for them. */
const reasoning = z.object({ type: z.literal('reasoning') });
/** Stands for an item of an earlier answer. */
const reference = z.object({ type: z.literal('item_reference'), id: z.string().min(1).max(200) });

const known = z.discriminatedUnion('type', [message, call, output, reasoning, reference]);
const kinds = new Set(['message', 'function_call', 'function_call_output', 'reasoning', 'item_reference']);

/** Messages may leave `type` out, and so may references. */
function kindOf(value: object): unknown {
  const { type, role, id } = value as { type?: unknown; role?: unknown; id?: unknown };
  if (type !== undefined && type !== null) return type;
  return role === undefined && id !== undefined ? 'item_reference' : 'message';
}

const item = z
  .unknown()
  .transform((value, context) => {
    const refuse = (code: string, why: string) => {
      context.addIssue({ code: 'custom', params: { code }, message: why });
      return z.NEVER;
    };
    if (typeof value !== 'object' || value === null || Array.isArray(value))
      return refuse('invalid_type', 'must be an item, that is an object');
    const type = kindOf(value);
    if (typeof type !== 'string') return refuse('invalid_type', 'type must be a string');
    // Typed as what it will have been found to be: the schemas below look at it.
    if (kinds.has(type)) return { ...value, type } as z.input<typeof known>;
    return refuse(
      'unsupported_parameter',
      `items of type '${type.slice(0, 100)}' are not supported: send messages, function_call and function_call_output`,
    );
  })
  .pipe(known);

type InputItem = z.output<typeof item>;
export type Item = Exclude<InputItem, { type: 'item_reference' }>;
/** What an answer is made of, as input. */
export type AnswerItem = Extract<Item, { type: 'message' | 'function_call' }>;

/** A text is one message of the user. */
export const input = z.union(
  [
    text.transform((said): InputItem[] => [{ type: 'message', role: 'user', content: said }]),
    boundedArray(item, 1, maxItems),
  ],
  textOr('items', maxItems),
);

/** An item of an answer as it is when it is sent back. */
export function answerItem(item: OutputItem): AnswerItem {
  if (item.type === 'message') {
    return { type: 'message', role: item.role, content: item.content.map((each) => each.text).join('') };
  }
  const { type, call_id, name } = item;
  return { type, call_id, name, arguments: someArguments(item.arguments) };
}

/** UTF-16 units of its texts. */
export function lengthOf(item: AnswerItem): number {
  if (item.type === 'message') return item.content.length;
  return item.call_id.length + item.name.length + item.arguments.length;
}

/** What references may stand for. */
export interface Remembered {
  /** Null: there is no such item, or none any more, or it is not this caller's. */
  recall(id: string): AnswerItem | null;
  /** UTF-16 units that the references of one request may bring in together. */
  readonly maxLength: number;
}

/**
 * Puts items in the places of the references to them. Throws `item_not_found` (400) where there is none, and
 * `body_too_large` (413) where they are longer together than a body may be: a few bytes could stand for any amount.
 */
export function dereference(items: readonly InputItem[], { recall, maxLength }: Remembered): Item[] {
  let length = 0;
  return items.map((each, index) => {
    if (each.type !== 'item_reference') return each;
    const param = `input[${index}].id`;
    const found = recall(each.id);
    if (found === null) {
      throw new InputError(
        'item_not_found',
        `${param}: there is no item '${each.id}' to refer to. This node remembers items of its answers in memory only, for an hour after their last use, and not those of requests with \`store: false\`. Send the item itself; a client does so by itself when \`store\` is false (AI SDK: \`providerOptions.openai.store\`)`,
        { param },
      );
    }
    length += lengthOf(found);
    if (length > maxLength) {
      throw new KithError(
        'body_too_large',
        `${param}: the items referred to are longer than ${maxLength} characters together (limit server.bodyBytes). Leave some out.`,
        { status: 413, param, details: { limit: 'server.bodyBytes', value: maxLength } },
      );
    }
    return found;
  });
}

interface Turn {
  role: 'system' | 'user' | 'assistant' | 'tool';
  content: string | null;
  tool_calls?: { id: string; type: 'function'; function: { name: string; arguments: string } }[];
  tool_call_id?: string;
}

/**
 * Messages for the model. `instructions` come first; system messages right after them are joined to them, since many
 * templates know only one. Calls belong to the assistant's message before them, as templates expect.
 *
 * Throws `InputError` for a call's output without the call.
 */
export function messagesOf(instructions: string | undefined, items: readonly Item[]): ChatMessage[] {
  const turns: Turn[] = [];
  const calls = new Set<string>();
  let leading = instructions !== undefined;
  if (instructions !== undefined) turns.push({ role: 'system', content: instructions });
  for (const [index, each] of items.entries()) {
    const last = turns.at(-1);
    if (each.type === 'message') {
      // `developer` is the newer name of `system`; templates know only the latter.
      const role = each.role === 'developer' ? 'system' : each.role;
      if (role === 'system' && leading && last) last.content = `${last.content}\n\n${each.content}`;
      else {
        turns.push({ role, content: each.content });
        leading = false;
      }
    } else if (each.type === 'function_call') {
      const asked = {
        id: each.call_id,
        type: 'function' as const,
        function: { name: each.name, arguments: each.arguments },
      };
      calls.add(each.call_id);
      leading = false;
      if (last?.role === 'assistant') last.tool_calls = [...(last.tool_calls ?? []), asked];
      else turns.push({ role: 'assistant', content: null, tool_calls: [asked] });
    } else if (each.type === 'function_call_output') {
      if (!calls.has(each.call_id)) {
        const param = `input[${index}].call_id`;
        throw new InputError(
          'invalid_value',
          `${param}: no function_call before it has this call_id; send the call too, or a reference to it`,
          { param },
        );
      }
      turns.push({ role: 'tool', content: each.output, tool_call_id: each.call_id });
    }
  }
  if (turns.length === 0) {
    throw new InputError('invalid_value', 'input: holds nothing that a model could read', { param: 'input' });
  }
  return turns;
}
