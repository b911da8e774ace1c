/**
 * Vectors into the file of a knowledge base, all of one embedder.
 *
 * @module knowledge/store/vector-writer
 */
import { type Database, InputError } from '../../base/index.ts';
import { quantise } from './quantise.ts';
import { bytesOf } from './rows.ts';
import type { EmbedderIdentity, KnowledgeStore } from './types.ts';

export interface VectorWriter extends Pick<KnowledgeStore, 'setVectors' | 'useEmbedder' | 'changeEmbedder'> {
  /** Components of each of so many rows. @throws InputError `embedder_missing`, `document_invalid` */
  dimensionFor(vectors: Float32Array, rows: number): number;
  has(row: number): boolean;
  /** Within a change, of a chunk that is there; `version` is that of the change where the chunk is an older one. */
  write(row: number, exact: Float32Array, version: number | null): void;
}

/** @param change does its work in a transaction that has a version. */
export function createVectorWriter(
  database: Database,
  change: <T>(work: (version: number) => T) => T,
  embedder: () => EmbedderIdentity | null,
): VectorWriter {
  const prepare = database.prepare.bind(database);
  const addVector = prepare<never, [number, number, Uint8Array]>(
    'INSERT OR REPLACE INTO vector (chunk, scale, i8) VALUES (?, ?, ?)',
  );
  const addExact = prepare<never, [number, Uint8Array]>(
    'INSERT OR REPLACE INTO exact_vector (chunk, f32) VALUES (?, ?)',
  );
  const hasVector = prepare<{ one: number }, [number]>('SELECT 1 AS one FROM vector WHERE chunk = ?');
  const hasChunk = prepare<{ one: number }, [number]>('SELECT 1 AS one FROM chunk WHERE row = ?');
  const touch = prepare<never, [number, number]>('UPDATE chunk SET version = ? WHERE row = ?');
  const forgotten = prepare<never, [number]>('UPDATE meta SET forgotten = ?');
  const setEmbedder = prepare<never, [string, string, number]>(
    'UPDATE meta SET embedder = ?, embedder_hash = ?, dimension = ?',
  );

  const write = (row: number, exact: Float32Array, version: number | null): void => {
    const { i8, scale } = quantise(exact);
    addVector.run(row, scale, new Uint8Array(i8.buffer));
    addExact.run(row, bytesOf(exact));
    if (version !== null) touch.run(version, row);
  };
  const dimensionFor = (vectors: Float32Array, rows: number): number => {
    const known = embedder();
    if (known === null)
      throw new InputError(
        'embedder_missing',
        'The knowledge base was not told who makes its vectors: call useEmbedder before vectors are put.',
      );
    if (vectors.length !== rows * known.dimension)
      throw new InputError(
        'document_invalid',
        `${rows} chunks need ${rows * known.dimension} components of vectors (${known.dimension} each), not ${vectors.length}.`,
      );
    for (const value of vectors)
      if (!Number.isFinite(value))
        throw new InputError('document_invalid', 'A vector has components that are no finite numbers.');
    return known.dimension;
  };

  return {
    dimensionFor,
    write,
    has: (row) => hasVector.get(row) !== undefined,
    setVectors(rows, vectors) {
      if (rows.length === 0) return;
      change((version) => {
        const dimension = dimensionFor(vectors, rows.length);
        for (const [at, row] of rows.entries()) {
          // Gone since it was asked for.
          if (hasChunk.get(row) === undefined) continue;
          write(row, vectors.subarray(at * dimension, (at + 1) * dimension), version);
        }
      });
    },
    useEmbedder({ id, hash, dimension }) {
      const known = embedder();
      if (known?.hash === hash && known.dimension === dimension) return;
      if (known !== null) throw mismatch(known, { id, hash, dimension });
      change(() => setEmbedder.run(id, hash, dimension));
    },
    changeEmbedder({ id, hash, dimension }) {
      change((version) => {
        database.exec('DELETE FROM vector; DELETE FROM exact_vector;');
        setEmbedder.run(id, hash, dimension);
        // Nobody who followed can go on: all vectors are others.
        forgotten.run(version);
        database.exec('DELETE FROM removed');
      });
    },
  };
}

function mismatch(known: EmbedderIdentity, given: EmbedderIdentity): InputError {
  return new InputError(
    'embedder_mismatch',
    `The vectors of this knowledge base are of ${known.id} (${known.dimension} components, ${known.hash.slice(0, 12)}), ` +
      `and ${given.id} (${given.dimension}, ${given.hash.slice(0, 12)}) cannot be compared with them. ` +
      'Use that embedder, or have all vectors made anew with this one.',
    {
      status: 409,
      details: {
        embedder: known.id,
        dimension: known.dimension,
        given: given.id,
        givenDimension: given.dimension,
      },
    },
  );
}
