/**
 * What the blocks of a model take, from what is known of it: its header, else the list of its tensors, else its manifest.
 *
 * @module shards/plan/shape
 */
import {
  type Gguf,
  getNumber,
  getNumbers,
  getString,
  type ModelManifest,
  type TensorList,
} from '../../models/index.ts';
import type { ModelShape } from './choose.ts';

export type KvType = 'f32' | 'f16' | 'q8_0' | 'q4_0';

const BYTES: Readonly<Record<KvType, number>> = { f32: 4, f16: 2, q8_0: 34 / 32, q4_0: 18 / 32 };
const BLOCK = /^blk\.(\d+)\./;

/** Exact. Undefined when the header lacks what every model has. */
export function shapeOfHeader(gguf: Gguf, blocks: number, kvType: KvType): ModelShape | undefined {
  const name = getString(gguf, 'general.architecture', '');
  const number = (key: string, fallback: number): number => {
    const entry = gguf.metadata.get(`${name}.${key}`);
    if (entry === undefined) return fallback;
    return entry.type === 'array'
      ? Math.max(...getNumbers(gguf, `${name}.${key}`))
      : getNumber(gguf, `${name}.${key}`);
  };
  const heads = number('attention.head_count', 0);
  const width = number('embedding_length', 0);
  if (!(heads > 0) || !(width > 0)) return undefined;
  const kvHeads = number('attention.head_count_kv', heads);
  const values =
    number('attention.key_length', width / heads) + number('attention.value_length', width / heads);
  const blockBytes = bytesByBlock(gguf.tensors.values(), blocks);
  return blockBytes === undefined
    ? undefined
    : { blockBytes, kvBytesPerCell: Math.ceil(kvHeads * values * BYTES[kvType]) };
}

/** Weights are exact, KV cells are those of a model that shares no heads: rather too many. */
export function shapeOfList(
  list: TensorList,
  manifest: ModelManifest,
  kvType: KvType,
): ModelShape | undefined {
  const blockBytes = bytesByBlock(list.sections, manifest.blocks);
  return blockBytes && { blockBytes, kvBytesPerCell: 2 * manifest.embedding * BYTES[kvType] };
}

/** The whole file in equal parts: rather too many bytes. */
export function roughShape({ blocks, bytes, embedding }: ModelManifest, kvType: KvType): ModelShape {
  return {
    blockBytes: new Array<number>(blocks).fill(Math.ceil(bytes / blocks)),
    kvBytesPerCell: 2 * embedding * BYTES[kvType],
  };
}

function bytesByBlock(
  tensors: Iterable<{ readonly name: string; readonly bytes: number }>,
  blocks: number,
): readonly number[] | undefined {
  const sums = new Array<number>(blocks).fill(0);
  for (const { name, bytes } of tensors) {
    const block = Number(BLOCK.exec(name)?.[1] ?? -1);
    if (block >= 0 && block < blocks) sums[block]! += bytes;
  }
  return sums.every((sum) => sum > 0) ? sums : undefined;
}
