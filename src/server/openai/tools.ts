/**
 * `tools` and `tool_choice` of chat completions: what the Responses API has flat stands in `function` here.
 *
 * @module server/openai/tools
 */
import { z } from 'zod';
import { boundedArray } from './input.ts';
import {
  type Choice,
  functionFields,
  functionName,
  functionsOnly,
  maxTools,
  ofTypes,
  words,
} from './responses/tools.ts';

const tool = functionsOnly
  .pipe(z.object({ type: z.literal('function'), function: z.object(functionFields) }))
  .transform((value) => value.function);

export const tools = boundedArray(tool, 0, maxTools);

const named = z.object({ type: z.literal('function'), function: z.object({ name: functionName }) });

/** One of the words, or an object that names functions. */
export const toolChoice = ofTypes(
  ['function', 'allowed_tools'],
  (type) => `a choice of type '${type}' is not supported: choose among functions`,
  words,
)
  .pipe(
    z.union([
      z.enum(words),
      z.discriminatedUnion('type', [
        named,
        z.object({
          type: z.literal('allowed_tools'),
          allowed_tools: z.object({
            mode: z.enum(['auto', 'required']),
            tools: boundedArray(named, 1, maxTools),
          }),
        }),
      ]),
    ]),
  )
  .transform((value): Choice => {
    if (typeof value === 'string') return value;
    if (value.type === 'function') return { type: 'function', name: value.function.name };
    const { mode, tools: allowed } = value.allowed_tools;
    const names = allowed.map((each) => ({ type: 'function' as const, name: each.function.name }));
    return { type: 'allowed_tools', mode, tools: names };
  });
