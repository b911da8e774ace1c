/**
 * Sampler options: defaults, allowed ranges, and the one place where options from outside are checked.
 *
 * @module engine/sampler/options
 */
import { z } from 'zod';
import { InputError } from '../../base/index.ts';
import type { SamplerOptions } from '../types.ts';

export const SAMPLER_DEFAULTS: SamplerOptions = Object.freeze({
  temperature: 0.7,
  topK: 40,
  topP: 0.95,
  minP: 0.05,
  repeatPenalty: 1,
  repeatLastN: 64,
  presencePenalty: 0,
  frequencyPenalty: 0,
  logitBias: [],
  seed: 0,
  topLogprobs: null,
});

/** A bias at or below this is a ban, whatever the logit (OpenAI's documented meaning of -100). */
export const BAN = -100;
const MAX_BIASES = 1024;
const MAX_TOKEN = 2 ** 21 - 1;

const schema = z
  .strictObject({
    temperature: z.number().min(0).max(5),
    topK: z.int().min(0).max(MAX_TOKEN),
    topP: z.number().min(0).max(1),
    minP: z.number().min(0).max(1),
    repeatPenalty: z.number().min(0.01).max(100),
    repeatLastN: z.int().min(-1).max(1_000_000),
    presencePenalty: z.number().min(-2).max(2),
    frequencyPenalty: z.number().min(-2).max(2),
    logitBias: z
      // Whether a model has the token is checked where the model is known.
      .array(z.tuple([z.int().min(0).max(0x7fff_ffff), z.number().min(-100).max(100)]).readonly())
      .max(MAX_BIASES)
      .readonly(),
    seed: z.int().min(0).max(0xffff_ffff),
    topLogprobs: z.int().min(0).max(20).nullable(),
  })
  .partial();

const ALLOWED: Readonly<Record<keyof SamplerOptions, string>> = {
  temperature: 'a number from 0 (greedy) to 5',
  topK: `an integer from 0 (off) to ${MAX_TOKEN}`,
  topP: 'a number from 0 to 1 (off)',
  minP: 'a number from 0 (off) to 1',
  repeatPenalty: 'a number from 0.01 to 100; 1 is off',
  repeatLastN: 'an integer from -1 (whole context) to 1000000; 0 is off',
  presencePenalty: 'a number from -2 to 2; 0 is off',
  frequencyPenalty: 'a number from -2 to 2; 0 is off',
  logitBias: `at most ${MAX_BIASES} pairs of a token id and a bias from -100 (ban) to 100`,
  seed: 'an integer from 0 to 4294967295',
  topLogprobs: 'null (none) or an integer from 0 to 20',
};

/**
 * Checks options that come from outside; keys left out or undefined stay out.
 *
 * @throws InputError `sampler_option_invalid` with `param` and the allowed range
 */
export function parseSamplerOptions(input: unknown): Partial<SamplerOptions> {
  const result = schema.safeParse(input);
  if (result.success) {
    const given = Object.entries(result.data).filter(([, value]) => value !== undefined);
    return Object.fromEntries(given) as Partial<SamplerOptions>;
  }
  const issue = result.error.issues[0]!;
  if (issue.code === 'unrecognized_keys') {
    const key = String(issue.keys[0]).slice(0, 64);
    throw new InputError(
      'sampler_option_invalid',
      `'${key}' is not a sampler option. Known options: ${Object.keys(ALLOWED).join(', ')}.`,
      { param: key },
    );
  }
  const key = issue.path[0] as keyof SamplerOptions | undefined;
  if (key === undefined) throw new InputError('sampler_option_invalid', 'Sampler options must be an object.');
  throw new InputError(
    'sampler_option_invalid',
    `${key} must be ${ALLOWED[key]}; got ${shown(input, key)}.`,
    {
      param: key,
    },
  );
}

function shown(input: unknown, key: string): string {
  const value = (input as Record<string, unknown>)[key];
  if (typeof value === 'number' || typeof value === 'boolean' || value === null) return String(value);
  if (typeof value === 'string') return JSON.stringify(value.slice(0, 40));
  return Array.isArray(value) ? 'an array with an entry outside' : `a value of type ${typeof value}`;
}
