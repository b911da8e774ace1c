/**
 * Requests as bodies of Anthropic's messages API: system text apart, turns of user and assistant in alternation, tool
 * results as blocks of the user's turn.
 *
 * @module gateway/backends/anthropic/request
 */
import type { ChatMessage } from '../../../engine/index.ts';
import type { ChatRequest } from '../../types.ts';
import { arrayIn, isObject, stringIn } from '../json.ts';
import { notSupported } from '../not-supported.ts';

type Block = Record<string, unknown>;
interface Turn {
  readonly role: 'user' | 'assistant';
  readonly content: Block[];
}

export interface OutgoingMessages {
  readonly body: Record<string, unknown>;
  readonly notes: readonly string[];
}

const NAME = 'anthropic';
/** The API demands a number. Every model there can write as much. */
export const defaultMaxTokens = 4096;

/** Throws `UpstreamError` of class `not_supported`. */
export function messagesBody(request: ChatRequest, model: string, maxTokens: number): OutgoingMessages {
  const { sampler } = request;
  const notes: string[] = [];
  if (request.n > 1) throw notSupported(NAME, 'several choices in one request', 'n');
  if (typeof sampler.topLogprobs === 'number') throw notSupported(NAME, 'log probabilities', 'logprobs');
  const body: Record<string, unknown> = {
    ...promptBody(request, model),
    max_tokens: request.maxTokens ?? maxTokens,
    stream: true,
  };
  if (request.maxTokens === null)
    notes.push(`The answer may have ${maxTokens} tokens: this API demands a limit.`);
  if (request.stop.length > 0) body.stop_sequences = request.stop;
  if (sampler.temperature !== undefined) {
    body.temperature = Math.min(1, sampler.temperature);
    if (sampler.temperature > 1)
      notes.push('The temperature was lowered to 1, the most that this API takes.');
  }
  if (sampler.topP !== undefined) {
    // Newer models refuse the two together.
    if (body.temperature === undefined) body.top_p = sampler.topP;
    else notes.push('top_p was left out beside temperature.');
  }
  if (sampler.topK !== undefined && sampler.topK > 0) body.top_k = sampler.topK;
  const left = (['minP', 'repeatPenalty', 'presencePenalty', 'frequencyPenalty'] as const).filter(
    (option) => sampler[option] !== undefined,
  ) as string[];
  if ((sampler.logitBias?.length ?? 0) > 0) left.push('logitBias');
  if (request.overflow === 'slide') left.push('overflow');
  if (request.variables !== undefined && Object.keys(request.variables).length > 0) left.push('variables');
  if (left.length > 0) notes.push(`Left out, as this API does not know them: ${left.join(', ')}.`);
  return { body, notes };
}

/** What counts as the prompt: model, system, messages, tools, format. */
export function promptBody(request: ChatRequest, model: string): Record<string, unknown> {
  const { system, turns } = turnsOf(request.messages);
  if (request.prefill !== undefined && request.prefill !== '') {
    const last = turns.at(-1);
    const block = { type: 'text', text: request.prefill };
    if (last?.role === 'assistant') last.content.push(block);
    else turns.push({ role: 'assistant', content: [block] });
  }
  const body: Record<string, unknown> = { model, messages: turns };
  if (system !== '') body.system = system;
  if (request.grammar !== undefined) {
    if (request.grammar.kind !== 'json_schema')
      throw notSupported(NAME, `a grammar of kind ${request.grammar.kind}`, 'response_format');
    body.output_config = { format: { type: 'json_schema', schema: request.grammar.schema } };
  }
  if (request.tools !== undefined && request.tools.length > 0) {
    body.tools = request.tools.map(({ name, description, parameters, strict }) => ({
      name,
      ...(description === null ? {} : { description }),
      input_schema: parameters ?? { type: 'object', properties: {} },
      ...(strict ? { strict: true } : {}),
    }));
    body.tool_choice = toolChoiceOf(request);
  }
  return body;
}

function toolChoiceOf({ toolChoice = 'auto', parallelToolCalls = true }: ChatRequest): Block {
  if (toolChoice === 'none') return { type: 'none' };
  const one = parallelToolCalls ? {} : { disable_parallel_tool_use: true };
  if (typeof toolChoice === 'object') return { type: 'tool', name: toolChoice.name, ...one };
  return { type: toolChoice === 'required' ? 'any' : 'auto', ...one };
}

function turnsOf(messages: readonly ChatMessage[]): { readonly system: string; readonly turns: Turn[] } {
  const first = messages.findIndex(({ role }) => role !== 'system');
  const start = first < 0 ? messages.length : first;
  const system = messages
    .slice(0, start)
    .map(({ content }) => content ?? '')
    .filter((content) => content !== '')
    .join('\n\n');
  const turns: Turn[] = [];
  const add = (role: Turn['role'], blocks: readonly Block[]) => {
    if (blocks.length === 0) return;
    const last = turns.at(-1);
    if (last?.role === role) last.content.push(...blocks);
    else turns.push({ role, content: [...blocks] });
  };
  for (const message of messages.slice(start)) {
    const text =
      message.content === null || message.content === '' ? [] : [{ type: 'text', text: message.content }];
    if (message.role === 'assistant') add('assistant', [...text, ...callsOf(message)]);
    else if (message.role === 'tool') {
      add('user', [
        {
          type: 'tool_result',
          tool_use_id: blockId(message.tool_call_id ?? ''),
          content: message.content ?? '',
        },
      ]);
      // A system message between turns has no place of its own here: it is said in the user's turn.
    } else add('user', text);
  }
  return { system, turns };
}

function callsOf(message: ChatMessage): Block[] {
  return (message.tool_calls ?? []).filter(isObject).map((call) => {
    const fn = isObject(call.function) ? call.function : {};
    return {
      type: 'tool_use',
      id: blockId(stringIn(call.id) ?? ''),
      name: stringIn(fn.name) ?? '',
      input: inputOf(fn.arguments),
    };
  });
}

/** The API demands an object; what a model wrote otherwise is kept as it stands, under a name. */
function inputOf(args: unknown): unknown {
  if (isObject(args)) return args;
  try {
    const value: unknown = JSON.parse(stringIn(args) ?? '');
    if (isObject(value)) return value;
  } catch {
    // Falls through: not JSON.
  }
  return arrayIn(args).length > 0 || (stringIn(args) ?? '') !== '' ? { arguments: args } : {};
}

/** Ids made by other servers may hold characters that this API refuses. */
const blockId = (id: string): string => id.replace(/[^A-Za-z0-9_-]/g, '_').slice(0, 200) || 'call';
