/**
 * Points in Qdrant, over its REST interface (api.qdrant.tech, v1.10 and newer: `points/query`).
 *
 * A point's payload is two texts: `d`, the digest in hex, and `p`, what was sealed in base64. Redirects are not followed: they would
 * carry the key elsewhere.
 *
 * @module vault/adapters/qdrant
 */
import { z } from 'zod';
import { fromHex, isKithError, type KithError, toHex } from '../../base/index.ts';
import { checkCollection, checkIds, checkPoints, checkQuery, isId, ordered } from './bounds.ts';
import {
  abortedOf,
  full,
  gone,
  late,
  odd,
  reachError,
  refused,
  unreachable,
  wrongDimension,
} from './errors.ts';
import {
  ENGINE_BOUNDS,
  type EngineAddress,
  type EngineOptions,
  type EngineQuery,
  type VectorEngine,
} from './types.ts';

const CALL_MS = 30_000;
/** Points of one answer of `list`: hosted ones refuse more by their strict mode. */
const PAGE = 1000;
/** Neighbours that a walk keeps in view. */
const EF = { least: 128, most: 4096 } as const;

const id = z.custom<number>(isId);
const done = z.object({ result: z.object({ status: z.enum(['acknowledged', 'completed']) }) });
const about = z.object({ version: z.string().max(40) });
const information = z.object({
  result: z.object({
    config: z.object({
      params: z.object({ vectors: z.object({ size: z.int(), distance: z.string().max(20) }) }),
    }),
  }),
});
const counted = z.object({ result: z.object({ count: z.int().min(0) }) });
const found = z.object({
  result: z.object({
    points: z.array(z.object({ id, score: z.number() })).max(ENGINE_BOUNDS.hits),
  }),
});
const scrolled = z.object({
  result: z.object({
    points: z
      .array(z.object({ id, payload: z.object({ d: z.string().max(64).optional() }).nullish() }))
      .max(ENGINE_BOUNDS.page),
  }),
});
const fetched = z.object({
  result: z
    .array(
      z.object({
        id,
        payload: z
          .object({
            p: z
              .string()
              .max(1 << 20)
              .optional(),
          })
          .nullish(),
      }),
    )
    .max(ENGINE_BOUNDS.fetched),
});
const failure = z.object({ status: z.object({ error: z.string() }) });

interface Asked {
  readonly body?: unknown;
  readonly signal?: AbortSignal | undefined;
}

