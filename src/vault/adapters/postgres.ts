/**
 * Points in PostgreSQL with pgvector: a table for each collection in the schema `kith`, HNSW over inner products.
 *
 * Every call is one transaction with its own limits of time; names that come from the server are quoted, all else is a parameter.
 * `hnsw.iterative_scan` keeps a filtered search from ending before it has what was asked for (pgvector 0.8); where it ends all the
 * same, all rows are compared.
 *
 * @module vault/adapters/postgres
 */
import { Socket } from 'node:net';
import type { ClientConfig, PoolClient } from 'pg';
import { isKithError, type KithError } from '../../base/index.ts';
import { checkCollection, checkIds, checkPoints, checkQuery, isId, ordered } from './bounds.ts';
import {
  abortedOf,
  full,
  gone,
  late,
  noExtension,
  odd,
  reachError,
  refused,
  unreachable,
  wrongDimension,
} from './errors.ts';
import { type Guard, guarded } from './postgres-guard.ts';
import {
  ENGINE_BOUNDS,
  type EngineAddress,
  type EngineHit,
  type EngineOptions,
  type EngineQuery,
  type VectorEngine,
} from './types.ts';

const CALL_MS = 30_000;
const INDEX_MS = 3_600_000;
/** A subset of so many is compared row by row: faster than to walk the graph past all others, and exact. */
const SMALL = 10_000;
/** How often it is looked whether a reply grows beyond its bound. */
const LOOK_MS = 20;
const EF = { least: 200, most: 1000 } as const;
const MEMORY_MB = { least: 64, most: 512 } as const;

interface Session extends PoolClient {
  readonly socket: Socket;
  readonly guard: Guard;
}

interface Call {
  readonly ms?: number;
  readonly signal?: AbortSignal | undefined;
  /** Settings of this transaction, written here and never by others. */
  readonly settings?: readonly string[];
}

const quoted = (name: string): string => `"${name.replaceAll('"', '""')}"`;

