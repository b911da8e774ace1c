/**
 * One sequence's choice of the next token, in the order that `SamplerOptions` states: logit bias, penalties
 * (repeat, presence, frequency), mask, temperature, top-k, top-p, min-p, draw.
 *
 * @module engine/sampler/sampler
 */
import { createSeededRandom, InputError, KithError } from '../../base/index.ts';
import type { SampledToken, Sampler, SamplerOptions } from '../types.ts';
import { createCandidates } from './candidates.ts';
import { createHistory } from './history.ts';
import { argmax, logSumExp, selectTop } from './logits.ts';
import { BAN, SAMPLER_DEFAULTS } from './options.ts';

export interface SamplerHooks {
  /** Sets logits of tokens that must not come next to -Infinity. Runs after the penalties. */
  readonly mask?: (logits: Float32Array) => void;
}

/**
 * @param options checked options (`parseSamplerOptions`); what is left out takes its default, `seed` 0: the caller
 *   draws a seed for a request that names none
 * @param vocab length of every logits row
 * @throws InputError `sampler_option_invalid` when a biased token is not in the vocabulary
 */
export function createSampler(
  options: Partial<SamplerOptions>,
  vocab: number,
  hooks: SamplerHooks = {},
): Sampler {
  const { temperature, topK, topP, minP, repeatPenalty, repeatLastN, presencePenalty, frequencyPenalty } = {
    ...SAMPLER_DEFAULTS,
    ...options,
  };
  const logitBias = options.logitBias ?? [];
  const topLogprobs = options.topLogprobs ?? null;
  for (const [token] of logitBias) {
    if (token < 0 || token >= vocab) {
      throw new InputError(
        'sampler_option_invalid',
        `logitBias names token ${token}; the vocabulary ends at ${vocab - 1}.`,
        {
          param: 'logitBias',
        },
      );
    }
  }
  const { mask } = hooks;
  const penalised =
    repeatLastN !== 0 && (repeatPenalty !== 1 || presencePenalty !== 0 || frequencyPenalty !== 0);
  const history = penalised ? createHistory(repeatLastN) : null;
  const random = createSeededRandom(options.seed ?? SAMPLER_DEFAULTS.seed);
  const candidates = temperature > 0 ? createCandidates({ temperature, topK, topP, minP }, vocab) : null;
  const changesLogits = logitBias.length > 0 || history !== null || mask !== undefined;
  const rawCopy = topLogprobs !== null && changesLogits ? new Float32Array(vocab) : null;
  const topIds = new Int32Array(Math.min(topLogprobs ?? 0, vocab));

  function penalise(logits: Float32Array): void {
    if (history === null) return;
    for (const [token, count] of history.counts) {
      if (token < 0 || token >= vocab) continue;
      let logit = logits[token]!;
      if (repeatPenalty !== 1) logit = logit > 0 ? logit / repeatPenalty : logit * repeatPenalty;
      logits[token] = logit - presencePenalty - count * frequencyPenalty;
    }
  }

  function choose(logits: Float32Array): number {
    for (const [token, bias] of logitBias) {
      logits[token] = bias <= BAN ? Number.NEGATIVE_INFINITY : logits[token]! + bias;
    }
    penalise(logits);
    mask?.(logits);
    if (candidates === null) return argmax(logits);
    const count = candidates.select(logits);
    return candidates.ids[candidates.draw(count, random.float())]!;
  }

  return {
    sample(logits): SampledToken {
      if (logits.length !== vocab) {
        throw new KithError(
          'logits_invalid',
          `A row of ${logits.length} logits came for a vocabulary of ${vocab}.`,
        );
      }
      if (topLogprobs === null) {
        const token = choose(logits);
        history?.add(token);
        return { token, logprobs: null };
      }
      const raw = rawCopy ?? logits;
      rawCopy?.set(logits);
      const norm = logSumExp(raw);
      const token = choose(logits);
      history?.add(token);
      const top: [number, number][] = [];
      const count = topIds.length === 0 ? 0 : selectTop(raw, topIds.length, topIds);
      for (let i = 0; i < count; i++) top.push([topIds[i]!, raw[topIds[i]!]! - norm]);
      return { token, logprobs: { logprob: raw[token]! - norm, top } };
    },
    accept(tokens) {
      if (history === null) return;
      // Only the window can matter: a long prompt costs no more than the window.
      const from = repeatLastN > 0 ? Math.max(0, tokens.length - repeatLastN) : 0;
      for (let i = from; i < tokens.length; i++) history.add(tokens[i]!);
    },
  };
}
