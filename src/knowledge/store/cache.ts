/**
 * Answers that are kept for questions which come again. They are of one version of the knowledge base and go with it; keeping or
 * giving one is no change of the knowledge base.
 *
 * @module knowledge/store/cache
 */
import type { Database } from '../../base/index.ts';
import { STORE_LIMITS } from './schema.ts';
import type { KeptAnswers } from './types.ts';

/** Answers under one topic that are looked at. */
const MOST_LOOKED = 32;

interface Row {
  readonly id: number;
  readonly asked: Uint8Array;
  readonly vector: Uint8Array | null;
  readonly made: number;
}

/** @param present throws when the file is not there any more */
export function createKept(database: Database, present: () => void): KeptAnswers {
  const current = database.prepare<{ version: number }>('SELECT version FROM meta');
  const find = database.prepare<Row, [Uint8Array, number, number, number, number]>(
    'SELECT id, asked, vector, made FROM kept WHERE topic = ? AND version = ? AND made > ? AND made <= ? ORDER BY used DESC LIMIT ?',
  );
  const take = database.prepare<{ value: string }, [number]>(
    'UPDATE kept SET hits = hits + 1, used = (SELECT max(used) + 1 FROM kept) WHERE id = ? RETURNING value',
  );
  const drop = database.prepare<never, [number, number, number]>(
    'DELETE FROM kept WHERE version <> ? OR made <= ? OR made > ?',
  );
  // In the order of their use and not by the clock, which may be wrong.
  const put = database.prepare<never, Record<string, string | number | null | Uint8Array>>(
    `INSERT OR REPLACE INTO kept (topic, asked, vector, value, version, made, used, hits, bytes) VALUES
       (:topic, :asked, :vector, :value, :version, :made, (SELECT coalesce(max(used), 0) + 1 FROM kept), 0, :bytes)`,
  );
  const sum = database.prepare<{ rows: number; bytes: number; hits: number }>(
    'SELECT count(*) AS rows, coalesce(sum(bytes), 0) AS bytes, coalesce(sum(hits), 0) AS hits FROM kept',
  );
  const oldest = database.prepare<{ id: number; bytes: number }>(
    'SELECT id, bytes FROM kept ORDER BY used LIMIT 1',
  );
  const remove = database.prepare<never, [number]>('DELETE FROM kept WHERE id = ?');
  const clear = database.prepare<never>('DELETE FROM kept');
  const version = (): number => current.get()!.version;

  return {
    find: (topic, now, ttlMs) =>
      find.all(topic, version(), now - ttlMs, now, MOST_LOOKED).map(({ id, asked, vector, made }) => ({
        ...{ id, asked, made },
        vector: vector === null ? null : floats(vector),
      })),
    take(id) {
      present();
      return take.get(id)?.value ?? null;
    },
    put({ topic, asked, vector, value }, at, now, ttlMs) {
      const bytes = Buffer.byteLength(value) + (vector?.byteLength ?? 0) + topic.length + asked.length;
      if (bytes > STORE_LIMITS.keptAnswer) return false;
      present();
      return database.transaction(() => {
        if (version() !== at) return false;
        drop.run(at, now - ttlMs, now);
        put.run({
          ...{ topic, asked, value, version: at, made: now, bytes },
          vector:
            vector === null ? null : new Uint8Array(vector.buffer, vector.byteOffset, vector.byteLength),
        });
        let { rows, bytes: all } = sum.get()!;
        while (rows > STORE_LIMITS.kept || all > STORE_LIMITS.keptBytes) {
          const last = oldest.get()!;
          remove.run(last.id);
          rows--;
          all -= last.bytes;
        }
        return true;
      });
    },
    figures(now, ttlMs) {
      present();
      return database.transaction(() => {
        // What will never be given again is not counted.
        drop.run(version(), now - ttlMs, now);
        const { rows, bytes, hits } = sum.get()!;
        return { answers: rows, bytes, hits };
      });
    },
    clear() {
      present();
      return database.transaction(() => {
        const { rows } = sum.get()!;
        clear.run();
        return rows;
      });
    },
  };
}

/** Copied: SQLite's bytes need not begin where a float may. */
function floats(bytes: Uint8Array): Float32Array {
  const vector = new Float32Array(bytes.length >> 2);
  new Uint8Array(vector.buffer).set(bytes.subarray(0, 4 * vector.length));
  return vector;
}
