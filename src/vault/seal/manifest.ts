/**
 * What a collection consists of: the names of its objects, where each lies, and the keys that open them.
 *
 * Entries stand in pages by the hash of their name, so that a change writes few pages anew. A page is a block:
 *
 * | Bytes | Hold |
 * |---|---|
 * | 12 | nonce |
 * | n | AES-256-GCM under the epoch's key for pages: CBOR list of entries in the order of their names, each `[name, segment (32 B), at, bytes, size, digest (16 B), key (32 B)]`, before it its length (u32, little-endian), after it zeros up to the padding |
 * | 16 | tag |
 *
 * Additional data: `kith-page-v1`, collection, epoch, number of the page, each ended by a zero byte. The head:
 *
 * | Bytes | Hold |
 * |---|---|
 * | 1 | version: 2 |
 * | 4 | epoch (u32, little-endian) |
 * | 8 | number (u64, little-endian): rises by one with every change |
 * | 12 + n + 16 | nonce, AES-256-GCM under the epoch's key for heads, tag: CBOR map `mode`, `objects`, `pages` (one byte string, 32 B each), `everywhere` (likewise: blocks that all Eves hold), `info` |
 * | 64 | Ed25519 of the epoch's writer for the purpose `vault-head` over the additional data and what is sealed |
 *
 * Who was given the keys to read can make no head that holds: the writer's key is the owner's alone. Version 1 had no signature, and was sealed
 * under the epoch's key for manifests, which nobody is given.
 *
 * Additional data: the 13 bytes before, the collection. A head of another number or collection cannot be passed off as this one; that an
 * Eve shows an older one is seen by who remembers a later number, or asks other Eves.
 *
 * @module vault/seal/manifest
 */
import { hash } from 'node:crypto';
import {
  type CborMap,
  decodeCbor,
  encodeCbor,
  Fields,
  fromHex,
  isMap,
  KithError,
  type Random,
  toHex,
} from '../../base/index.ts';
import { verify } from '../../identity/index.ts';
import { BLOCK_MAX_BYTES, blockId, ID_BYTES } from '../block.ts';
import { type CollectionKeys, KEY_BYTES } from '../keys/keys.ts';
import { damaged, OBJECT_MAX_BYTES, openWithNonce, paddedLength, sealWithNonce } from './record.ts';
import { DIGEST_BYTES, type Entry } from './segment.ts';

export const MANIFEST_BOUNDS = {
  /** Characters of an object's name. */
  name: 1024,
  /** Entries of a page that is split when it has more. */
  pageEntries: 512,
  pages: 1024,
  /** Blocks that all Eves hold. */
  everywhere: 512,
  headBytes: 60_000,
  infoBytes: 16_384,
  /** Entries of a page that is read: names of one hash would have to be chosen to fill one. */
  readEntries: 16_384,
} as const;

const PREFIX_BYTES = 13;
const UNSIGNED = 1;
const SIGNED = 2;
const SIGNATURE_BYTES = 64;
export const VAULT_MODES = ['sealed', 'split', 'perturbed'] as const;
export type VaultMode = (typeof VAULT_MODES)[number];

export interface Head {
  readonly epoch: number;
  readonly number: number;
  readonly mode: VaultMode;
  readonly objects: number;
  /** Ids of the page blocks; a power of two of them. */
  readonly pages: readonly string[];
  /** Ids of blocks that are no segments and that all Eves hold: what they compute with, whoever of them is asked. */
  readonly everywhere: readonly string[];
  /** What the owner's programs note about the collection: at most 16 KiB as CBOR. */
  readonly info: CborMap;
}

export interface Page {
  readonly index: number;
  readonly id: string;
  readonly block: Uint8Array;
}

/** How many pages so many objects have. @throws KithError `vault_full` */
export function pageCount(objects: number): number {
  let pages = 1;
  while (pages * MANIFEST_BOUNDS.pageEntries < objects) pages *= 2;
  if (pages > MANIFEST_BOUNDS.pages)
    throw new KithError(
      'vault_full',
      `A collection has ${MANIFEST_BOUNDS.pages * MANIFEST_BOUNDS.pageEntries} objects at most; this would have ${objects}. Place a part of it as a collection of its own.`,
      { status: 413 },
    );
  return pages;
}