/** @throws KithError `engine_...` */
export async function openPostgres(options: EngineOptions): Promise<VectorEngine> {
  const { address, collection, dimension, create = true, callMs = CALL_MS, indexMs = INDEX_MS } = options;
  checkCollection(collection, dimension);
  const table = `kith.${quoted(`points_${collection}`)}`;
  const pool = await poolOf(address, callMs);

  async function run<T>(work: (session: Session) => Promise<T>, call: Call = {}): Promise<T> {
    const { ms = callMs, signal, settings = [] } = call;
    const stopped = abortedOf(signal);
    if (stopped !== null) throw stopped;
    let session: Session;
    try {
      session = (await pool.connect()) as Session;
    } catch (error) {
      throw failureOf(error, address, callMs);
    }
    const before = session.socket.bytesRead;
    let why: KithError | null = abortedOf(signal);
    if (why !== null) {
      session.release();
      throw why;
    }
    const end = (error: KithError): void => {
      why ??= error;
      session.socket.destroy(error);
    };
    const onAbort = (): void => end(abortedOf(signal)!);
    const look = setInterval(() => {
      if (session.socket.bytesRead - before > ENGINE_BOUNDS.replyBytes)
        end(odd(address, `a reply of more than ${ENGINE_BOUNDS.replyBytes} bytes`));
    }, LOOK_MS);
    // The server's own limit comes first; this one is for a server that is silent.
    const deadline = setTimeout(() => end(late(address, ms)), ms + 1000);
    signal?.addEventListener('abort', onAbort, { once: true });
    let isWell = false;
    session.guard.asked = true;
    try {
      await session.query(
        [
          'BEGIN',
          `SET LOCAL statement_timeout = ${ms}`,
          'SET LOCAL search_path = pg_catalog',
          ...settings,
        ].join('; '),
      );
      const result = await work(session);
      await session.query('COMMIT');
      isWell = true;
      return result;
    } catch (error) {
      // A refusal leaves a connection that can be used again.
      if (why === null && isRefusal(error))
        isWell = await session.query('ROLLBACK').then(
          () => true,
          () => false,
        );
      throw why ?? failureOf(error, address, ms);
    } finally {
      clearInterval(look);
      clearTimeout(deadline);
      signal?.removeEventListener('abort', onAbort);
      session.guard.asked = false;
      // What else failed halfway is rolled back where its connection ends.
      session.release(!isWell);
    }
  }

  async function rows<Row>(session: Session, text: string, values: readonly unknown[] = []): Promise<Row[]> {
    return (await session.query({ text, values: [...values] })).rows as Row[];
  }

  /** The schema that pgvector's names are in, quoted, and what answers. */
  async function prepare(): Promise<{ space: string; about: string }> {
    return run(
      async (session) => {
        const found = await extensionOf(session);
        if (found.version === null) {
          const available = await rows<{ version: string | null }>(
            session,
            "SELECT default_version AS version FROM pg_available_extensions WHERE name = 'vector'",
          );
          if (available.length === 0) throw noExtension(address, 'has no pgvector');
          if (!create) throw noExtension(address, 'has pgvector, but not in this database');
          await session.query('SET LOCAL search_path = public, pg_catalog');
          await session.query('CREATE EXTENSION IF NOT EXISTS vector').catch((error: unknown) => {
            throw codeOf(error) === '42501'
              ? noExtension(address, 'has pgvector, but not in this database, and this user may not add it')
              : error;
          });
          await session.query('SET LOCAL search_path = pg_catalog');
        }
        const { version, space } = await extensionOf(session);
        if (version === null || !isNewEnough(version))
          throw noExtension(address, `has pgvector ${String(version).slice(0, 20)}`);
        const [server] = await rows<{ version: string }>(
          session,
          "SELECT current_setting('server_version') AS version",
        );
        const about = `PostgreSQL ${String(server?.version).slice(0, 40)}, pgvector ${version.slice(0, 20)}`;
        const name = quoted(space);
        const [column] = await rows<{ dimension: number | null }>(
          session,
          "SELECT a.atttypmod AS dimension FROM pg_attribute AS a WHERE a.attrelid = to_regclass($1) AND a.attname = 'vector' AND NOT a.attisdropped",
          [table],
        );
        if (column !== undefined && column.dimension !== dimension)
          throw wrongDimension(address, String(column.dimension), dimension);
        if (column === undefined && create) {
          await session.query('CREATE SCHEMA IF NOT EXISTS kith');
          await session.query(
            `CREATE TABLE IF NOT EXISTS ${table} (id bigint PRIMARY KEY, digest bytea NOT NULL, payload bytea NOT NULL, vector ${name}.vector(${dimension}) NOT NULL)`,
          );
        }
        return { space: name, about };
      },
      { signal: options.signal },
    );
  }

  const extensionOf = async (session: Session): Promise<{ version: string | null; space: string }> => {
    const [row] = await rows<{ version: string; space: string }>(
      session,
      "SELECT e.extversion AS version, n.nspname AS space FROM pg_extension AS e JOIN pg_namespace AS n ON n.oid = e.extnamespace WHERE e.extname = 'vector'",
    );
    return row ?? { version: null, space: '' };
  };

  const { space, about } = await prepare().catch(async (error: unknown) => {
    await pool.end().catch(() => undefined);
    throw error;
  });
  const less = `OPERATOR(${space}.<#>)`;

  async function nearest(
    vector: Float32Array,
    { k, only, exact = false, signal }: EngineQuery,
  ): Promise<EngineHit[]> {
    const subset = only !== undefined && (exact || only.length <= SMALL);
    const ef = Math.min(EF.most, Math.max(EF.least, 2 * k));
    const settings = subset
      ? []
      : exact
        ? ['SET LOCAL enable_indexscan = off']
        : [`SET LOCAL hnsw.ef_search = ${ef}`, 'SET LOCAL hnsw.iterative_scan = strict_order'];
    const distance = `vector ${less} $1::${space}.vector`;
    const filter = only === undefined ? '' : 'WHERE id = ANY ($3::bigint[])';
    const from = subset
      ? `WITH chosen AS MATERIALIZED (SELECT id, vector FROM ${table} ${filter}) SELECT id, ${distance} AS d FROM chosen`
      : `SELECT id, ${distance} AS d FROM ${table} ${filter}`;
    const found = await run(
      (session) =>
        rows<{ id: string; d: number }>(session, `${from} ORDER BY ${distance} LIMIT $2::bigint`, [
          binaryOf(vector),
          k,
          ...(only === undefined ? [] : [Array.from(only)]),
        ]),
      { signal, settings },
    );
    return ordered(
      found.map(({ id, d }) => ({ id: idOf(id, address), score: -numberOf(d, address) })),
      k,
    );
  }

  async function counted(signal: AbortSignal | undefined): Promise<number> {
    const [row] = await run((session) => rows<{ n: string }>(session, `SELECT count(*) AS n FROM ${table}`), {
      signal,
    });
    const count = Number(row?.n);
    if (!Number.isSafeInteger(count) || count < 0) throw odd(address, 'a count that is none');
    return count;
  }

  return {
    kind: 'postgres',
    about,
    dimension,
    async upsert(points, signal) {
      checkPoints(points, dimension);
      if (points.length === 0) return;
      const places = points.map(
        (_, i) =>
          `($${4 * i + 1}::bigint, $${4 * i + 2}::bytea, $${4 * i + 3}::bytea, $${4 * i + 4}::${space}.vector)`,
      );
      const values = points.flatMap(({ id, digest, payload, vector }) => [
        ...[id, Buffer.from(digest), Buffer.from(payload), binaryOf(vector)],
      ]);
      await run(
        (session) =>
          rows(
            session,
            `INSERT INTO ${table} (id, digest, payload, vector) VALUES ${places.join(', ')} ON CONFLICT (id) DO UPDATE SET digest = excluded.digest, payload = excluded.payload, vector = excluded.vector`,
            values,
          ),
        { signal },
      );
    },
    async delete(ids, signal) {
      checkIds(ids, ENGINE_BOUNDS.page);
      if (ids.length === 0) return;
      await run((session) => rows(session, `DELETE FROM ${table} WHERE id = ANY ($1::bigint[])`, [ids]), {
        signal,
      });
    },
    async search(vector, query) {
      checkQuery(vector, query, dimension);
      const found = await nearest(vector, query);
      const most = Math.min(query.k, query.only?.length ?? query.k);
      if (found.length >= most || query.exact === true) return found;
      // The walk over the graph ended early, or there are no more.
      return nearest(vector, { ...query, exact: true });
    },
    async payloads(ids, signal) {
      checkIds(ids, ENGINE_BOUNDS.fetched);
      const found = await run(
        (session) =>
          rows<{ id: string; payload: Uint8Array }>(
            session,
            `SELECT id, payload FROM ${table} WHERE id = ANY ($1::bigint[]) AND octet_length(payload) <= $2::int LIMIT ${ENGINE_BOUNDS.fetched}`,
            [ids, ENGINE_BOUNDS.payloadBytes],
          ),
        { signal },
      );
      return new Map(found.map(({ id, payload }) => [idOf(id, address), bytesOf(payload, address)]));
    },
    count: counted,
    async list(after, signal) {
      const found = await run(
        (session) =>
          rows<{ id: string; digest: Uint8Array }>(
            session,
            `SELECT id, digest FROM ${table} WHERE id > $1::bigint ORDER BY id LIMIT ${ENGINE_BOUNDS.page}`,
            [after],
          ),
        { signal },
      );
      return found.map(({ id, digest }) => {
        const bytes = bytesOf(digest, address);
        return {
          id: idOf(id, address),
          digest: bytes.length === ENGINE_BOUNDS.digestBytes ? bytes : new Uint8Array(),
        };
      });
    },
    async index(signal) {
      const count = await counted(signal);
      // What the graph takes while it is built; with less it is built on the disk, many times slower.
      const wanted = Math.ceil((count * (4 * dimension + 400)) / 2 ** 20);
      const memory = Math.min(MEMORY_MB.most, Math.max(MEMORY_MB.least, wanted));
      await run(
        async (session) => {
          await session.query(
            `CREATE INDEX IF NOT EXISTS ${quoted(`points_${collection}_hnsw`)} ON ${table} USING hnsw (vector ${space}.vector_ip_ops)`,
          );
          await session.query(`ANALYZE ${table}`);
        },
        { signal, ms: indexMs, settings: [`SET LOCAL maintenance_work_mem = '${memory}MB'`] },
      );
    },
    async drop(signal) {
      await run((session) => session.query(`DROP TABLE IF EXISTS ${table}`), { signal });
    },
    async [Symbol.asyncDispose]() {
      await pool.end();
    },
  };
}

