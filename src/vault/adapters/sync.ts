/**
 * A collection made equal to what its owner has: both are gone through in the order of ids, and what differs by its digest is sent. Whatever
 * stops it, the next run goes on: nothing but the collection says how far it came.
 *
 * @module vault/adapters/sync
 */
import { KithError } from '../../base/index.ts';
import { ENGINE_BOUNDS, type EnginePoint, type EngineRow, type VectorEngine } from './types.ts';

/** A point of the owner's; its vector and payload are made when they are to be sent. */
export interface OwnPoint {
  readonly id: number;
  readonly digest: Uint8Array;
  make(): EnginePoint;
}

export interface EngineSyncReport {
  /** Points that are there now. */
  readonly points: number;
  /** Sent because they were missing, or other than here; removed because they are not here. */
  readonly sent: number;
  readonly removed: number;
  /** Of vectors and payloads that were sent. */
  readonly bytes: number;
}

export interface EngineSyncOptions {
  readonly engine: VectorEngine;
  /** In the order of ids, none twice. */
  readonly points: AsyncIterable<OwnPoint>;
  readonly signal?: AbortSignal | undefined;
  readonly told?: ((report: EngineSyncReport) => void) | undefined;
}

/** @throws KithError `engine_...` */
export async function syncEngine(options: EngineSyncOptions): Promise<EngineSyncReport> {
  const { engine, points, signal, told } = options;
  const report = { points: 0, sent: 0, removed: 0, bytes: 0 };
  let batch: EnginePoint[] = [];
  let batchBytes = 0;
  let doomed: number[] = [];

  async function send(): Promise<void> {
    await engine.upsert(batch, signal);
    report.sent += batch.length;
    report.bytes += batchBytes + batch.length * 4 * engine.dimension;
    batch = [];
    batchBytes = 0;
    told?.({ ...report });
  }

  async function remove(id: number): Promise<void> {
    doomed.push(id);
    if (doomed.length >= ENGINE_BOUNDS.page) await removeAll();
  }

  async function removeAll(): Promise<void> {
    await engine.delete(doomed, signal);
    report.removed += doomed.length;
    doomed = [];
  }

  const there = rowsOf(engine, signal)[Symbol.asyncIterator]();
  let row = await there.next();
  for await (const own of points) {
    signal?.throwIfAborted();
    for (; row.done !== true && row.value.id < own.id; row = await there.next()) await remove(row.value.id);
    const kept = row.done !== true && row.value.id === own.id ? row.value : null;
    if (kept !== null) row = await there.next();
    report.points++;
    if (kept !== null && Buffer.compare(kept.digest, own.digest) === 0) {
      if (report.points % ENGINE_BOUNDS.page === 0) told?.({ ...report });
      continue;
    }
    const point = own.make();
    if (batch.length >= ENGINE_BOUNDS.points || batchBytes + point.payload.length > ENGINE_BOUNDS.upsertBytes)
      await send();
    batch.push(point);
    batchBytes += point.payload.length;
  }
  for (; row.done !== true; row = await there.next()) await remove(row.value.id);
  if (batch.length > 0) await send();
  if (doomed.length > 0) await removeAll();
  told?.({ ...report });
  return report;
}

/** All rows of the engine in the order of ids; an engine that shows them in another order, or one twice, ends it. */
async function* rowsOf(engine: VectorEngine, signal: AbortSignal | undefined): AsyncGenerator<EngineRow> {
  for (let after = 0; ; ) {
    const page = await engine.list(after, signal);
    if (page.length === 0) return;
    for (const row of page) {
      if (row.id <= after) throw outOfOrder();
      after = row.id;
      yield row;
    }
  }
}

const outOfOrder = (): KithError =>
  new KithError('engine_failed', 'The engine does not list its points in the order of their ids.', {
    status: 502,
  });