/** The page on which a name stands. */
export const pageOf = (name: string, pages: number): number =>
  hash('sha256', name, 'buffer').readUInt32BE(0) & (pages - 1);

const pageAad = ({ collection, epoch }: CollectionKeys, index: number): Buffer =>
  Buffer.from(`kith-page-v1\0${collection}\0${epoch}\0${index}\0`);

/** Lists are small by their bounds; keys and digests make some 200 bytes an entry. */
const PAGE_CBOR = { maxBytes: BLOCK_MAX_BYTES, maxItems: MANIFEST_BOUNDS.readEntries * 8 + 1, maxDepth: 2 };

/** @param entries those of this page, in any order */
export function sealPage(
  keys: CollectionKeys,
  index: number,
  entries: readonly Entry[],
  random: Pick<Random, 'bytes'>,
): Page {
  const rows = [...entries]
    .sort((a, b) => (a.name < b.name ? -1 : 1))
    .map(({ name, segment, at, bytes, size, digest, key }) => [
      ...[name, fromHex(segment), at, bytes, size, digest, key],
    ]);
  const body = encodeCbor(rows, PAGE_CBOR);
  const plain = Buffer.alloc(paddedLength(4 + body.length));
  plain.writeUInt32LE(body.length);
  plain.set(body, 4);
  const block = sealWithNonce(keys.key('pages'), pageAad(keys, index), plain, random);
  return { index, id: blockId(block), block };
}

/** @throws KithError `vault_damaged` */
export function openPage(keys: CollectionKeys, index: number, block: Uint8Array): Entry[] {
  const what = `page ${index} of the manifest`;
  const plain = openWithNonce(keys.key('pages'), pageAad(keys, index), block, what);
  return reading(what, () => {
    const buffer = Buffer.from(plain.buffer, plain.byteOffset, plain.length);
    const length = buffer.readUInt32LE(0);
    const rows = decodeCbor(buffer.subarray(4, 4 + length), PAGE_CBOR);
    if (!Array.isArray(rows)) throw damaged(what);
    return rows.map((row) => {
      if (!Array.isArray(row) || row.length !== 7) throw damaged(what);
      const [name, segment, at, bytes, size, digest, key] = row as readonly unknown[];
      const fields = new Fields(
        { name, segment, at, bytes, size, digest, key } as CborMap,
        'an entry',
        damaged,
      );
      return {
        name: fields.text('name', MANIFEST_BOUNDS.name, 1),
        segment: toHex(fields.bytes('segment', ID_BYTES)),
        at: fields.count('at', BLOCK_MAX_BYTES),
        bytes: fields.count('bytes', BLOCK_MAX_BYTES),
        size: fields.count('size', OBJECT_MAX_BYTES),
        digest: fields.bytes('digest', DIGEST_BYTES),
        key: fields.bytes('key', KEY_BYTES),
      };
    });
  });
}

function prefixOf(epoch: number, number: number): Buffer {
  const prefix = Buffer.alloc(PREFIX_BYTES);
  prefix[0] = SIGNED;
  prefix.writeUInt32LE(epoch, 1);
  prefix.writeBigUInt64LE(BigInt(number), 5);
  return prefix;
}

const headAad = (prefix: Uint8Array, collection: string): Buffer =>
  Buffer.concat([prefix, Buffer.from(`kith-head-v1\0${collection}\0`)]);

const HEAD_CBOR = { maxBytes: MANIFEST_BOUNDS.headBytes, maxItems: 4096, maxDepth: 8 };

