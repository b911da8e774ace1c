/**
 * Values that llama.cpp does not refuse but asserts: a file that has them would end the engine process, and every
 * request of every model with it.
 *
 * @module engine/whole/check
 */

import { InputError } from '../../base/index.ts';
import { type Gguf, getInteger, getString, tensorType } from '../../models/index.ts';
import { COMPUTABLE_TYPES } from '../runner/index.ts';

/** LLAMA_MAX_EXPERTS. */
const MAX_EXPERTS = 512;
const F32 = 0;
const ROPE_SCALING = new Set(['none', 'linear', 'yarn', 'longrope']);

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
