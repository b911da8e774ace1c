/**
 * From a tool's parameters to the grammar of its arguments.
 *
 * @module gateway/tools/schemas
 */
import { createHash } from 'node:crypto';
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
  check(grammar: Grammar): void;
}

/** Schemas whose outcome is remembered: clients send the same tools again and again. */
const REMEMBERED = 512;
const ANY_OBJECT: Grammar = { kind: 'json_object' };

export function createToolSchemas(): ToolSchemas {
  const checkGrammar = createGrammarCheck();
  const known = new Map<string, InputError | null>();

  async function faultOf(grammar: Grammar): Promise<InputError | null> {
    const key = createHash('sha256').update(JSON.stringify(grammar)).digest('base64');
    let fault = known.get(key);
    if (fault === undefined) {
      // A schema takes up to a tenth of a second: other requests go on between two.
      await setImmediate();
      fault = null;
      try {
        checkGrammar(grammar);
      } catch (error) {
        if (!(error instanceof InputError)) throw error;
        fault = error;
      }
    }
    known.delete(key);
    known.set(key, fault);
    if (known.size > REMEMBERED) known.delete(known.keys().next().value!);
    return fault;
  }

  return {
    async hold(tools) {
      const notes: string[] = [];
      const held: HeldTool[] = [];
      for (const tool of tools) {
        const { name } = tool;
        const grammar: Grammar = { kind: 'json_schema', schema: argumentsSchema(tool) };
        const fault = await faultOf(grammar);
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
    check: (grammar) => void checkGrammar(grammar),
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
