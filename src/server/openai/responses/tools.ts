/**
 * `tools` and `tool_choice` of a response: functions of the caller. Tools that a service would run itself are refused
 * by name.
 *
 * @module server/openai/responses/tools
 */
import { z } from 'zod';
import { InputError } from '../../../base/index.ts';
import type { ChatRequest, ToolChoice, ToolDefinition } from '../../../gateway/index.ts';
import { optional } from '../../http/schema.ts';
import { boundedArray } from '../input.ts';
import { text } from '../options.ts';

export const maxTools = 128;
const maxDescription = 16_384;

export const functionName = z
  .string()
  .regex(/^[A-Za-z0-9_-]{1,64}$/, 'must be 1 to 64 of letters, digits, `_` and `-`');

/** What chat completions hold in `function`. */
export const functionFields = {
  name: functionName,
  description: optional(text.pipe(z.string().max(maxDescription))),
  parameters: optional(z.record(z.string(), z.unknown())),
  strict: optional(z.boolean()),
};

const functionTool = z.object({ type: z.literal('function'), ...functionFields });

/** Lets objects of these types, and these words, through to their schemas and refuses all else by name. */
export function ofTypes(
  types: readonly string[],
  refusal: (type: string) => string,
  allowed: readonly string[] = [],
) {
  return z.unknown().transform((value, context) => {
    if (typeof value === 'string' && allowed.includes(value)) return value;
    const type = typeof value === 'object' && value !== null ? (value as { type?: unknown }).type : undefined;
    if (typeof type === 'string' && types.includes(type)) return value;
    const expected = [...allowed, 'an object with a `type`'].join(', ');
    context.addIssue({
      code: 'custom',
      params: { code: typeof type === 'string' ? 'unsupported_parameter' : 'invalid_value' },
      message: typeof type === 'string' ? refusal(type.slice(0, 100)) : `must be ${expected}`,
    });
    return z.NEVER;
  });
}

export const functionsOnly = ofTypes(
  ['function'],
  (type) =>
    `tools of type '${type}' are not supported: this node runs no tools itself; offer functions, which your program runs`,
);

const tool = functionsOnly.pipe(functionTool);

export const tools = boundedArray(tool, 0, maxTools);

const named = z.object({ type: z.literal('function'), name: functionName });

export const words = ['auto', 'none', 'required'] as const;

/** One of the words, or an object that names functions. */
export const toolChoice = ofTypes(
  ['function', 'allowed_tools'],
  (type) => `a choice of type '${type}' is not supported: choose among functions`,
  words,
).pipe(
  z.union([
    z.enum(words),
    z.discriminatedUnion('type', [
      named,
      z.object({
        type: z.literal('allowed_tools'),
        mode: z.enum(['auto', 'required']),
        tools: boundedArray(named, 1, maxTools),
      }),
    ]),
  ]),
);

export type FunctionTool = Omit<z.output<typeof functionTool>, 'type'>;
export type Choice = z.output<typeof toolChoice>;

export interface Offer {
  readonly tools: readonly ToolDefinition[];
  readonly choice: ToolChoice;
}

/**
 * What the gateway is to offer to the model. Of `allowed_tools` only those named are offered. Throws `InputError` for a
 * name that comes twice, and for a choice among tools that are not there.
 */
export function offerOf(given: readonly FunctionTool[], choice: Choice | undefined): Offer {
  const byName = new Map<string, FunctionTool>();
  for (const [index, each] of given.entries()) {
    if (byName.has(each.name)) {
      const param = `tools[${index}].name`;
      throw new InputError('invalid_value', `${param}: '${each.name}' is there twice`, { param });
    }
    byName.set(each.name, each);
  }
  const find = (name: string): FunctionTool => {
    const found = byName.get(name);
    if (found) return found;
    throw new InputError('invalid_value', `tool_choice: there is no tool '${name}' in \`tools\``, {
      param: 'tool_choice',
    });
  };
  if (choice === 'required' && given.length === 0) {
    throw new InputError('invalid_value', "tool_choice: 'required' needs `tools`", { param: 'tool_choice' });
  }
  if (choice === undefined || typeof choice === 'string')
    return { tools: given.map(definitionOf), choice: choice ?? 'auto' };
  if (choice.type === 'function') {
    find(choice.name);
    return { tools: given.map(definitionOf), choice: { name: choice.name } };
  }
  return { tools: choice.tools.map(({ name }) => definitionOf(find(name))), choice: choice.mode };
}

/**
 * Without `strict` OpenAI holds calls to a schema where it can and goes on without where it cannot, which is what
 * `false` means inside.
 */
function definitionOf({ name, description, parameters, strict }: FunctionTool): ToolDefinition {
  return { name, description: description ?? null, parameters: parameters ?? null, strict: strict ?? false };
}

/** An offer as fields of a request; nothing where no tools are offered. */
export function offered(
  { tools: given, choice }: Offer,
  parallel: boolean | undefined,
): Pick<ChatRequest, 'tools' | 'toolChoice' | 'parallelToolCalls'> {
  return given.length === 0 ? {} : { tools: given, toolChoice: choice, parallelToolCalls: parallel ?? true };
}
