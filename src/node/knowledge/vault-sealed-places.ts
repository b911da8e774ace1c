/**
 * Where the vectors of a piece of the index come from: documents, and in which of their parts passage and exact vector of each row stand.
 *
 * CBOR list of documents in order, each `[id, path, modified, runs]`; a run is `[part of the passages, part of the vectors, first row,
 * rows]`: rows that follow each other by number and stand in the same parts. So it takes some bytes a document, not a vector.
 *
 * @module node/knowledge/vault-sealed-places
 */
import { type CborMap, type CborValue, decodeCbor, encodeCbor, Fields, KithError } from '../../base/index.ts';
import { COMPACT_BOUNDS } from '../../vault/index.ts';

export interface PlacedRun {
  /** Numbers of parts of the document. */
  readonly text: number;
  readonly vector: number;
  readonly row: number;
  readonly count: number;
}

export interface PlacedDocument {
  readonly id: number;
  readonly path: string;
  /** ms since 1970. */
  readonly modified: number;
  readonly runs: readonly PlacedRun[];
}

const CBOR = { maxBytes: COMPACT_BOUNDS.aboutBytes, maxItems: 1 << 17, maxDepth: 5 };
const MOST = { path: 4096, count: Number.MAX_SAFE_INTEGER, part: 1 << 20 } as const;

export const partName = (document: number, part: number): string => `document/${document}/${part}`;

/** Null for parts that are of no document. */
export function partOf(name: string): { readonly document: number; readonly part: number } | null {
  const found = /^document\/(\d{1,15})\/(\d{1,9})$/.exec(name);
  return found === null ? null : { document: Number(found[1]), part: Number(found[2]) };
}

/** Rows of one document, ascending, to runs. */
export function runsOf(
  rows: Iterable<{ readonly row: number; readonly text: number; readonly vector: number }>,
): PlacedRun[] {
  const runs: (PlacedRun & { count: number })[] = [];
  for (const { row, text, vector } of rows) {
    const run = runs.at(-1);
    if (run?.text === text && run.vector === vector && run.row + run.count === row) run.count += 1;
    else runs.push({ text, vector, row, count: 1 });
  }
  return runs;
}

export const encodePlaces = (documents: readonly PlacedDocument[]): Uint8Array =>
  encodeCbor(
    documents.map(
      ({ id, path, modified, runs }): CborValue => [
        ...[id, path, modified],
        runs.map(({ text, vector, row, count }) => [text, vector, row, count]),
      ],
    ),
    CBOR,
  );

/** @param vectors that the runs have to be of, all together @throws KithError `vault_damaged` */
export function decodePlaces(bytes: Uint8Array, vectors: number): PlacedDocument[] {
  const damaged = (what: string, cause?: unknown) =>
    new KithError('vault_damaged', `The index of the vectors is not what was placed: ${what}.`, {
      status: 502,
      ...(cause === undefined ? {} : { cause }),
    });
  const listed = (value: CborValue | undefined, length: number): readonly CborValue[] => {
    if (!Array.isArray(value) || value.length !== length) throw damaged('a list has another length');
    return value;
  };
  try {
    const all = decodeCbor(bytes, CBOR);
    if (!Array.isArray(all)) throw damaged('it is no list');
    let sum = 0;
    const documents = all.map((value: CborValue): PlacedDocument => {
      const [id, path, modified, runs] = listed(value, 4);
      const fields = new Fields({ id, path, modified, runs } as CborMap, 'a document', damaged);
      return {
        ...{ id: fields.count('id', MOST.count), path: fields.text('path', MOST.path) },
        modified: fields.count('modified', MOST.count),
        runs: fields.list('runs', COMPACT_BOUNDS.pieceVectors).map((run): PlacedRun => {
          const [text, vector, row, count] = listed(run, 4);
          const each = new Fields({ text, vector, row, count } as CborMap, 'a run', damaged);
          sum += each.count('count', COMPACT_BOUNDS.pieceVectors);
          return {
            ...{ text: each.count('text', MOST.part), vector: each.count('vector', MOST.part) },
            ...{
              row: each.count('row', MOST.count),
              count: each.count('count', COMPACT_BOUNDS.pieceVectors),
            },
          };
        }),
      };
    });
    if (sum !== vectors) throw damaged('it has places for another number of vectors');
    return documents;
  } catch (error) {
    throw damaged('it cannot be read', error);
  }
}
