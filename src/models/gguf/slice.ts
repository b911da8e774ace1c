/**
 * Which bytes of a model file a block range needs, so that a node can fetch its blocks and nothing else.
 * Tensor names are llama.cpp's.
 *
 * @module models/gguf/slice
 */

import { InputError } from '../../base/index.ts';
import type { Gguf, GgufTensor } from '../types.ts';
import { getInteger, getString } from './access.ts';

export interface BlockRange {
  /** First block. */
  readonly from: number;
  /** Block after the last; `from` itself for no block. */
  readonly to: number;
  /** Also what turns token ids into hidden states. @default false */
  readonly embedding?: boolean;
  /** Also the final norm and what turns hidden states into logits or class scores. @default false */
  readonly head?: boolean;
}

export interface ByteRange {
  /** Absolute offset in the file. */
  readonly offset: number;
  readonly length: number;
}

export interface ModelSlice {
  /** The tensors of the range, in file order. */
  readonly tensors: readonly GgufTensor[];
  /** What to fetch: ascending, not overlapping. The header, bytes [0, `gguf.dataOffset`), is not among them. */
  readonly ranges: readonly ByteRange[];
  /** Bytes to fetch, gaps between tensors included. */
  readonly bytes: number;
}

/** Two wanted tensors this close are fetched as one range: a request costs more than the bytes between. */
export const COALESCE_GAP = 64 * 1024;

const EMBEDDING = /^(token_embd|token_embd_norm|token_types|position_embd|per_layer_token_embd)\./;
const HEAD = /^(output|output_norm|cls|cls\.output|cls\.norm|dense_2|dense_3)\.(weight|bias|scale)$/;
const BLOCK = /^blk\.(\d+)\./;

/** Number of transformer blocks: `<architecture>.block_count`. */
export function blockCount(gguf: Gguf): number {
  return getInteger(gguf, `${getString(gguf, 'general.architecture')}.block_count`, { max: 1_000_000 });
}

/**
 * The tensors and byte ranges of blocks [from, to). A tied head (a file without `output.weight`) takes
 * `token_embd.weight` along. Tensors that belong to no block and neither end (`rope_freqs.weight` and what this
 * release does not know) are part of every range that has blocks: they may be needed, and are small.
 *
 * @throws {InputError} `gguf_block_range` unless 0 <= from <= to <= block count; `gguf_block_missing` when the file
 * has no tensor for a block in the range.
 */
export function sliceModel(gguf: Gguf, range: BlockRange, gap: number = COALESCE_GAP): ModelSlice {
  const tensors = tensorsOf([...gguf.tensors.values()], blockCount(gguf), range);
  const ranges = coalesce(tensors, gap);
  return { tensors, ranges, bytes: ranges.reduce((sum, { length }) => sum + length, 0) };
}

/**
 * Those of a model's tensors that a range needs, in file order: as `sliceModel`, for those who know the tensors and
 * have not read the header.
 *
 * @throws {InputError} as `sliceModel`
 */
export function tensorsOf<T extends { readonly name: string; readonly offset: number }>(
  all: readonly T[],
  blocks: number,
  range: BlockRange,
): T[] {
  checkRange(range, blocks);
  const { from, to } = range;
  const names = new Set(all.map(({ name }) => name));
  // Without a final norm there are no logits (an encoder), so its embedding is no head.
  const tied = !names.has('output.weight') && names.has('output_norm.weight');
  const missing = new Set(Array.from({ length: to - from }, (_, i) => from + i));
  const wanted = (name: string): boolean => {
    const block = BLOCK.exec(name)?.[1];
    if (block !== undefined) {
      missing.delete(Number(block));
      return Number(block) >= from && Number(block) < to;
    }
    if (EMBEDDING.test(name)) {
      return range.embedding === true || (range.head === true && tied && name === 'token_embd.weight');
    }
    if (HEAD.test(name)) return range.head === true;
    return to > from;
  };
  const tensors = all.filter((tensor) => wanted(tensor.name)).sort((a, b) => a.offset - b.offset);
  const absent = missing.values().next().value;
  if (absent !== undefined) {
    throw new InputError('gguf_block_missing', `The file has no tensor of block ${absent}.`, {
      details: { block: absent },
    });
  }
  return tensors;
}

/** @throws {InputError} `gguf_block_range` unless 0 <= from <= to <= block count. */
export function checkRange({ from, to }: BlockRange, blocks: number): void {
  const whole = Number.isSafeInteger(from) && Number.isSafeInteger(to);
  if (!whole || from < 0 || to < from || to > blocks) {
    throw new InputError(
      'gguf_block_range',
      `There are no blocks [${from}, ${to}) in a model of ${blocks} blocks.`,
      {
        details: { from, to, blocks },
      },
    );
  }
}

/** Byte ranges that cover the tensors (in ascending order), joined where at most `gap` bytes lie between. */
export function coalesce(
  tensors: readonly { readonly offset: number; readonly bytes: number }[],
  gap: number = COALESCE_GAP,
): ByteRange[] {
  const ranges: { offset: number; length: number }[] = [];
  for (const { offset, bytes } of tensors) {
    const last = ranges.at(-1);
    if (last !== undefined && offset - (last.offset + last.length) <= gap)
      last.length = offset + bytes - last.offset;
    else ranges.push({ offset, length: bytes });
  }
  return ranges;
}