async function poolOf(address: EngineAddress, callMs: number) {
  const { default: pg } = await import('pg');
  const { host, port, user, database, secret, tls } = address;
  class Counted extends pg.Client {
    readonly socket: Socket;
    readonly guard: Guard;
    constructor(config?: ClientConfig) {
      const socket = new Socket();
      // A function, so that neither the environment nor a file of passwords is asked. The pool hides its own from a copy.
      super({ ...config, password: () => secret ?? '', stream: () => socket });
      this.socket = socket;
      this.guard = guarded(this, address);
    }
  }
  const pool = new pg.Pool({
    ...{ host, port, user, database, max: 2, application_name: 'kith' },
    ssl: tls === 'off' ? false : { rejectUnauthorized: tls === 'verified' },
    ...{ connectionTimeoutMillis: callMs, idleTimeoutMillis: 30_000, allowExitOnIdle: true, keepAlive: true },
    Client: Counted,
  });
  // Of connections that nobody uses now: the next call makes another.
  pool.on('error', () => undefined);
  // Of one in use: its query is told, and an event that nobody hears would end the process.
  pool.on('connect', (client) => client.on('error', () => undefined));
  return pool;
}

/** As pgvector reads it: i16 dimension, i16 zero, f32 each, all big-endian. */
function binaryOf(vector: Float32Array): Buffer {
  const bytes = Buffer.allocUnsafe(4 + 4 * vector.length);
  bytes.writeUInt16BE(vector.length, 0);
  bytes.writeUInt16BE(0, 2);
  for (let i = 0; i < vector.length; i++) bytes.writeFloatBE(vector[i]!, 4 + 4 * i);
  return bytes;
}

