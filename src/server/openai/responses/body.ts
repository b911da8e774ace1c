/**
 * The body of `POST /v1/responses`, parsed into the gateway's request and what the answer repeats of it.
 *
 * @module server/openai/responses/body
 */
import { z } from 'zod';
import { type Grammar, SAMPLER_DEFAULTS } from '../../../engine/index.ts';
import type { ChatRequest } from '../../../gateway/index.ts';
import { optional, parseBody, refuse } from '../../http/schema.ts';
import { boundedArray } from '../input.ts';
import { checkStreamOptions, generationFields, generationOptions, text } from '../options.ts';
import { efforts, metadata, thinking } from '../small-fields.ts';
import { dereference, input, messagesOf, type Remembered } from './items.ts';
import type { Echo } from './response.ts';
import { offered, offerOf, toolChoice, tools } from './tools.ts';

const identifier = optional(z.string().max(1000));

const jsonSchema = z.object({
  type: z.literal('json_schema'),
  name: z.string().min(1).max(64),
  description: z.string().max(10_000).nullish(),
  schema: z.record(z.string(), z.unknown()),
  // Answers are always held to the schema exactly: both values ask for no more than that.
  strict: z.boolean().nullish(),
});

const format = z.discriminatedUnion('type', [
  z.object({ type: z.literal('text') }),
  z.object({ type: z.literal('json_object') }),
  jsonSchema,
]);

/** A body as clients write it; the API document is made from it. */
export const responseSchema = z.object({
  ...generationFields,
  input,
  instructions: optional(text),
  max_output_tokens: optional(z.int().min(1)),
  max_tool_calls: optional(z.int().min(1)),
  tools: optional(tools),
  tool_choice: optional(toolChoice),
  parallel_tool_calls: optional(z.boolean()),
  text: optional(z.object({ format: optional(format), verbosity: optional(z.string().max(100)) })),
  top_logprobs: optional(z.int().min(0).max(20)),
  include: optional(boundedArray(z.string().max(100), 0, 64)),
  truncation: optional(z.enum(['auto', 'disabled'])),
  metadata: optional(metadata),
  reasoning: optional(z.object({ effort: optional(z.enum(efforts)) })),
  safety_identifier: identifier,
  prompt_cache_key: identifier,
  store: optional(z.boolean()),
});

/** Known fields that ask for something this node does not do. Unknown fields are ignored. */
const refused = {
  previous_response_id: {
    why: 'responses are not stored here; send the earlier items again in `input`.',
  },
  conversation: { why: 'conversations are not stored here; send the earlier items in `input`.' },
  background: {
    allowed: [false],
    why: 'answers are not kept to be fetched later; leave it out, and use `stream` for long ones.',
  },
  prompt: { why: 'prompt templates are not stored here; send their text in `instructions` and `input`.' },
  context_management: { why: 'this node does not shorten conversations; see `truncation`.' },
  moderation: { why: 'this node does not moderate.' },
  n: { allowed: [1], why: 'a response is one answer; send the request again for more.' },
} as const;

export interface ResponseBody {
  readonly request: ChatRequest;
  readonly stream: boolean;
  /** Add the receipt to the response. */
  readonly receipt: boolean;
  /** Later requests may refer to the items of the answer. */
  readonly store: boolean;
  readonly echo: Echo;
}

/**
 * Parses a body into a request. Throws `InputError` naming the field.
 *
 * @param remembered what its references may stand for
 */
export function parseResponse(
  body: unknown,
  signal: AbortSignal,
  randomSeed: () => number,
  remembered: Remembered,
): ResponseBody {
  // Before the schema: whoever names an earlier response may leave `input` short or out.
  if (typeof body === 'object' && body !== null && !Array.isArray(body)) refuse(body, refused);
  const parsed = parseBody(responseSchema, body);
  checkStreamOptions(parsed);
  const wantsLogprobs =
    (parsed.include?.includes('message.output_text.logprobs') ?? false) || (parsed.top_logprobs ?? 0) > 0;
  const options = generationOptions(
    parsed,
    parsed.max_output_tokens ?? null,
    wantsLogprobs ? (parsed.top_logprobs ?? 0) : null,
    signal,
    randomSeed,
  );
  const asked = parsed.truncation && (parsed.truncation === 'auto' ? 'slide' : 'error');
  const overflow = options.overflow ?? asked ?? null;
  const grammar = grammarOf(parsed.text?.format);
  const effort = parsed.reasoning?.effort;
  const offer = offerOf(parsed.tools ?? [], parsed.tool_choice);
  return {
    request: {
      ...options,
      overflow,
      messages: messagesOf(parsed.instructions, dereference(parsed.input, remembered)),
      ...(grammar === null ? {} : { grammar }),
      ...offered(offer, parsed.parallel_tool_calls),
      ...(effort === undefined ? {} : { variables: thinking(effort) }),
    },
    stream: parsed.stream ?? false,
    receipt: parsed.kith?.receipt ?? false,
    store: parsed.store ?? true,
    echo: {
      instructions: parsed.instructions ?? null,
      max_output_tokens: parsed.max_output_tokens ?? null,
      max_tool_calls: parsed.max_tool_calls ?? null,
      metadata: parsed.metadata ?? {},
      parallel_tool_calls: parsed.parallel_tool_calls ?? true,
      temperature: parsed.temperature ?? SAMPLER_DEFAULTS.temperature,
      top_p: parsed.top_p ?? SAMPLER_DEFAULTS.topP,
      presence_penalty: parsed.presence_penalty ?? SAMPLER_DEFAULTS.presencePenalty,
      frequency_penalty: parsed.frequency_penalty ?? SAMPLER_DEFAULTS.frequencyPenalty,
      top_logprobs: parsed.top_logprobs ?? 0,
      text: {
        format: formatEcho(parsed.text?.format),
        ...(parsed.text?.verbosity === undefined ? {} : { verbosity: parsed.text.verbosity }),
      },
      tool_choice: parsed.tool_choice ?? 'auto',
      tools: (parsed.tools ?? []).map((each) => ({
        type: each.type,
        name: each.name,
        description: each.description ?? null,
        parameters: each.parameters ?? null,
        strict: each.strict ?? false,
      })),
      truncation: overflow === null ? null : overflow === 'slide' ? 'auto' : 'disabled',
      reasoning: { effort: effort ?? null, summary: null },
      user: parsed.user ?? null,
      safety_identifier: parsed.safety_identifier ?? null,
      prompt_cache_key: parsed.prompt_cache_key ?? null,
    },
  };
}

type Format = z.output<typeof format>;

/** Null when any text will do. */
function grammarOf(form: Format | undefined): Grammar | null {
  if (form === undefined || form.type === 'text') return null;
  return form.type === 'json_object' ? { kind: 'json_object' } : { kind: 'json_schema', schema: form.schema };
}

function formatEcho(form: Format | undefined): object {
  if (form?.type !== 'json_schema') return { type: form?.type ?? 'text' };
  const { type, name, description, schema: shape } = form;
  return { type, name, description: description ?? null, schema: shape, strict: true };
}
