/**
 * Values that llama.cpp does not refuse but asserts: a file that has them would end the engine process, and every
 * request of every model with it.
 *
 * @module engine/whole/check
 */

import { InputError } from '../../base/index.ts';
import { type Gguf, getInteger, getString, getStrings, hasKey, tensorType } from '../../models/index.ts';
import { COMPUTABLE_TYPES } from '../runner/index.ts';

/** LLAMA_MAX_EXPERTS. */
const MAX_EXPERTS = 512;
/** LLAMA_MAX_LAYERS. */
const MAX_BLOCKS = 512;
const MAX_HEADS = 4096;
const MAX_WIDTH = 1 << 24;
const F32 = 0;
const ROPE_SCALING = new Set(['none', 'linear', 'yarn', 'longrope']);

type Range = (key: string, min: number, max: number, fallback: number) => number;

/** A dimension of zero is asserted. Recurrent models write zeros for what they do not have. */
function checkSizes(gguf: Gguf, arch: string, range: Range): void {
  const recurrent = [...gguf.metadata.keys()].some(
    (key) => key.startsWith(`${arch}.ssm.`) || key.startsWith(`${arch}.wkv.`),
  );
  if (recurrent) return;
  const single = (key: string, max: number, fallback: number): number =>
    gguf.metadata.get(`${arch}.${key}`)?.type === 'array' ? fallback : range(key, 1, max, fallback);
  const embedding = range('embedding_length', 1, MAX_WIDTH, 1);
  const heads = single('attention.head_count', Math.min(MAX_HEADS, embedding), 1);
  single('attention.head_count_kv', heads, 1);
  single('attention.key_length', MAX_WIDTH, 1);
  single('attention.value_length', MAX_WIDTH, 1);
  single('feed_forward_length', MAX_WIDTH, 1);
  const rotated = single('rope.dimension_count', MAX_WIDTH, 2);
  if (rotated % 2 !== 0) {
    throw new InputError('model_invalid', `${arch}: rope.dimension_count is ${rotated}; it must be even.`, {
      status: 422,
    });
  }
}

/** @throws InputError `model_invalid` (422) naming the key. */
export function checkForLlama(gguf: Gguf): void {
  const arch = getString(gguf, 'general.architecture');
  const refuse = (key: string, value: number | string, allowed: string): never => {
    throw new InputError('model_invalid', `${arch}: ${key} is ${value}; allowed is ${allowed}.`, {
      status: 422,
      details: { key, value },
    });
  };
  const range = (key: string, min: number, max: number, fallback: number): number => {
    const value = getInteger(gguf, `${arch}.${key}`, { fallback });
    if (value < min || value > max) refuse(key, value, `${min} to ${max}`);
    return value;
  };
  range('block_count', 1, MAX_BLOCKS, 1);
  checkSizes(gguf, arch, range);
  const tokens = getStrings(gguf, 'tokenizer.ggml.tokens', []);
  if (
    hasKey(gguf, 'tokenizer.ggml.tokens') &&
    (tokens.length === 0 || new Set(tokens).size < tokens.length)
  ) {
    throw new InputError(
      'model_invalid',
      `The model file names ${tokens.length} tokens, ${new Set(tokens).size} of them different; all must be, and there must be one.`,
      { status: 422 },
    );
  }
  const experts = range('expert_count', 0, MAX_EXPERTS, 0);
  if (experts > 0) range('expert_used_count', 1, experts, 0);
  else range('expert_used_count', 0, 0, 0);
  const scaling = getString(gguf, `${arch}.rope.scaling.type`, 'linear');
  if (!ROPE_SCALING.has(scaling)) refuse('rope.scaling.type', scaling, [...ROPE_SCALING].join(', '));
  for (const { name, dims, type } of gguf.tensors.values()) {
    const isVector = dims.length === 1 && (name.endsWith('.bias') || name.endsWith('norm.weight'));
    if (isVector ? type === F32 : COMPUTABLE_TYPES.has(type)) continue;
    refuse(
      `the type of the tensor ${name}`,
      tensorType(type)?.name ?? type,
      isVector ? 'F32' : 'a weight type',
    );
  }
}