/** @throws KithError `engine_...` */
export async function openQdrant(options: EngineOptions): Promise<VectorEngine> {
  const { address, collection, dimension, create = true, callMs = CALL_MS } = options;
  checkCollection(collection, dimension);
  const path = `/collections/kith_${collection}`;
  const { host, port, tls, secret } = address;
  const base = `${tls === 'off' ? 'http' : 'https'}://${host.includes(':') ? `[${host}]` : host}:${port}`;

  /** The answer, or null where there is no such thing. */
  async function ask(method: string, at: string, { body, signal }: Asked = {}): Promise<unknown> {
    const stopped = abortedOf(signal);
    if (stopped !== null) throw stopped;
    const patience = AbortSignal.timeout(callMs);
    try {
      const response = await fetch(`${base}${at}`, {
        method,
        redirect: 'error',
        headers: {
          accept: 'application/json',
          ...(secret === null ? {} : { 'api-key': secret }),
          ...(body === undefined ? {} : { 'content-type': 'application/json' }),
        },
        ...(body === undefined ? {} : { body: JSON.stringify(body) }),
        signal: signal === undefined ? patience : AbortSignal.any([patience, signal]),
      });
      const text = await bounded(response, address);
      if (response.status === 404) return null;
      if (!response.ok) throw failureOf(response.status, text, address);
      return JSON.parse(text) as unknown;
    } catch (error) {
      if (isKithError(error)) throw error;
      const aborted = abortedOf(signal);
      if (aborted !== null) throw aborted;
      if (patience.aborted) throw late(address, callMs);
      if (error instanceof SyntaxError) throw odd(address, 'no JSON');
      throw reachError(address, error) ?? unreachable(address, error);
    }
  }

  async function call<T>(schema: z.ZodType<T>, method: string, at: string, asked: Asked = {}): Promise<T> {
    const answer = await ask(method, at, asked);
    if (answer === null) throw gone(address);
    return parsed(schema, answer);
  }

  function parsed<T>(schema: z.ZodType<T>, answer: unknown): T {
    const result = schema.safeParse(answer);
    if (result.success) return result.data;
    const [issue] = result.error.issues;
    throw odd(
      address,
      `${issue?.path.join('.') || 'the answer'}: ${issue?.message ?? 'is not as documented'}`,
    );
  }

  const root = await ask('GET', '/', options);
  if (root === null) throw odd(address, 'nothing under /: is that Qdrant?');
  const { version } = parsed(about, root);
  const there = await ask('GET', path, options);
  if (there !== null) {
    const { size, distance } = parsed(information, there).result.config.params.vectors;
    if (size !== dimension || distance !== 'Dot')
      throw wrongDimension(address, distance === 'Dot' ? String(size) : `${size} by ${distance}`, dimension);
  } else if (create) {
    const made = await ask('PUT', path, {
      ...options,
      body: { vectors: { size: dimension, distance: 'Dot' } },
    });
    parsed(z.object({ result: z.literal(true) }), made);
  }

  return {
    kind: 'qdrant',
    about: `Qdrant ${version}`,
    dimension,
    async upsert(points, signal) {
      checkPoints(points, dimension);
      if (points.length === 0) return;
      const body = {
        points: points.map(({ id: point, vector, digest, payload }) => ({
          id: point,
          vector: Array.from(vector),
          payload: { d: toHex(digest), p: Buffer.from(payload).toString('base64') },
        })),
      };
      await call(done, 'PUT', `${path}/points?wait=true`, { body, signal });
    },
    async delete(ids, signal) {
      checkIds(ids, ENGINE_BOUNDS.page);
      if (ids.length === 0) return;
      await call(done, 'POST', `${path}/points/delete?wait=true`, { body: { points: ids }, signal });
    },
    async search(vector, query) {
      checkQuery(vector, query, dimension);
      const { k, only, exact = false, signal } = query satisfies EngineQuery;
      if (only?.length === 0) return [];
      const body = {
        query: Array.from(vector),
        limit: k,
        params: exact ? { exact } : { hnsw_ef: Math.min(EF.most, Math.max(EF.least, 2 * k)) },
        ...(only === undefined ? {} : { filter: { must: [{ has_id: Array.from(only) }] } }),
        with_payload: false,
        with_vector: false,
      };
      const { result } = await call(found, 'POST', `${path}/points/query`, { body, signal });
      return ordered(result.points, k);
    },
    async payloads(ids, signal) {
      checkIds(ids, ENGINE_BOUNDS.fetched);
      if (ids.length === 0) return new Map();
      const body = { ids, with_payload: ['p'], with_vector: false };
      const { result } = await call(fetched, 'POST', `${path}/points`, { body, signal });
      return new Map(
        result.flatMap(({ id: point, payload }) =>
          payload?.p === undefined
            ? []
            : [[point, new Uint8Array(Buffer.from(payload.p, 'base64'))] as const],
        ),
      );
    },
    async count(signal) {
      const answer = await call(counted, 'POST', `${path}/points/count`, { body: { exact: true }, signal });
      return answer.result.count;
    },
    async list(after, signal) {
      const body = { offset: after + 1, limit: PAGE, with_payload: ['d'], with_vector: false };
      const { result } = await call(scrolled, 'POST', `${path}/points/scroll`, { body, signal });
      return result.points.map(({ id: point, payload }) => ({ id: point, digest: digestOf(payload?.d) }));
    },
    // It indexes by itself.
    async index() {},
    async drop(signal) {
      const answer = await ask('DELETE', path, { signal });
      if (answer !== null) parsed(z.object({ result: z.boolean() }), answer);
    },
    async [Symbol.asyncDispose]() {},
  };
}

const HEX = /^[0-9a-f]+$/u;
const digestOf = (text: string | undefined): Uint8Array =>
  text !== undefined && text.length === 2 * ENGINE_BOUNDS.digestBytes && HEX.test(text)
    ? fromHex(text)
    : new Uint8Array();

/** The body as text; one that is too long is not read to its end. */
async function bounded(response: Response, address: EngineAddress): Promise<string> {
  const pieces: Uint8Array[] = [];
  let bytes = 0;
  // Leaving the loop ends the connection.
  for await (const piece of response.body ?? []) {
    bytes += (piece as Uint8Array).length;
    if (bytes > ENGINE_BOUNDS.replyBytes)
      throw odd(address, `a reply of more than ${ENGINE_BOUNDS.replyBytes} bytes`);
    pieces.push(piece as Uint8Array);
  }
  return Buffer.concat(pieces).toString('utf8');
}

function failureOf(status: number, text: string, address: EngineAddress): KithError {
  let said = text.trim() === '' ? `HTTP ${status}` : text;
  try {
    const known = failure.safeParse(JSON.parse(text));
    if (known.success) said = known.data.status.error;
  } catch {
    // Plain text, as of a refused key or a proxy before it.
  }
  if (status === 401 || status === 403) return refused(address, said);
  if (status === 408 || status === 504) return late(address, CALL_MS);
  if (status === 429 || status === 503) return unreachable(address, said);
  if (
    status === 413 ||
    status === 507 ||
    /no space left|disk (?:is )?full|out of (?:memory|disk)/iu.test(said)
  )
    return full(address, said);
  return odd(address, said);
}
