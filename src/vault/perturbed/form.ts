/**
 * How a perturbed vector lies at an Eve: beside it, sealed, the vector itself, so that the owner puts what was found in its true order.
 *
 * | Bytes | Hold |
 * |---|---|
 * | 4d | the perturbed vector, 32-bit floating-point numbers, little-endian: what any program that searches vectors reads |
 * | 28 + 2d | nonce, AES-256-GCM of the vector with 16 bits a number (and of 2 zero bytes where d is odd), tag |
 *
 * The key follows from the epoch's key for rows and the block's name, which is drawn and stands in the index alone; the number of the row is
 * bound in.
 *
 * @module vault/perturbed/form
 */
import { hkdfSync } from 'node:crypto';
import { KithError, type Random } from '../../base/index.ts';
import { BLOCK_MAX_BYTES } from '../block.ts';
import { KEY_BYTES } from '../keys/keys.ts';
import { openWithNonce, sealWithNonce } from '../seal/record.ts';
import { packVector, unpackVector } from '../split/build.ts';
import { NEAREST_BOUNDS } from './nearest.ts';

/** Nonce and tag. */
const SEAL_BYTES = 28;

const vectorBytes = (dimension: number): number => Math.ceil((dimension * 2) / 4) * 4;

export const rowBytesOf = (dimension: number): number => dimension * 4 + SEAL_BYTES + vectorBytes(dimension);

export const rowsOfBlock = (dimension: number): number => Math.floor(BLOCK_MAX_BYTES / rowBytesOf(dimension));

/** @throws KithError `perturbed_dimension` */
export function checkPerturbedDimension(dimension: number): void {
  if (dimension > NEAREST_BOUNDS.dimension)
    throw new KithError(
      'perturbed_dimension',
      `The mode perturbed takes vectors of ${NEAREST_BOUNDS.dimension} numbers at most; these have ${dimension}. Take another embedding model, or keep the collection sealed.`,
      { status: 409 },
    );
}

const aad = (row: number): Buffer => Buffer.from(`kith-perturbed-row-v1\0${row}\0`);

/** HKDF-SHA256 (RFC 5869). @param key `rows` of the epoch @param name of the block, 32 hex digits */
export const blockKey = (key: Uint8Array, name: string): Uint8Array =>
  new Uint8Array(hkdfSync('sha256', key, new Uint8Array(0), `kith-perturbed-v1/${name}`, KEY_BYTES));

/** Writes a row into its block. @param key of the block */
export function writeRow(
  block: Uint8Array,
  row: number,
  { vector, perturbed }: { readonly vector: Float32Array; readonly perturbed: Float32Array },
  key: Uint8Array,
  random: Pick<Random, 'bytes'>,
): void {
  const at = row * rowBytesOf(vector.length);
  block.set(new Uint8Array(perturbed.buffer, perturbed.byteOffset, perturbed.byteLength), at);
  const plain = Buffer.alloc(vectorBytes(vector.length));
  plain.set(packVector(vector));
  block.set(sealWithNonce(key, aad(row), plain, random), at + perturbed.byteLength);
}

/** The vector that was sealed beside a perturbed one. @throws KithError `vault_damaged` */
export function openVector(
  key: Uint8Array,
  row: number,
  sealed: Uint8Array,
  dimension: number,
): Float32Array {
  const plain = openWithNonce(key, aad(row), sealed, `row ${row}`);
  return unpackVector(plain.subarray(0, dimension * 2));
}
