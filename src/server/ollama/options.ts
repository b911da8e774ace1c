/**
 * `options` of a body, and the other fields that chat and generate share.
 *
 * @module server/ollama/options
 */
import { z } from 'zod';
import { InputError } from '../../base/index.ts';
import type { Grammar, SamplerOptions } from '../../engine/index.ts';
import type { GenerationOptions } from '../../gateway/index.ts';
import { optional, refuse } from '../http/schema.ts';
import { boundedArray } from '../openai/input.ts';
import { text } from '../openai/options.ts';
import type { ServerContext } from '../types.ts';
import { modelId } from './names.ts';

const maxStops = 16;
const maxStopLength = 1000;

const stopText = text.pipe(z.string().min(1, 'must not be empty').max(maxStopLength));

/** What is not named here says how Ollama loads a model (`num_gpu`, `num_thread`, ...) and is ignored. */
const options = z.object({
  num_predict: optional(z.int().min(-2)),
  num_ctx: optional(z.int().min(0)),
  num_keep: optional(z.int().min(-1).max(1_000_000)),
  temperature: optional(z.number().min(0).max(5)),
  top_k: optional(z.int().min(-1).max(1_000_000)),
  top_p: optional(z.number().min(0).max(1)),
  min_p: optional(z.number().min(0).max(1)),
  seed: optional(z.int()),
  stop: optional(z.union([stopText.transform((one) => [one]), boundedArray(stopText, 0, maxStops)])),
  repeat_penalty: optional(z.number().min(0.01).max(100)),
  repeat_last_n: optional(z.int().min(-1).max(1_000_000)),
  presence_penalty: optional(z.number().min(-2).max(2)),
  frequency_penalty: optional(z.number().min(-2).max(2)),
});

const refusedOptions = {
  'options.tfs_z': { allowed: [1], why: 'tail-free sampling is not implemented; use `min_p`.' },
  'options.typical_p': { allowed: [1], why: 'typical sampling is not implemented; use `min_p`.' },
  'options.mirostat': { allowed: [0], why: 'mirostat is not implemented; use `min_p`.' },
} as const;

const number = String.raw`(?:\d+(?:\.\d*)?|\.\d+)`;
const duration = new RegExp(`^[-+]?(?:${number}|(?:${number}(?:ns|us|µs|μs|ms|s|m|h))+)$`);

/** True when the model is to leave memory at once. */
export const keepAlive = z
  .union([z.number(), z.string().max(40).regex(duration, 'must be a duration such as 5m')], {
    error: 'must be a number of seconds or a duration such as "5m"',
  })
  .transform((value) => !/[1-9]/.test(String(value)));

/** Name of a model. */
export const model = z.string().min(1, 'must not be empty').max(200);

const jsonObject = z.custom<object>(
  (value) => typeof value === 'object' && value !== null && !Array.isArray(value),
);

/** The form an answer is held to; null when any text will do. */
const format = z
  .union([z.literal(''), z.literal('json'), jsonObject], { error: 'must be "json" or a JSON Schema' })
  .transform((value): Grammar | null => {
    if (value === '') return null;
    return value === 'json' ? { kind: 'json_object' } : { kind: 'json_schema', schema: value };
  });

export const generationFields = {
  model,
  stream: optional(z.boolean()),
  format: optional(format),
  options: optional(options),
  keep_alive: optional(keepAlive),
  shift: optional(z.boolean()),
  truncate: optional(z.boolean()),
  logprobs: optional(z.boolean()),
  top_logprobs: optional(z.int().min(0).max(20)),
};

const schema = z.object(generationFields);
export type GenerationBody = z.output<typeof schema>;

const refused = {
  think: {
    allowed: [false],
    why: "this node does not tell a model's thinking apart from its answer; leave it out or send false.",
  },
} as const;

/**
 * What the shared fields ask of the gateway.
 *
 * @param body the whole body as it came, for fields that are refused by name
 * @throws InputError naming the field
 */
export async function generationOptions(
  context: ServerContext,
  body: object,
  parsed: GenerationBody,
  signal: AbortSignal,
): Promise<GenerationOptions> {
  refuse(body, refused);
  const given: { readonly seed?: unknown } = (body as { options?: object | null }).options ?? {};
  refuse(
    Object.fromEntries(Object.entries(given).map(([key, value]) => [`options.${key}`, value])),
    refusedOptions,
  );
  if (parsed.top_logprobs !== undefined && !parsed.logprobs) {
    throw new InputError('invalid_value', 'top_logprobs: needs `logprobs: true`', { param: 'top_logprobs' });
  }
  const id = modelId(parsed.model);
  const { num_predict: tokens = -1, num_ctx: window, num_keep: keep = 0, stop } = parsed.options ?? {};
  if (window !== undefined && window > 0) await checkWindow(context, id, window);
  const slides = parsed.shift ?? parsed.truncate;
  return {
    model: id,
    n: 1,
    sampler: samplerOf(parsed, context.randomSeed),
    // 0, -1 and -2 all mean as many as fit.
    maxTokens: tokens > 0 ? tokens : null,
    stop: stop ?? [],
    overflow: slides === undefined ? null : slides ? 'slide' : 'error',
    keepTokens: slides ? Math.max(0, keep) : 0,
    timeoutMs: null,
    signal,
    drawnSeed: given.seed === undefined || given.seed === -1,
  };
}

function samplerOf(parsed: GenerationBody, randomSeed: () => number): Partial<SamplerOptions> {
  const options: Partial<NonNullable<GenerationBody['options']>> = parsed.options ?? {};
  const sampler: { -readonly [K in keyof SamplerOptions]?: SamplerOptions[K] } = {
    // -1 asks for a random one. Of any other integer the low 32 bits are the seed.
    seed:
      options.seed === undefined || options.seed === -1
        ? randomSeed()
        : Number(BigInt.asUintN(32, BigInt(options.seed))),
    topLogprobs: parsed.logprobs ? (parsed.top_logprobs ?? 0) : null,
  };
  if (options.temperature !== undefined) sampler.temperature = options.temperature;
  if (options.top_k !== undefined) sampler.topK = Math.max(0, options.top_k);
  if (options.top_p !== undefined) sampler.topP = options.top_p;
  if (options.min_p !== undefined) sampler.minP = options.min_p;
  if (options.repeat_penalty !== undefined) sampler.repeatPenalty = options.repeat_penalty;
  if (options.repeat_last_n !== undefined) sampler.repeatLastN = options.repeat_last_n;
  if (options.presence_penalty !== undefined) sampler.presencePenalty = options.presence_penalty;
  if (options.frequency_penalty !== undefined) sampler.frequencyPenalty = options.frequency_penalty;
  return sampler;
}

/** Contexts are set for the node, not for a request: one that is large enough is what was asked for. */
async function checkWindow(context: ServerContext, id: string, window: number): Promise<void> {
  const known = (await context.gateway.models()).find((each) => each.id === id);
  if (!known || known.context === null || window <= known.context) return;
  throw new InputError(
    'invalid_value',
    `options.num_ctx: '${id}' has a context of ${known.context} tokens here, and a request cannot enlarge it to ${window}. Leave \`num_ctx\` out, or set \`engine.context\` for the node where the model allows more.`,
    { param: 'options.num_ctx' },
  );
}
