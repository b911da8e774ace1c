/**
 * The fields that chat and completion bodies share, and what they become inside.
 *
 * @module server/openai/options
 */
import { z } from 'zod';
import { InputError, TIERS } from '../../base/index.ts';
import type { SamplerOptions } from '../../engine/index.ts';
import type { GenerationOptions } from '../../gateway/index.ts';
import type { PeerRequirements } from '../../trust/index.ts';
import { optional } from '../http/schema.ts';
import { boundedArray } from './input.ts';

const maxStops = 16;
const maxStopLength = 1000;
const maxBiases = 1024;
const maxChoices = 16;

/** Replaces lone surrogates (JSON can carry them in escapes) by U+FFFD: everything inside is valid Unicode. */
export const text = z.string().transform((value) => value.toWellFormed());

const stopText = text.pipe(z.string().min(1, 'must not be empty').max(maxStopLength));

const logitBias = z
  .custom<object>((value) => typeof value === 'object' && value !== null && !Array.isArray(value), {
    message: 'must be an object: token id -> bias',
    abort: true,
  })
  .refine((value) => Object.keys(value).length <= maxBiases, `at most ${maxBiases} entries`)
  .pipe(
    z.record(
      z.string().regex(/^\d{1,9}$/, 'a key must be a token id, a whole number from 0'),
      z.number().min(-100).max(100),
    ),
  );

/** What a request asks of peers, in the body under `kith`: the stricter of this and its headers holds. */
export const peerFields = {
  /** Lowest trust tier of a peer that may see it. */
  min_tier: optional(z.enum(TIERS)),
  /** Round trip and queue of a peer that may answer it, ms. */
  max_latency_ms: optional(z.number().min(0).max(86_400_000)),
  /** Regions in which it may be answered. */
  regions: optional(boundedArray(z.string().regex(/^[\w.-]{1,64}$/), 0, 32)),
  /** Only peers whose operator gave the FiduciaryPledge may see it. */
  pledge: optional(z.boolean()),
};

const peerSchema = z.object(peerFields);

/** Undefined when it asks nothing of peers. */
export function peerAsks(body: z.output<typeof peerSchema> | undefined): PeerRequirements | undefined {
  const { min_tier: minTier, max_latency_ms: maxLatencyMs, regions, pledge } = body ?? {};
  const asks: PeerRequirements = {
    ...(minTier === undefined ? {} : { minTier }),
    ...(maxLatencyMs === undefined ? {} : { maxLatencyMs }),
    ...(regions === undefined ? {} : { regions }),
    ...(pledge === undefined ? {} : { pledge }),
  };
  return Object.keys(asks).length === 0 ? undefined : asks;
}

/** Kith's own options, in the body under `kith`. */
const extension = z.strictObject({
  /** What to do when prompt and answer exceed the context. */
  overflow: optional(z.enum(['error', 'slide'])),
  /** With `slide`: tokens at the start that are never dropped. */
  keep_tokens: optional(z.int().min(0).max(1_000_000)),
  /** Whole-request limit in ms. */
  timeout_ms: optional(z.int().min(1).max(86_400_000)),
  /** Add the receipt to the body: under `kith` in the answer, or in the last chunk of a stream. */
  receipt: optional(z.boolean()),
  ...peerFields,
});

export const generationFields = {
  model: optional(z.string().min(1).max(200)),
  temperature: optional(z.number().min(0).max(2)),
  top_p: optional(z.number().gt(0).max(1)),
  top_k: optional(z.int().min(0).max(1_000_000)),
  min_p: optional(z.number().min(0).max(1)),
  n: optional(z.int().min(1).max(maxChoices)),
  stop: optional(z.union([stopText.transform((one) => [one]), boundedArray(stopText, 0, maxStops)])),
  seed: optional(z.int()),
  presence_penalty: optional(z.number().min(-2).max(2)),
  frequency_penalty: optional(z.number().min(-2).max(2)),
  repeat_penalty: optional(z.number().gt(0).max(10)),
  logit_bias: optional(logitBias),
  stream: optional(z.boolean()),
  stream_options: optional(z.object({ include_usage: optional(z.boolean()) })),
  user: optional(z.string().max(1000)),
  kith: optional(extension),
};

const schema = z.object(generationFields);
export type GenerationBody = z.output<typeof schema>;

/** Throws `InputError` for options of a stream in a body that asks for none. */
export function checkStreamOptions(body: {
  readonly stream?: boolean | undefined;
  readonly stream_options?: object | undefined;
}): void {
  if (body.stream_options === undefined || body.stream) return;
  throw new InputError('invalid_value', 'stream_options: only with `stream: true`', {
    param: 'stream_options',
  });
}

/**
 * @param randomSeed seed when the body names none (unsigned 32 bit)
 */
export function generationOptions(
  body: GenerationBody,
  maxTokens: number | null,
  topLogprobs: number | null,
  signal: AbortSignal,
  randomSeed: () => number,
): GenerationOptions {
  const sampler: { -readonly [K in keyof SamplerOptions]?: SamplerOptions[K] } = {
    // Any integer is taken; its low 32 bits are the seed.
    seed: body.seed === undefined ? randomSeed() : Number(BigInt.asUintN(32, BigInt(body.seed))),
    topLogprobs,
  };
  if (body.temperature !== undefined) sampler.temperature = body.temperature;
  if (body.top_p !== undefined) sampler.topP = body.top_p;
  if (body.top_k !== undefined) sampler.topK = body.top_k;
  if (body.min_p !== undefined) sampler.minP = body.min_p;
  if (body.presence_penalty !== undefined) sampler.presencePenalty = body.presence_penalty;
  if (body.frequency_penalty !== undefined) sampler.frequencyPenalty = body.frequency_penalty;
  if (body.repeat_penalty !== undefined) sampler.repeatPenalty = body.repeat_penalty;
  if (body.logit_bias !== undefined)
    sampler.logitBias = Object.entries(body.logit_bias).map(
      ([token, bias]) => [Number(token), bias] as const,
    );
  const peers = peerAsks(body.kith);
  return {
    ...(peers === undefined ? {} : { peers }),
    model: body.model ?? null,
    n: body.n ?? 1,
    sampler,
    maxTokens,
    stop: body.stop ?? [],
    overflow: body.kith?.overflow ?? null,
    keepTokens: body.kith?.keep_tokens ?? 0,
    timeoutMs: body.kith?.timeout_ms ?? null,
    signal,
    drawnSeed: body.seed === undefined,
  };
}
