/**
 * From a tool's parameters to the grammar of its arguments.
 *
 * @module gateway/tools/schemas
 */
import { setImmediate } from 'node:timers/promises';
import { InputError } from '../../base/index.ts';
import { createGrammarCheck, type Grammar } from '../../engine/index.ts';
import type { ToolDefinition } from '../types.ts';
import type { HeldTool } from './formats.ts';

export interface HeldTools {
  readonly tools: readonly HeldTool[];
  /** A sentence for each tool whose arguments are held to less than its schema. */
  readonly notes: readonly string[];
}

export interface ToolSchemas {
  /** @throws InputError naming tool and keyword, for a strict tool whose schema cannot be held to */
  hold(tools: readonly ToolDefinition[]): Promise<HeldTools>;
  /** @throws InputError as the engine's, for what the tools come to together */
  check(grammar: Grammar): Promise<void>;
}

/** Names, descriptions and schemas of all tools, as JSON: as many characters as one schema may have. */
const MAX_TEXT = 256 * 1024;
/** Work of compiling the schemas of one request, as the engine counts it: some largest ones. */
const MAX_WORK = 1_000_000;
const ANY_OBJECT: Grammar = { kind: 'json_object' };

/** @throws InputError `tools_too_large`, before any of them is looked at or put into a prompt */
export function boundTools(tools: readonly ToolDefinition[]): void {
  let size = 0;
  for (const { name, description, parameters } of tools) {
    size += name.length + (description?.length ?? 0) + (JSON.stringify(parameters)?.length ?? 0);
    if (size > MAX_TEXT) throw tooLarge(`come to more than ${MAX_TEXT} characters of JSON`, MAX_TEXT);
  }
}

function tooLarge(what: string, limit: number): InputError {
  return new InputError(
    'tools_too_large',
    `tools: all tools together ${what}, which is the limit. Send fewer tools, or smaller schemas.`,
    { param: 'tools', details: { limit } },
  );
}

export function createToolSchemas(): ToolSchemas {
  const check = createGrammarCheck();

  async function outcomeOf(grammar: Grammar): Promise<{ fault: InputError | null; work: number }> {
    // A schema takes up to a tenth of a second: other requests go on between two.
    if (!check.knows(grammar)) await setImmediate();
    try {
      return check.outcome(grammar);
    } catch (error) {
      if (!(error instanceof InputError)) throw error;
      return { fault: error, work: 0 };
    }
  }

  return {
    async hold(tools) {
      const notes: string[] = [];
      const held: HeldTool[] = [];
      let left = MAX_WORK;
      for (const tool of tools) {
        const { name } = tool;
        const grammar: Grammar = { kind: 'json_schema', schema: argumentsSchema(tool) };
        const { fault, work } = await outcomeOf(grammar);
        left -= work;
        if (left < 0)
          throw tooLarge(`take more than ${MAX_WORK} steps to compile (up to '${name}')`, MAX_WORK);
        if (fault !== null && tool.strict) {
          throw new InputError(fault.code, `tools: '${name}' is strict, but ${lower(fault.message)}`, {
            param: 'tools',
            details: { tool: name, ...fault.details },
          });
        }
        if (fault !== null)
          notes.push(`Arguments of '${name}' were held to any JSON object: ${lower(fault.message)}`);
        held.push({ name, grammar: fault === null ? grammar : ANY_OBJECT });
      }
      return { tools: held, notes };
    },
    async check(grammar) {
      if (!check.knows(grammar)) await setImmediate();
      check(grammar);
    },
  };
}

/** Arguments are an object, whether or not the schema says so. */
function argumentsSchema({ name, parameters }: ToolDefinition): unknown {
  if (parameters === null || parameters === undefined)
    return { type: 'object', properties: {}, additionalProperties: false };
  if (typeof parameters !== 'object' || Array.isArray(parameters)) {
    throw new InputError('invalid_type', `tools: the parameters of '${name}' must be a JSON Schema object`, {
      param: 'tools',
    });
  }
  const { type } = parameters as { readonly type?: unknown };
  if (type === undefined || type === null) return { ...parameters, type: 'object' };
  if (type === 'object' || (Array.isArray(type) && type.includes('object')))
    return { ...parameters, type: 'object' };
  throw new InputError(
    'invalid_value',
    `tools: the parameters of '${name}' have the type ${JSON.stringify(type).slice(0, 60)}; arguments are an object`,
    { param: 'tools' },
  );
}

const lower = (sentence: string): string => sentence.charAt(0).toLowerCase() + sentence.slice(1);
