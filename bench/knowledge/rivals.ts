/**
 * Engines that Kith's search of vectors is measured against, each behind the same two calls. They are installed only here
 * (bench/knowledge/package.json), on demand.
 *
 * @module bench/knowledge/rivals
 */
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { VectorSet } from './vectors.ts';

export interface Contender extends AsyncDisposable {
  readonly name: string;
  /** Makes everything that a search needs. */
  build(): Promise<void>;
  /** Numbers of the rows, best first. */
  search(query: Float32Array, k: number): Promise<readonly number[]>;
}

const HERE = import.meta.dirname;

/** Installs what is missing. False when that failed. */
export function installRivals(): boolean {
  console.error(
    'Installing usearch, LanceDB and PGlite for the comparison (bench/knowledge, about 300 MB) ...',
  );
  return spawnSync('npm', ['ci', '--no-audit', '--no-fund'], { cwd: HERE, stdio: 'inherit' }).status === 0;
}

export function hasRivals(): boolean {
  return existsSync(join(HERE, 'node_modules'));
}

async function load<T>(name: string): Promise<T> {
  const path = createRequire(join(HERE, 'package.json')).resolve(name);
  return (await import(pathToFileURL(path).href)) as T;
}

type UsearchIndex = {
  add(keys: BigUint64Array, vectors: Float32Array, threads: number): void;
  search(query: Float32Array, k: number, threads: number): { keys: BigUint64Array };
};

export async function usearch({ rows, dimension }: VectorSet): Promise<Contender> {
  const { Index, MetricKind, ScalarKind } = await load<{
    Index: new (options: object) => UsearchIndex;
    MetricKind: { IP: string };
    ScalarKind: { F32: string };
  }>('usearch');
  const index = new Index({
    ...{ dimensions: dimension, metric: MetricKind.IP, quantization: ScalarKind.F32 },
    ...{ connectivity: 16, expansion_add: 200, expansion_search: 64, multi: false },
  });
  return {
    name: 'usearch HNSW f32 (m 16, efc 200, ef 64)',
    async build() {
      const keys = BigUint64Array.from(rows, (_, i) => BigInt(i));
      const flat = new Float32Array(rows.length * dimension);
      rows.forEach((row, i) => {
        flat.set(row, i * dimension);
      });
      index.add(keys, flat, 1);
    },
    search: async (query, k) => Array.from(index.search(query, k, 1).keys, Number),
    async [Symbol.asyncDispose]() {},
  };
}

type LanceTable = {
  createIndex(column: string, options: object): Promise<void>;
  vectorSearch(query: Float32Array): {
    distanceType(kind: string): {
      refineFactor(n: number): {
        select(columns: string[]): { limit(k: number): { toArray(): Promise<{ id: number }[]> } };
      };
    };
  };
};

export async function lancedb({ rows }: VectorSet): Promise<Contender> {
  const lance = await load<{
    connect(path: string): Promise<{ createTable(name: string, data: object[]): Promise<LanceTable> }>;
    Index: { hnswSq(options: object): object };
  }>('@lancedb/lancedb');
  const folder = await mkdtemp(join(tmpdir(), 'kith-bench-lance-'));
  let table: LanceTable | null = null;
  return {
    name: 'LanceDB HNSW_SQ, refined twice',
    async build() {
      const database = await lance.connect(folder);
      table = await database.createTable(
        'rows',
        rows.map((vector, id) => ({ id, vector: Array.from(vector) })),
      );
      await table.createIndex('vector', {
        config: lance.Index.hnswSq({ distanceType: 'dot', numPartitions: 1 }),
      });
    },
    async search(query, k) {
      const found = await table!
        .vectorSearch(query)
        .distanceType('dot')
        .refineFactor(2)
        .select(['id', '_distance'])
        .limit(k)
        .toArray();
      return found.map(({ id }) => Number(id));
    },
    [Symbol.asyncDispose]: () => rm(folder, { recursive: true, force: true }),
  };
}

export async function pgvector({ rows, dimension }: VectorSet): Promise<Contender> {
  const { PGlite } = await load<{
    PGlite: new (
      options: object,
    ) => {
      exec(sql: string): Promise<unknown>;
      query<T>(sql: string, values: unknown[]): Promise<{ rows: T[] }>;
      close(): Promise<void>;
    };
  }>('@electric-sql/pglite');
  const { vector } = await load<{ vector: object }>('@electric-sql/pglite-pgvector');
  const database = new PGlite({ extensions: { vector } });
  const text = (values: Float32Array): string => `[${values.join(',')}]`;
  return {
    name: 'pgvector HNSW in PGlite (m 16, ef 64)',
    async build() {
      await database.exec(
        `CREATE EXTENSION vector; CREATE TABLE item (id int PRIMARY KEY, v vector(${dimension})); SET maintenance_work_mem = '512MB'`,
      );
      const STEP = 500;
      for (let at = 0; at < rows.length; at += STEP) {
        const part = rows.slice(at, at + STEP);
        const places = part.map((_, i) => `($${2 * i + 1}, $${2 * i + 2})`).join(', ');
        await database.query(
          `INSERT INTO item VALUES ${places}`,
          part.flatMap((row, i) => [at + i, text(row)]),
        );
      }
      await database.exec(
        'CREATE INDEX ON item USING hnsw (v vector_ip_ops) WITH (m = 16, ef_construction = 64); SET hnsw.ef_search = 64',
      );
    },
    async search(query, k) {
      const { rows: found } = await database.query<{ id: number }>(
        `SELECT id FROM item ORDER BY v <#> $1 LIMIT ${k}`,
        [text(query)],
      );
      return found.map(({ id }) => id);
    },
    [Symbol.asyncDispose]: () => database.close(),
  };
}
