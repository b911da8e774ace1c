/**
 * `tools` and `tool_choice`: custom tools only. Tools that Anthropic's servers run or define are refused by name.
 *
 * @module server/anthropic/tools
 */
import { z } from 'zod';
import { InputError } from '../../base/index.ts';
import type { ChatRequest } from '../../gateway/index.ts';
import { optional } from '../http/schema.ts';
import { boundedArray } from '../openai/input.ts';
import { text } from '../openai/options.ts';

const maxTools = 512;

const type = z.literal('custom', {
  error: ({ input }) =>
    typeof input === 'string'
      ? `tools of type '${input.slice(0, 60)}' are not supported: only custom tools with an input_schema are`
      : 'must be custom',
});

const tool = z.object({
  // First, so that another kind of tool is named before its fields are missed.
  type: optional(type),
  name: z.string().regex(/^[\w-]{1,64}$/, 'a tool name is 1 to 64 of A-Z, a-z, 0-9, _ and -'),
  description: optional(text),
  input_schema: z.record(z.string(), z.unknown(), {
    error: 'must be an object: the JSON Schema of the input',
  }),
  strict: optional(z.boolean()),
});

const single = { disable_parallel_tool_use: optional(z.boolean()) };

const toolChoice = z.discriminatedUnion(
  'type',
  [
    z.object({ type: z.literal('auto'), ...single }),
    z.object({ type: z.literal('any'), ...single }),
    z.object({ type: z.literal('tool'), name: z.string().max(200), ...single }),
    z.object({ type: z.literal('none') }),
  ],
  { error: 'type must be auto, any, tool or none' },
);

export const toolFields = {
  tools: optional(boundedArray(tool, 0, maxTools)),
  tool_choice: optional(toolChoice),
};

const schema = z.object(toolFields);

/** What the fields ask of the gateway. Throws `InputError` where they do not fit each other. */
export function toolsOf(
  body: z.output<typeof schema>,
): Pick<ChatRequest, 'tools' | 'toolChoice' | 'parallelToolCalls'> {
  const { tools = [], tool_choice: choice } = body;
  const names = new Set<string>();
  for (const [index, { name }] of tools.entries()) {
    if (names.has(name)) {
      const param = `tools[${index}].name`;
      throw new InputError('invalid_value', `${param}: there are two tools called '${name}'`, { param });
    }
    names.add(name);
  }
  if (choice?.type === 'any' && tools.length === 0) {
    throw new InputError('invalid_value', 'tool_choice: needs `tools` to choose from', {
      param: 'tool_choice',
    });
  }
  if (choice?.type === 'tool' && !names.has(choice.name)) {
    throw new InputError(
      'invalid_value',
      `tool_choice.name: there is no tool '${choice.name.slice(0, 80)}' in \`tools\``,
      { param: 'tool_choice.name' },
    );
  }
  if (tools.length === 0) return {};
  return {
    tools: tools.map(({ name, description, input_schema: parameters, strict }) => ({
      name,
      description: description ?? null,
      parameters,
      strict: strict ?? false,
    })),
    toolChoice:
      choice?.type === 'any'
        ? 'required'
        : choice?.type === 'tool'
          ? { name: choice.name }
          : (choice?.type ?? 'auto'),
    parallelToolCalls: !(choice && choice.type !== 'none' && choice.disable_parallel_tool_use === true),
  };
}
