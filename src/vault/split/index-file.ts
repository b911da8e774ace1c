/**
 * What Bob needs to search a collection at two Eves: which blocks there are, their checks, the projection. It is an object of the
 * collection, sealed like all others.
 *
 * @module vault/split/index-file
 */
import {
  type CborMap,
  type CborValue,
  decodeCbor,
  encodeCbor,
  Fields,
  fromHex,
  toHex,
} from '../../base/index.ts';
import { ID_BYTES } from '../block.ts';
import { damaged } from '../seal/record.ts';
import type { Projection } from '../vectors/pca.ts';
import { GATHER_BOUNDS } from './eve.ts';
import { BLOCK_VECTORS, DIMENSIONS } from './parameters.ts';
import type { TableForm } from './rows.ts';

export interface ScoreBlock {
  /** Its name, which its secret follows from, and its id at Eves. */
  readonly block: string;
  readonly id: string;
  /** Vectors in it. */
  readonly count: number;
  readonly sums: Uint32Array;
}

export interface SplitIndex {
  readonly projection: Projection;
  readonly scores: readonly ScoreBlock[];
  /** Row n of both tables belongs to vector n. */
  readonly vectors: TableForm;
  readonly texts: TableForm;
  /** Of all. */
  readonly count: number;
}

const CBOR = { maxBytes: 16 << 20, maxItems: 65_536, maxDepth: 5 };
const MAX_BLOCKS = 1024;

const bytesOf = (array: Float32Array | Uint32Array): Uint8Array =>
  new Uint8Array(array.buffer, array.byteOffset, array.byteLength);

export const tableMap = ({ name, rowBytes, rows, blocks }: TableForm): CborMap => ({
  ...{ name: fromHex(name), bytes: rowBytes, rows },
  blocks: Buffer.concat(blocks.map((id) => fromHex(id))),
});

export function encodeIndex({ projection, scores, vectors, texts, count }: SplitIndex): Uint8Array {
  return encodeCbor(
    {
      ...{ v: 1, count, from: projection.from, to: projection.to, projection: bytesOf(projection.rows) },
      kept: Math.round(projection.kept * 1e6),
      scores: scores.map(({ block, id, count: vectorsIn, sums }) => ({
        ...{ block: fromHex(block), id: fromHex(id), count: vectorsIn, sums: bytesOf(sums) },
      })),
      vectors: tableMap(vectors),
      texts: tableMap(texts),
    },
    CBOR,
  );
}

/** @throws KithError `vault_damaged` */
export function decodeIndex(bytes: Uint8Array): SplitIndex {
  const what = 'the index of the split search';
  try {
    const fields = new Fields(decodeCbor(bytes, CBOR) as CborMap, what, damaged);
    if (fields.count('v', 1) !== 1) throw damaged(what);
    const [from, to] = [fields.count('from', 16_384), fields.count('to', DIMENSIONS)];
    const rows = fields.bytes('projection', from * to * 4);
    const index = {
      count: fields.count('count', MAX_BLOCKS * BLOCK_VECTORS),
      projection: {
        ...{ from, to, kept: fields.count('kept', 1e6) / 1e6 },
        rows: new Float32Array(Uint8Array.from(rows).buffer),
      },
      scores: fields.list('scores', MAX_BLOCKS).map((score) => {
        const each = new Fields(score, what, damaged);
        return {
          ...{ block: toHex(each.bytes('block', 16)), id: toHex(each.bytes('id', ID_BYTES)) },
          count: each.count('count', BLOCK_VECTORS),
          sums: new Uint32Array(Uint8Array.from(each.bytes('sums', DIMENSIONS * 4)).buffer),
        };
      }),
      vectors: tableOf(fields.any('vectors'), what),
      texts: tableOf(fields.any('texts'), what),
    };
    fields.end();
    return index;
  } catch (error) {
    throw damaged(what, error);
  }
}

/** @throws KithError `vault_damaged` */
export function tableOf(value: CborValue | undefined, what: string): TableForm {
  const fields = new Fields(value, what, damaged);
  const ids = fields.bytesUpTo('blocks', MAX_BLOCKS * ID_BYTES);
  return {
    name: toHex(fields.bytes('name', 16)),
    rowBytes: fields.count('bytes', GATHER_BOUNDS.rowBytes),
    rows: fields.count('rows', GATHER_BOUNDS.rows),
    blocks: Array.from({ length: ids.length / ID_BYTES }, (_, i) =>
      toHex(ids.subarray(i * ID_BYTES, (i + 1) * ID_BYTES)),
    ),
  };
}
