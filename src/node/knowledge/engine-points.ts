/**
 * The vectors of a knowledge base as points of an engine: the vector as it is, its passage sealed beside it.
 *
 * @module node/knowledge/engine-points
 */
import { setImmediate } from 'node:timers/promises';
import type { Random } from '../../base/index.ts';
import type { KnowledgeStore, StoredChunk } from '../../knowledge/index.ts';
import type { EngineSealer, OwnPoint } from '../../vault/index.ts';
import { packPassage } from './vault-passages.ts';

/** Rows that are read together: in between others get their turn. */
const SLICE = 256;

type Source = Pick<KnowledgeStore, 'slab' | 'f32' | 'chunks'>;

/** In the order of their rows, which never become another passage's. */
export async function* pointsOf(
  store: Source,
  sealer: EngineSealer,
  random: Pick<Random, 'bytes'>,
): AsyncGenerator<OwnPoint> {
  let rows: number[] = [];
  for (const { row } of store.slab()) {
    rows.push(row);
    if (rows.length < SLICE) continue;
    yield* some(rows);
    rows = [];
    await setImmediate();
  }
  yield* some(rows);

  function* some(asked: readonly number[]): Generator<OwnPoint> {
    const vectors = store.f32(asked);
    for (const [i, chunk] of store.chunks(asked).entries()) {
      const vector = vectors[i];
      // Gone since: the next sync is told.
      if (chunk === null || vector === null || vector === undefined) continue;
      const digest = digestOf(sealer, chunk, vector);
      yield {
        ...{ id: chunk.row, digest },
        make: () => ({
          ...{ id: chunk.row, vector, digest },
          payload: sealer.seal(chunk.row, packPassage(chunk), random),
        }),
      };
    }
  }
}

function digestOf(sealer: EngineSealer, chunk: StoredChunk, vector: Float32Array): Uint8Array {
  const { row, path, title, place, text } = chunk;
  const bytes = new Uint8Array(vector.buffer, vector.byteOffset, vector.byteLength);
  const { page = null, line = null, sheet = null, part = null } = place;
  return sealer.digest(row, [bytes, path, title, JSON.stringify([page, line, sheet, part]), text]);
}
