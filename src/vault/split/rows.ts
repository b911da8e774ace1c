/**
 * Tables of rows that are fetched unseen: each row sealed by itself, all of one length.
 *
 * A row is sealed with a nonce under a key that follows from the epoch's key for rows and the table's name, its number bound in. The name is
 * drawn and stands in the index alone: who drops the index has erased the table, wherever its blocks lie. Inside:
 *
 * | Bytes | Hold |
 * |---|---|
 * | 2 | bytes of use here (u16, little-endian) |
 * | 4 | number of the row that goes on, or 0xffffffff |
 * | n | bytes, zeros after them |
 *
 * @module vault/split/rows
 */
import { hkdfSync } from 'node:crypto';
import { KithError, type Random } from '../../base/index.ts';
import { BLOCK_MAX_BYTES, blockId } from '../block.ts';
import { KEY_BYTES } from '../keys/keys.ts';
import { openWithNonce, sealWithNonce } from '../seal/record.ts';
import { GATHER_BOUNDS } from './eve.ts';

const HEAD_BYTES = 6;
/** Nonce and tag. */
const SEAL_BYTES = 28;
const NO_MORE = 0xffff_ffff;

/** Bytes that a row of a table carries. */
export const carried = (rowBytes: number): number => rowBytes - HEAD_BYTES - SEAL_BYTES;

/** The shortest row that carries so many bytes. */
export const rowBytesFor = (bytes: number): number => Math.ceil((bytes + HEAD_BYTES + SEAL_BYTES) / 16) * 16;

export interface TableForm {
  /** Drawn for the table; 32 hex digits. */
  readonly name: string;
  readonly rowBytes: number;
  /** Rows of each block. */
  readonly rows: number;
  /** Ids. */
  readonly blocks: readonly string[];
}

const aad = (table: string, row: number): Buffer => Buffer.from(`kith-row-v1\0${table}\0${row}\0`);

/** HKDF-SHA256 (RFC 5869). */
const tableKey = (key: Uint8Array, table: string): Uint8Array =>
  new Uint8Array(hkdfSync('sha256', key, new Uint8Array(0), `kith-rows-v1/${table}`, KEY_BYTES));

/** As many rows as a block has of this length: a multiple of 8. */
export const rowsOfBlock = (rowBytes: number): number =>
  Math.min(GATHER_BOUNDS.rows, Math.floor(BLOCK_MAX_BYTES / rowBytes / 8) * 8);

export interface TableWriter {
  /** What is longer than a row goes on in further ones, which come after the last of `heads`. */
  add(value: Uint8Array): Promise<void>;
  finish(): Promise<TableForm>;
}

/**
 * Row n begins the value that was added as n-th.
 *
 * @param heads how many values there will be @param put keeps a block
 */
export function createTableWriter(
  key: Uint8Array,
  { name, rowBytes, heads }: { readonly name: string; readonly rowBytes: number; readonly heads: number },
  put: (id: string, block: Uint8Array) => Promise<void>,
  random: Pick<Random, 'bytes'>,
): TableWriter {
  const rows = Math.min(rowsOfBlock(rowBytes), Math.max(8, Math.ceil(heads / 8) * 8));
  const own = tableKey(key, name);
  const room = carried(rowBytes);
  const blocks: string[] = [];
  /** What did not fit, to be written behind the heads. */
  const tails: { readonly row: number; readonly bytes: Uint8Array; readonly next: number }[] = [];
  let block = new Uint8Array(rows * rowBytes);
  let next = 0;
  let behind = heads;

  async function write(bytes: Uint8Array, goesOn: number): Promise<void> {
    const plain = Buffer.alloc(rowBytes - SEAL_BYTES);
    plain.writeUInt16LE(bytes.length);
    plain.writeUInt32LE(goesOn, 2);
    plain.set(bytes, HEAD_BYTES);
    block.set(sealWithNonce(own, aad(name, next), plain, random), (next % rows) * rowBytes);
    next += 1;
    if (next % rows === 0) await close();
  }

  async function close(): Promise<void> {
    const id = blockId(block);
    await put(id, block);
    blocks.push(id);
    block = new Uint8Array(rows * rowBytes);
  }

  return {
    async add(value) {
      if (next >= heads) throw new RangeError('There are more values than was said.');
      const pieces = Math.max(1, Math.ceil(value.length / room));
      const first = behind;
      behind += pieces - 1;
      for (let i = 1; i < pieces; i++)
        tails.push({
          row: first + i - 1,
          bytes: value.subarray(i * room, (i + 1) * room),
          next: i + 1 < pieces ? first + i : NO_MORE,
        });
      await write(value.subarray(0, room), pieces > 1 ? first : NO_MORE);
    },
    async finish() {
      while (next < heads) await write(new Uint8Array(0), NO_MORE);
      for (const tail of tails) await write(tail.bytes, tail.next);
      // Rows that nobody has look like the others.
      while (next % rows !== 0) await write(new Uint8Array(0), NO_MORE);
      return { name, rowBytes, rows, blocks };
    },
  };
}

/** What stands in a row, and where it goes on; null: nowhere. @throws KithError `vault_damaged` */
export function openRow(
  key: Uint8Array,
  table: string,
  row: number,
  sealed: Uint8Array,
): { readonly bytes: Uint8Array; readonly next: number | null } {
  const plain = Buffer.from(openWithNonce(tableKey(key, table), aad(table, row), sealed, `row ${row}`));
  const length = plain.readUInt16LE(0);
  const next = plain.readUInt32LE(2);
  if (length > plain.length - HEAD_BYTES)
    throw new KithError('vault_damaged', `Row ${row} is none that was sealed.`, { status: 502 });
  return {
    bytes: Uint8Array.from(plain.subarray(HEAD_BYTES, HEAD_BYTES + length)),
    next: next === NO_MORE ? null : next,
  };
}
