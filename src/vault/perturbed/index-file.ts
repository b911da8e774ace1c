/**
 * What Bob needs to search perturbed vectors at an Eve: which blocks there are, under which names they were sealed. It is one object of
 * the collection, sealed like all others.
 *
 * @module vault/perturbed/index-file
 */
import { type CborMap, decodeCbor, encodeCbor, Fields, fromHex, toHex } from '../../base/index.ts';
import { ID_BYTES } from '../block.ts';
import { MANIFEST_BOUNDS } from '../seal/manifest.ts';
import { damaged } from '../seal/record.ts';
import { tableMap, tableOf } from '../split/index-file.ts';
import type { TableForm } from '../split/rows.ts';
import { rowsOfBlock } from './form.ts';
import { NEAREST_BOUNDS } from './nearest.ts';

/** Names of objects that are of `perturbed` begin so. */
export const PERTURBED_OBJECTS = 'perturbed/';
export const PERTURBED_INDEX = `${PERTURBED_OBJECTS}index`;

export interface PerturbedBlock {
  /** Drawn for it; 32 hex digits. */
  readonly name: string;
  readonly id: string;
  /** Rows in it. */
  readonly count: number;
}

export interface PerturbedIndex {
  readonly dimension: number;
  readonly blocks: readonly PerturbedBlock[];
  /** Row n of the table belongs to vector n; null where there is none. */
  readonly texts: TableForm | null;
  /** Of all. */
  readonly count: number;
}

const CBOR = { maxBytes: 1 << 20, maxItems: 8192, maxDepth: 5 };
const NAME_BYTES = 16;

export function encodePerturbedIndex({ dimension, blocks, texts, count }: PerturbedIndex): Uint8Array {
  return encodeCbor(
    {
      ...{ v: 1, count, dimension, texts: texts === null ? null : tableMap(texts) },
      blocks: blocks.map(({ name, id, count: rows }) => ({
        ...{ name: fromHex(name), id: fromHex(id), count: rows },
      })),
    },
    CBOR,
  );
}

/** @throws KithError `vault_damaged` */
export function decodePerturbedIndex(bytes: Uint8Array): PerturbedIndex {
  const what = 'the index of the perturbed search';
  try {
    const fields = new Fields(decodeCbor(bytes, CBOR) as CborMap, what, damaged);
    if (fields.count('v', 1) !== 1) throw damaged(what);
    const dimension = fields.count('dimension', NEAREST_BOUNDS.dimension);
    const count = fields.count('count', MANIFEST_BOUNDS.everywhere * rowsOfBlock(1));
    const texts = fields.any('texts');
    const blocks = fields.list('blocks', MANIFEST_BOUNDS.everywhere).map((block) => {
      const each = new Fields(block, what, damaged);
      const one = {
        ...{ name: toHex(each.bytes('name', NAME_BYTES)), id: toHex(each.bytes('id', ID_BYTES)) },
        count: each.count('count', rowsOfBlock(dimension)),
      };
      each.end();
      return one;
    });
    fields.end();
    if (dimension === 0 || blocks.reduce((sum, block) => sum + block.count, 0) !== count) throw damaged(what);
    if ((texts === null) !== (count === 0)) throw damaged(what);
    return { dimension, blocks, texts: texts === null ? null : tableOf(texts, what), count };
  } catch (error) {
    throw damaged(what, error);
  }
}
