/**
 * What a block is called: the root of a hash tree over its bytes, so that a stretch of it can be held against its name
 * without the rest.
 *
 * Leaves are 4096 bytes (the last one what is left; an empty block has one empty leaf). SHA-256 throughout, with a byte before
 * what is hashed that says what it is, as RFC 9162 section 2.1.1 does, whose tree this is: 0 for a leaf, 1 for two nodes. The name is
 * SHA-256 of the byte 2, the length (u32, big-endian) and the root: trees of other lengths have other names.
 *
 * @module vault/block
 */
import { hash } from 'node:crypto';
import { InputError, toHex } from '../base/index.ts';

/** Bytes of a leaf. */
export const LEAF_BYTES = 4096;
/** Bytes of a block: a stretch of 2048 vectors of 192 numbers for `split` has 1.5 MiB. */
export const BLOCK_MAX_BYTES = 4 << 20;
/** Bytes of a name. */
export const ID_BYTES = 32;
/** Steps from a leaf to the root at most. */
export const PATH_MAX = Math.ceil(Math.log2(BLOCK_MAX_BYTES / LEAF_BYTES));

const digest = (bytes: Uint8Array): Buffer => hash('sha256', bytes, 'buffer');
const joined = (left: Uint8Array, right: Uint8Array): Buffer => digest(Buffer.concat([ONE, left, right]));
const ZERO = Uint8Array.of(0);
const ONE = Uint8Array.of(1);

const leavesOf = (length: number): number => Math.max(1, Math.ceil(length / LEAF_BYTES));

function levels(block: Uint8Array): Buffer[][] {
  if (block.length > BLOCK_MAX_BYTES)
    throw new InputError(
      'block_too_large',
      `A block has ${BLOCK_MAX_BYTES} bytes at most; this has ${block.length}.`,
    );
  let level: Buffer[] = Array.from({ length: leavesOf(block.length) }, (_, i) =>
    digest(Buffer.concat([ZERO, block.subarray(i * LEAF_BYTES, (i + 1) * LEAF_BYTES)])),
  );
  const all = [level];
  while (level.length > 1) {
    const above: Buffer[] = [];
    for (let i = 0; i < level.length; i += 2)
      above.push(i + 1 < level.length ? joined(level[i]!, level[i + 1]!) : level[i]!);
    all.push(above);
    level = above;
  }
  return all;
}

function named(root: Uint8Array, length: number): string {
  const head = Buffer.alloc(5);
  head[0] = 2;
  head.writeUInt32BE(length, 1);
  return toHex(digest(Buffer.concat([head, root])));
}

/** 64 hex digits. @throws InputError `block_too_large` */
export function blockId(block: Uint8Array): string {
  return named(levels(block).at(-1)![0]!, block.length);
}

/** One leaf of a block, and what shows that it is: the neighbours on the way to the root. */
export interface LeafProof {
  /** Bytes of the whole block. */
  readonly length: number;
  readonly leaf: Uint8Array;
  /** 32 bytes each, from the leaf upwards. */
  readonly path: readonly Uint8Array[];
}

/** How many leaves a block of this many bytes has. */
export const leafCount = leavesOf;

/** @throws InputError `block_range`: there is no such leaf */
export function proveLeaf(block: Uint8Array, at: number): LeafProof {
  const all = levels(block);
  if (!Number.isInteger(at) || at < 0 || at >= all[0]!.length)
    throw new InputError('block_range', `The block has ${all[0]!.length} leaves; ${at} is none of them.`);
  const path: Uint8Array[] = [];
  let index = at;
  for (const level of all.slice(0, -1)) {
    const neighbour = level[index ^ 1];
    if (neighbour !== undefined) path.push(neighbour);
    index >>= 1;
  }
  return { length: block.length, leaf: block.slice(at * LEAF_BYTES, (at + 1) * LEAF_BYTES), path };
}

/** Whether this is leaf `at` of the block of that name. */
export function isLeafOf(id: string, at: number, { length, leaf, path }: LeafProof): boolean {
  if (!Number.isInteger(length) || length < 0 || length > BLOCK_MAX_BYTES) return false;
  let width = leavesOf(length);
  if (!Number.isInteger(at) || at < 0 || at >= width) return false;
  if (leaf.length !== Math.min(LEAF_BYTES, length - at * LEAF_BYTES)) return false;
  let node: Uint8Array = digest(Buffer.concat([ZERO, leaf]));
  let index = at;
  let used = 0;
  for (; width > 1; width = Math.ceil(width / 2)) {
    if ((index ^ 1) < width) {
      const neighbour = path[used++];
      if (neighbour === undefined || neighbour.length !== ID_BYTES) return false;
      node = index & 1 ? joined(neighbour, node) : joined(node, neighbour);
    }
    index >>= 1;
  }
  return used === path.length && named(node, length) === id;
}
