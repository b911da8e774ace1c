/**
 * What a model of unknown architecture will take, from the metadata keys that nearly all architectures share. Used to
 * refuse before loading; what is really allocated is asked afterwards.
 *
 * @module engine/whole/estimate
 */

import { type Gguf, getInteger, getPerBlock, getString, hasKey } from '../../models/index.ts';
import type { EngineOptions } from '../types.ts';

/** Bytes of one KV element: ggml's block formats hold 32 values with their scale. */
const ELEMENT_BYTES: Readonly<Record<EngineOptions['kvType'], number>> = {
  f32: 4,
  f16: 2,
  q8_0: 34 / 32,
  q4_0: 18 / 32,
};

export interface Estimate {
  readonly weightBytes: number;
  /** KV bytes of one token over all blocks; 0 when the metadata names no attention heads (recurrent models). */
  readonly kvBytesPerCell: number;
  readonly contextTrained: number;
  readonly blocks: number;
  readonly embedding: number;
  /** True when the file says that its output is a pooled vector, or made of one. */
  readonly embeds: boolean;
}

export function estimate(gguf: Gguf, kvType: EngineOptions['kvType']): Estimate {
  const arch = getString(gguf, 'general.architecture');
  const blocks = getInteger(gguf, `${arch}.block_count`, { fallback: 0, max: 4096 });
  const embedding = getInteger(gguf, `${arch}.embedding_length`, { fallback: 0, max: 1 << 24 });
  const heads = getPerBlock(gguf, `${arch}.attention.head_count`, blocks, 0);
  const first = heads.find((count) => count > 0) ?? 0;
  let elements = 0;
  if (first > 0) {
    const length = Math.floor(embedding / first);
    const key = getInteger(gguf, `${arch}.attention.key_length`, { fallback: length });
    const value = getInteger(gguf, `${arch}.attention.value_length`, { fallback: length });
    const shared = `${arch}.attention.head_count_kv`;
    const kvHeads = hasKey(gguf, shared) ? getPerBlock(gguf, shared, blocks) : heads;
    for (const count of kvHeads) elements += count * (key + value);
  }
  const embeds = getInteger(gguf, `${arch}.pooling_type`, { fallback: 0 }) > 0;
  let weightBytes = 0;
  for (const tensor of gguf.tensors.values()) weightBytes += tensor.bytes;
  return {
    weightBytes,
    kvBytesPerCell: embeds ? 0 : elements * ELEMENT_BYTES[kvType],
    contextTrained: getInteger(gguf, `${arch}.context_length`, { fallback: 2048, min: 1, max: 1 << 30 }),
    blocks,
    embedding,
    embeds,
  };
}
