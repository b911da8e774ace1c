/**
 * What is asked of an engine, within its bounds, before anything is sent.
 *
 * @module vault/adapters/bounds
 */
import { tooMuch } from './errors.ts';
import { ENGINE_BOUNDS, type EngineHit, type EnginePoint, type EngineQuery } from './types.ts';

const COLLECTION = /^[0-9a-f]{32}$/u;

/** @throws InputError `engine_bounds` */
export function checkCollection(collection: string, dimension: number): void {
  if (!COLLECTION.test(collection)) throw tooMuch('A collection is named by 32 hex digits.');
  if (!Number.isInteger(dimension) || dimension < 1 || dimension > ENGINE_BOUNDS.dimension)
    throw tooMuch(
      `Vectors of ${dimension} numbers cannot be kept in an engine: 1 to ${ENGINE_BOUNDS.dimension} can. Take another model for embeddings.`,
    );
}

export const isId = (id: unknown): id is number => Number.isSafeInteger(id) && (id as number) > 0;

export function checkIds(ids: ArrayLike<number>, most: number): void {
  if (ids.length > most) throw tooMuch(`${ids.length} ids are too many for one call: ${most} are possible.`);
  for (let i = 0; i < ids.length; i++)
    if (!isId(ids[i])) throw tooMuch(`${ids[i]} is no id: they are whole numbers from 1.`);
}

export function checkVector(vector: Float32Array, dimension: number): void {
  if (vector.length !== dimension)
    throw tooMuch(`A vector has ${vector.length} numbers, and the collection is for ${dimension}.`);
  if (!vector.every(Number.isFinite)) throw tooMuch('A vector has a number that is not finite.');
}

export function checkPoints(points: readonly EnginePoint[], dimension: number): void {
  checkIds(
    points.map(({ id }) => id),
    ENGINE_BOUNDS.points,
  );
  // Two rows of one id cannot be written by one statement.
  if (new Set(points.map(({ id }) => id)).size < points.length) throw tooMuch('A point is there twice.');
  let bytes = 0;
  for (const { vector, digest, payload } of points) {
    checkVector(vector, dimension);
    if (digest.length !== ENGINE_BOUNDS.digestBytes)
      throw tooMuch(`A digest has ${digest.length} bytes, and not ${ENGINE_BOUNDS.digestBytes}.`);
    if (payload.length > ENGINE_BOUNDS.payloadBytes)
      throw tooMuch(`A payload of ${payload.length} bytes is too large.`);
    bytes += payload.length;
  }
  if (bytes > ENGINE_BOUNDS.upsertBytes)
    throw tooMuch(`${bytes} bytes of payloads are too many for one call.`);
}

export function checkQuery(vector: Float32Array, { k, only }: EngineQuery, dimension: number): void {
  checkVector(vector, dimension);
  if (!Number.isInteger(k) || k < 1 || k > ENGINE_BOUNDS.hits)
    throw tooMuch(`${k} hits cannot be asked for: 1 to ${ENGINE_BOUNDS.hits} can.`);
  checkIds(only ?? [], ENGINE_BOUNDS.ids);
}

/** Best first, of equals the lesser id; no more than asked for, none twice. */
export function ordered(hits: readonly EngineHit[], k: number): EngineHit[] {
  const once = new Map(hits.map((hit) => [hit.id, hit]));
  return [...once.values()].sort((a, b) => b.score - a.score || a.id - b.id).slice(0, k);
}
