/**
 * Requests as bodies of OpenAI's API, in the dialect of one kind of server. What a server does not know is refused when
 * it would change what the answer is, and left out with a note when it only shades it.
 *
 * @module gateway/backends/openai/request
 */
import type { SamplerOptions } from '../../../engine/index.ts';
import type { ChatRequest, CompletionRequest, GenerationOptions } from '../../types.ts';
import { notSupported } from '../not-supported.ts';
import type { ServerKind } from './servers/index.ts';
import { isClosedSchema } from './strict.ts';

type Body = Record<string, unknown>;

export interface OutgoingRequest {
  readonly body: Body;
  /** What was left out, one sentence each. */
  readonly notes: readonly string[];
}

/** Throws `UpstreamError` of class `not_supported`. */
export function chatBody(request: ChatRequest, model: string, kind: ServerKind): OutgoingRequest {
  const notes: string[] = [];
  const messages: Body[] = request.messages.map((message) => ({ ...message }));
  const body: Body = { model, messages, ...generationBody(request, kind, notes) };
  const { topLogprobs } = request.sampler;
  if (typeof topLogprobs === 'number') {
    if (!kind.logprobs) throw notSupported(kind.kind, 'log probabilities', 'logprobs');
    body.logprobs = true;
    if (topLogprobs > 0) body.top_logprobs = topLogprobs;
  }
  if (request.grammar !== undefined) body.response_format = formatOf(request.grammar, kind);
  if (request.tools !== undefined && request.tools.length > 0) {
    body.tools = request.tools.map(({ name, description, parameters, strict }) => ({
      type: 'function',
      function: {
        name,
        ...(description === null ? {} : { description }),
        parameters: parameters ?? { type: 'object', properties: {} },
        ...(strict ? { strict: true } : {}),
      },
    }));
    const choice = request.toolChoice ?? 'auto';
    if (typeof choice === 'object') body.tool_choice = { type: 'function', function: { name: choice.name } };
    else if (choice !== 'auto') body.tool_choice = choice === 'required' ? kind.required : choice;
    if (request.parallelToolCalls === false) {
      if (kind.parallelToolCalls) body.parallel_tool_calls = false;
      else notes.push(`${kind.kind} cannot be held to one tool call at a time.`);
    }
  }
  if (request.variables !== undefined && Object.keys(request.variables).length > 0) {
    if (kind.templateVariables) body.chat_template_kwargs = request.variables;
    else notes.push(`Template variables were left out: ${kind.kind} takes none.`);
  }
  if (request.prefill !== undefined && request.prefill !== '')
    addPrefill(body, messages, request.prefill, kind);
  return { body, notes };
}

/** Throws `UpstreamError` of class `not_supported`. */
export function completionBody(request: CompletionRequest, model: string, kind: ServerKind): OutgoingRequest {
  if (!kind.completions) throw notSupported(kind.kind, 'plain completions', 'prompt');
  if (request.prompts.length > 1 && !kind.promptLists)
    throw notSupported(kind.kind, 'several prompts in one request', 'prompt');
  if (!kind.tokenInputs && request.prompts.some((prompt) => typeof prompt !== 'string'))
    throw notSupported(kind.kind, 'prompts of token ids', 'prompt');
  const notes: string[] = [];
  const prompts = request.prompts.map((prompt) => (typeof prompt === 'string' ? prompt : [...prompt]));
  const body: Body = {
    model,
    prompt: prompts.length === 1 ? prompts[0] : prompts,
    ...generationBody(request, { ...kind, maxTokens: 'max_tokens' }, notes),
  };
  if (request.echo) body.echo = true;
  if (typeof request.sampler.topLogprobs === 'number') {
    if (!kind.logprobs) throw notSupported(kind.kind, 'log probabilities', 'logprobs');
    body.logprobs = request.sampler.topLogprobs;
  }
  return { body, notes };
}

function generationBody(request: GenerationOptions, kind: ServerKind, notes: string[]): Body {
  const { sampler } = request;
  const body: Body = { stream: true };
  if (kind.includeUsage) body.stream_options = { include_usage: true };
  if (request.maxTokens !== null) body[kind.maxTokens] = request.maxTokens;
  if (request.stop.length > 0) body.stop = request.stop;
  if (request.n > 1) {
    if (!kind.choices) throw notSupported(kind.kind, 'several choices in one request', 'n');
    body.n = request.n;
  }
  if (sampler.temperature !== undefined) body.temperature = sampler.temperature;
  if (sampler.topP !== undefined) body.top_p = sampler.topP;
  if (sampler.seed !== undefined && kind.seed !== null) body[kind.seed] = seedOf(sampler.seed);
  const left: string[] = [];
  const put = (option: keyof SamplerOptions, field: string | null, value: unknown) => {
    if (value === undefined) return;
    if (field === null) left.push(option);
    else body[field] = value;
  };
  put('topK', kind.topK, sampler.topK);
  put('minP', kind.minP, sampler.minP);
  put('repeatPenalty', kind.repeatPenalty, sampler.repeatPenalty);
  put('presencePenalty', kind.penalties ? 'presence_penalty' : null, sampler.presencePenalty);
  put('frequencyPenalty', kind.penalties ? 'frequency_penalty' : null, sampler.frequencyPenalty);
  if (sampler.logitBias !== undefined && sampler.logitBias.length > 0)
    put('logitBias', kind.logitBias ? 'logit_bias' : null, Object.fromEntries(sampler.logitBias));
  if (request.overflow === 'slide') left.push('overflow');
  if (left.length > 0) notes.push(`Left out, as ${kind.kind} does not know them: ${left.join(', ')}.`);
  return body;
}

/** Seeds are unsigned 32-bit numbers here; many servers read a signed one, where half of them would be refused. */
const seedOf = (seed: number): number => seed & 0x7fffffff;

function formatOf(grammar: NonNullable<ChatRequest['grammar']>, kind: ServerKind): Body {
  if (grammar.kind === 'json_object') return { type: 'json_object' };
  if (grammar.kind === 'json_schema') {
    const strict = kind.strictSchema === 'always' || isClosedSchema(grammar.schema);
    return { type: 'json_schema', json_schema: { name: 'answer', schema: grammar.schema, strict } };
  }
  throw notSupported(kind.kind, `a grammar of kind ${grammar.kind}`, 'response_format');
}

function addPrefill(body: Body, messages: Body[], prefill: string, kind: ServerKind): void {
  const message: Body = { role: 'assistant', content: prefill };
  switch (kind.prefill) {
    case null:
      throw notSupported(kind.kind, 'answers that go on from a given beginning', 'messages');
    case 'continue_final_message':
      body.continue_final_message = true;
      body.add_generation_prompt = false;
      break;
    case 'prefix':
      message.prefix = true;
      break;
    case 'last_message':
      break;
  }
  messages.push(message);
}