/** @throws KithError `vault_full`: what the owner's programs note does not fit */
export function sealHead(
  keys: CollectionKeys,
  head: Omit<Head, 'epoch'>,
  random: Pick<Random, 'bytes'>,
): Uint8Array {
  const { number, mode, objects, pages, everywhere, info } = head;
  if (everywhere.length > MANIFEST_BOUNDS.everywhere)
    throw new KithError(
      'vault_full',
      `A collection has ${MANIFEST_BOUNDS.everywhere} blocks at most that all Eves hold; this would have ${everywhere.length}. Place a part of it as a collection of its own.`,
      { status: 413 },
    );
  const prefix = prefixOf(keys.epoch, number);
  const plain = encodeCbor(
    { mode, objects, pages: packedIds(pages), everywhere: packedIds(everywhere), info },
    HEAD_CBOR,
  );
  const aad = headAad(prefix, keys.collection);
  const sealed = sealWithNonce(keys.key('head'), aad, plain, random);
  return Buffer.concat([prefix, sealed, keys.signHead(Buffer.concat([aad, sealed]))]);
}

/** What a head says of itself to everybody. @throws KithError `vault_damaged` */
export function headNumber(bytes: Uint8Array): { readonly epoch: number; readonly number: number } {
  if (bytes.length < PREFIX_BYTES || bytes.length > MANIFEST_BOUNDS.headBytes + 128)
    throw damaged('the head');
  if (bytes[0] !== UNSIGNED && bytes[0] !== SIGNED) throw damaged('the head');
  const view = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
  const number = view.readBigUInt64LE(5);
  if (number > BigInt(Number.MAX_SAFE_INTEGER)) throw damaged('the head');
  return { epoch: view.readUInt32LE(1), number: Number(number) };
}

/** Whether it is of the version that others than the owner can read. */
export const isSignedHead = (bytes: Uint8Array): boolean => bytes[0] === SIGNED;

/** @param keysOf the collection's keys of an epoch @throws KithError `vault_damaged` */
export function openHead(keysOf: (epoch: number) => CollectionKeys, bytes: Uint8Array): Head {
  const what = 'the head';
  const { epoch, number } = headNumber(bytes);
  const keys = keysOf(epoch);
  const aad = headAad(bytes.subarray(0, PREFIX_BYTES), keys.collection);
  const signed = isSignedHead(bytes);
  const end = signed ? Math.max(PREFIX_BYTES, bytes.length - SIGNATURE_BYTES) : bytes.length;
  const sealed = bytes.subarray(PREFIX_BYTES, end);
  if (
    signed &&
    !verify(keys.writer, 'vault-head', Buffer.concat([aad, sealed]), Uint8Array.from(bytes.subarray(end)))
  )
    throw damaged(what);
  const plain = openWithNonce(keys.key(signed ? 'head' : 'manifest'), aad, sealed, what);
  return reading(what, () => {
    const fields = new Fields(decodeCbor(plain, HEAD_CBOR) as CborMap, what, damaged);
    const mode = fields.oneOf('mode', VAULT_MODES);
    const objects = fields.count('objects', MANIFEST_BOUNDS.pages * MANIFEST_BOUNDS.pageEntries);
    const pages = readIds(fields.bytesUpTo('pages', MANIFEST_BOUNDS.pages * ID_BYTES), what);
    const everywhere = readIds(fields.bytesUpTo('everywhere', MANIFEST_BOUNDS.everywhere * ID_BYTES), what);
    const info = fields.any('info');
    fields.end();
    if (!Number.isInteger(Math.log2(pages.length)) || !isMap(info)) throw damaged(what);
    return { epoch, number, mode, objects, pages, everywhere, info };
  });
}

export const packedIds = (ids: readonly string[]): Uint8Array => Buffer.concat(ids.map((id) => fromHex(id)));

function readIds(bytes: Uint8Array, what: string): string[] {
  if (bytes.length % ID_BYTES !== 0) throw damaged(what);
  return Array.from({ length: bytes.length / ID_BYTES }, (_, i) =>
    toHex(bytes.subarray(i * ID_BYTES, (i + 1) * ID_BYTES)),
  );
}

/** Whatever is wrong with bytes that were opened: they are damaged. */
function reading<T>(what: string, read: () => T): T {
  try {
    return read();
  } catch (error) {
    if (error instanceof KithError && error.code === 'vault_damaged') throw error;
    throw damaged(what, error);
  }
}
