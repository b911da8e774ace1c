/**
 * Our sampler options as node-llama-cpp's. What it cannot do is refused by name, never dropped silently.
 *
 * @module engine/whole/sampling
 */

import type { LlamaModel, SequenceEvaluateOptions, Token } from 'node-llama-cpp';
import { InputError } from '../../base/index.ts';
import { SAMPLER_DEFAULTS } from '../sampler/index.ts';
import type { SamplerOptions } from '../types.ts';

/** A bias at or below this bans the token (OpenAI's documented meaning of -100). */
const BAN = -100;

export interface MapInput {
  readonly model: LlamaModel;
  readonly TokenBias: typeof import('node-llama-cpp').TokenBias;
  readonly sampler: Partial<SamplerOptions>;
  /** Prompt and generated tokens so far, oldest first; read again for every token. */
  readonly history: readonly number[];
  readonly id: string;
}

/** @throws InputError `unsupported_for_model` for logprobs. */
export function mapSampler(input: MapInput): SequenceEvaluateOptions {
  const options: SamplerOptions = { ...SAMPLER_DEFAULTS, ...input.sampler };
  if (options.topLogprobs !== null) {
    throw new InputError(
      'unsupported_for_model',
      `Model '${input.id}' runs through node-llama-cpp, which cannot report log probabilities. Leave out \`logprobs\`.`,
      { param: 'logprobs' },
    );
  }
  return {
    temperature: options.temperature,
    topK: options.topK,
    topP: options.topP,
    minP: options.minP,
    seed: options.seed,
    ...penalties(options, input.history),
    ...biases(options, input),
  };
}

function penalties(options: SamplerOptions, history: readonly number[]): SequenceEvaluateOptions {
  const { repeatPenalty, presencePenalty, frequencyPenalty, repeatLastN } = options;
  const neutral = repeatPenalty === 1 && presencePenalty === 0 && frequencyPenalty === 0;
  if (neutral || repeatLastN === 0) return {};
  return {
    repeatPenalty: {
      penalty: repeatPenalty,
      presencePenalty,
      frequencyPenalty,
      // -1 means the whole context; the library sizes a buffer by this number.
      maxPunishTokens: repeatLastN < 0 ? 32_768 : Math.min(repeatLastN, 32_768),
      punishTokens: () => (repeatLastN < 0 ? history.slice() : history.slice(-repeatLastN)) as Token[],
    },
  };
}

function biases(options: SamplerOptions, { model, TokenBias }: MapInput): SequenceEvaluateOptions {
  if (options.logitBias.length === 0) return {};
  const tokenBias = TokenBias.for(model);
  for (const [token, bias] of options.logitBias) {
    tokenBias.set(token as Token, bias <= BAN ? 'never' : { logit: bias });
  }
  return { tokenBias };
}
