/**
 * What a request with tools asks of the engine, and how its answer is read.
 *
 * @module gateway/tools/plan
 */
import { InputError } from '../../base/index.ts';
import type { Grammar } from '../../engine/index.ts';
import type { ChatRequest, ToolDefinition } from '../types.ts';
import type { CallParserOptions } from './call-parser.ts';
import { type Conversation, conversationOf, type Wording } from './conversation.ts';
import { formatOf, type HeldTool, type ToolFormat } from './formats.ts';
import { boundTools, type HeldTools, type ToolSchemas } from './schemas.ts';

export interface Plan {
  readonly conversation: Conversation;
  /** Null when any text will do. */
  readonly grammar: Grammar | null;
  readonly shown: readonly string[];
  /** Null when the answer holds no calls. */
  readonly parser: CallParserOptions | null;
  readonly notes: readonly string[];
}

/**
 * The prompt alone, for counting: schemas are not looked at.
 *
 * @throws InputError `tools_too_large`
 */
export function conversationFor(request: ChatRequest, wording: Wording): Conversation {
  const tools = offered(request);
  boundTools(tools);
  return conversationOf(request.messages, tools, wordingFor(request, wording));
}

/** @throws InputError naming the tool, when a strict one's schema cannot be held to; `tools_too_large` */
export async function planTools(request: ChatRequest, wording: Wording, schemas: ToolSchemas): Promise<Plan> {
  const conversation = conversationFor(request, wording);
  const tools = offered(request);
  const answer = request.grammar ?? null;
  if (tools.length === 0) return { conversation, grammar: answer, shown: [], parser: null, notes: [] };
  const format = formatOf(wordingFor(request, wording));
  const { grammar, notes } = await hold(request, format, tools, schemas);
  return {
    conversation,
    grammar,
    shown: format.shown,
    parser: {
      openings: format.openings,
      atStart: format.atStart || answer !== null,
      argumentsKey: format.argumentsKey,
    },
    notes,
  };
}

/** Tools that the model may call. With `none` it does not hear of them, so that it does not try. */
function offered({ tools = [], toolChoice = 'auto' }: ChatRequest): readonly ToolDefinition[] {
  if (toolChoice === 'none') return [];
  if (typeof toolChoice === 'string') {
    if (toolChoice === 'required' && tools.length === 0) {
      throw new InputError('invalid_value', 'A tool call is required, but there are no tools.', {
        param: 'tool_choice',
      });
    }
    return tools;
  }
  if (tools.some(({ name }) => name === toolChoice.name)) return tools;
  throw new InputError(
    'invalid_value',
    `The tool '${toolChoice.name.slice(0, 64)}' that must be called is not among the tools.`,
    { param: 'tool_choice' },
  );
}

/** A form asked for the text and calls that are JSON objects too could not be told apart. */
function wordingFor({ grammar, tools = [] }: ChatRequest, wording: Wording): Wording {
  return wording === 'llama3' && grammar !== undefined && tools.length > 0 ? 'plain' : wording;
}

async function hold(
  request: ChatRequest,
  format: ToolFormat,
  tools: readonly ToolDefinition[],
  schemas: ToolSchemas,
): Promise<{ grammar: Grammar; notes: readonly string[] }> {
  const { toolChoice = 'auto' } = request;
  const callable =
    typeof toolChoice === 'string' ? tools : tools.filter(({ name }) => name === toolChoice.name);
  const several = format.several && typeof toolChoice === 'string' && (request.parallelToolCalls ?? true);
  const write = (held: readonly HeldTool[]): Grammar =>
    answerGrammar(request, format, format.calls(held, several));
  const held = await schemas.hold(callable);
  const grammar = write(held.tools);
  try {
    await schemas.check(grammar);
    return { grammar, notes: held.notes };
  } catch (error) {
    if (!(error instanceof InputError) || error.code !== 'grammar_too_large') throw error;
    const loose = loosened(callable, held);
    if (loose === null) throw blamedOnTools(error, request);
    return { grammar: write(loose.tools), notes: loose.notes };
  }
}

/** The form of the answer, if there is one, may be too large by itself. */
function blamedOnTools(error: InputError, { grammar }: ChatRequest): InputError {
  if (grammar !== undefined) return error;
  return new InputError(error.code, `tools: ${error.message}`, { param: 'tools', details: error.details });
}

/** Each schema can be held to, but not all of them in one answer: those that are not strict give way. */
function loosened(tools: readonly ToolDefinition[], held: HeldTools): HeldTools | null {
  const names = new Set(tools.filter(({ strict }) => !strict).map(({ name }) => name));
  if (names.size === 0) return null;
  return {
    tools: held.tools.map((tool) =>
      names.has(tool.name) ? { ...tool, grammar: { kind: 'json_object' } } : tool,
    ),
    notes: [
      `Arguments of ${names.size} tools that are not strict were held to any JSON object: all schemas together are too large.`,
    ],
  };
}

function answerGrammar(request: ChatRequest, format: ToolFormat, calls: Grammar): Grammar {
  const { toolChoice = 'auto', grammar } = request;
  const opened: Grammar = {
    kind: 'sequence',
    parts: [{ kind: 'choice', options: format.openings.map((text) => ({ kind: 'literal', text })) }, calls],
  };
  if (toolChoice !== 'auto') return opened;
  if (grammar !== undefined) return { kind: 'choice', options: [grammar, opened] };
  return {
    kind: 'text',
    until: format.openings,
    next: calls,
    ...(format.atStart ? { at: 'start' as const } : {}),
  };
}
