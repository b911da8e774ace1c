/**
 * Makes what two Eves are to search: blocks of sealed vectors, and the tables from which rows are fetched unseen.
 *
 * @module vault/split/build
 */
import { KithError, type Random, throwIfAborted, toHex } from '../../base/index.ts';
import { blockId } from '../block.ts';
import type { CollectionKeys } from '../keys/keys.ts';
import { PCA_SAMPLE } from '../vectors/pca.ts';
import type { ScoreBlock, SplitIndex } from './index-file.ts';
import { BLOCK_VECTORS, DIMENSIONS } from './parameters.ts';
import { createTableWriter, rowBytesFor } from './rows.ts';
import { startSealing } from './sealing.ts';

export interface SplitItem {
  /** L2-normalised. */
  readonly vector: Float32Array;
  /** What is to be shown of it, as bytes of the caller's form. */
  readonly text: Uint8Array;
}

export interface SplitSource {
  readonly count: number;
  readonly dimension: number;
  /** In an order that stays. Is walked twice for `split`. */
  items(): Iterable<SplitItem> | AsyncIterable<SplitItem>;
}

export interface BuildOptions {
  readonly keys: CollectionKeys;
  readonly random: Pick<Random, 'bytes'>;
  /** Keeps a block at all Eves. */
  readonly put: (id: string, block: Uint8Array) => Promise<void>;
  /** Bytes of a row of texts; longer texts take several. @default 1280 */
  readonly textRowBytes?: number;
  readonly signal?: AbortSignal;
  readonly told?: (done: number, of: number) => void;
}

export const TEXT_ROW_BYTES = 1280;
/** Full scale of a number of 16 bits: components are within ±1. */
const FULL = 32_767;

/** A vector with 16 bits a number. */
export const packVector = (vector: Float32Array): Uint8Array => {
  const out = Buffer.alloc(vector.length * 2);
  for (let i = 0; i < vector.length; i++)
    out.writeInt16LE(Math.max(-FULL, Math.min(FULL, Math.round(vector[i]! * FULL))), i * 2);
  return out;
};

export function unpackVector(bytes: Uint8Array): Float32Array {
  const view = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
  return Float32Array.from({ length: bytes.length >> 1 }, (_, i) => view.readInt16LE(i * 2) / FULL);
}

/** @throws KithError `split_dimension` */
export function checkDimension(dimension: number): void {
  if (dimension < DIMENSIONS)
    throw new KithError(
      'split_dimension',
      `The mode split takes vectors of ${DIMENSIONS} numbers or more; these have ${dimension}. Take another embedding model, or keep the collection sealed.`,
      { status: 409 },
    );
}

/** @throws KithError `split_dimension` */
export async function buildSplit(source: SplitSource, options: BuildOptions): Promise<SplitIndex> {
  const { keys, random, put, textRowBytes = TEXT_ROW_BYTES, signal, told } = options;
  const { count, dimension } = source;
  checkDimension(dimension);
  const sample = new Float32Array(Math.min(count, PCA_SAMPLE) * dimension);
  const every = Math.max(1, Math.ceil(count / PCA_SAMPLE));
  let seen = 0;
  let taken = 0;
  for await (const { vector } of source.items()) {
    if (seen++ % every === 0 && taken < PCA_SAMPLE) sample.set(vector, taken++ * dimension);
    throwIfAborted(signal);
  }
  await using sealing = startSealing(keys, signal);
  const projection = await sealing.fit(sample.slice(0, taken * dimension), dimension);

  const rowKey = keys.key('rows');
  const table = (rowBytes: number) =>
    createTableWriter(rowKey, { name: toHex(random.bytes(16)), rowBytes, heads: count }, put, random);
  const vectors = table(rowBytesFor(dimension * 2));
  const texts = table(textRowBytes);
  const scores: ScoreBlock[] = [];
  /** Vectors of the block to come. */
  const room = new Float32Array(BLOCK_VECTORS * dimension);
  let rows = 0;
  const close = async () => {
    if (rows === 0) return;
    const { block, sums, cipher } = await sealing.seal(projection, room.slice(0, rows * dimension), random);
    const id = blockId(cipher);
    await put(id, cipher);
    scores.push({ block, id, count: rows, sums });
    rows = 0;
  };
  let done = 0;
  for await (const { vector, text } of source.items()) {
    throwIfAborted(signal);
    room.set(vector, rows++ * dimension);
    if (rows === BLOCK_VECTORS) await close();
    await vectors.add(packVector(vector));
    await texts.add(text);
    told?.(++done, count);
  }
  await close();
  return { projection, scores, vectors: await vectors.finish(), texts: await texts.finish(), count };
}