function idOf(text: unknown, address: EngineAddress): number {
  const id = typeof text === 'string' && /^\d{1,16}$/u.test(text) ? Number(text) : Number.NaN;
  if (!isId(id)) throw odd(address, 'an id that is none');
  return id;
}

function numberOf(value: unknown, address: EngineAddress): number {
  if (typeof value !== 'number' || Number.isNaN(value)) throw odd(address, 'a distance that is none');
  return value;
}

function bytesOf(value: unknown, address: EngineAddress): Uint8Array {
  if (!(value instanceof Uint8Array)) throw odd(address, 'bytes that are none');
  return Uint8Array.from(value);
}

const isNewEnough = (version: string): boolean => {
  const [major = 0, minor = 0] = version.split('.').map(Number);
  return major > 0 || minor >= 8;
};

const codeOf = (error: unknown): string =>
  error instanceof Error ? String((error as { code?: unknown }).code ?? '') : '';

/** The server answered, in its own words. */
const isRefusal = (error: unknown): boolean =>
  isKithError(error) || (/^[0-9A-Z]{5}$/u.test(codeOf(error)) && !/^E[A-Z]+$/u.test(codeOf(error)));

/** Classes and codes: PostgreSQL, Appendix A. */
function failureOf(error: unknown, address: EngineAddress, ms: number): KithError {
  if (isKithError(error)) return error;
  const code = codeOf(error);
  if (code === '57014') return late(address, ms);
  if (/^(?:28...|42501|3D000)$/u.test(code)) return refused(address, error);
  if (/^53[123]00$/u.test(code) || code === '54000') return full(address, error);
  if (code === '42P01' || code === '3F000') return gone(address);
  if (/^57P0.$/u.test(code)) return unreachable(address, error);
  if (isRefusal(error)) return odd(address, error);
  if (
    /timeout exceeded when trying to connect|timeout expired|connection timeout/u.test(
      String((error as Error).message),
    )
  )
    return late(address, ms);
  // Its client found that it cannot sign in: no password, or a server that cannot show that it knows it.
  if (/^SASL|password/u.test(String((error as Error).message))) return refused(address, error);
  return reachError(address, error) ?? unreachable(address, error);
}
