/**
 * Not Qdrant: a stand-in that holds the part of its REST contract that the adapter uses, written down from its public reference
 * (api.qdrant.tech, v1.10 to v1.19). It compares with every point, so that nothing is learned of Qdrant's recall or speed. The
 * same tests run against a server where KITH_TEST_QDRANT_URL names one.
 */
import { createServer, type IncomingMessage, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';

interface Point {
  readonly id: number;
  readonly vector: readonly number[];
  readonly payload: Readonly<Record<string, unknown>>;
}
interface Collection {
  readonly size: number;
  readonly distance: string;
  readonly points: Map<number, Point>;
}
interface Body {
  readonly [key: string]: unknown;
}
type Reply = readonly [status: number, body: unknown];

const KEYS: Readonly<Record<string, readonly string[]>> = {
  query: ['query', 'limit', 'params', 'filter', 'with_payload', 'with_vector'],
  scroll: ['offset', 'limit', 'with_payload', 'with_vector'],
  count: ['exact'],
  delete: ['points'],
  fetch: ['ids', 'with_payload', 'with_vector'],
  upsert: ['points'],
  create: ['vectors'],
};

const ok = (result: unknown): Reply => [200, { result, status: 'ok', time: 0.001 }];
const wrong = (status: number, error: string): Reply => [status, { status: { error }, time: 0.001 }];
const missing = (name: string): Reply => wrong(404, `Not found: Collection \`${name}\` doesn't exist!`);

export class QdrantRecordedContractFake implements AsyncDisposable {
  readonly collections = new Map<string, Collection>();
  readonly #server: Server;
  readonly #key: string;
  /** Answers the next request in its place; null: nothing is in its place. */
  next: ((request: IncomingMessage) => Reply | null) | null = null;
  /** Answers wait for it. */
  held: ((request: IncomingMessage) => Promise<void>) | null = null;
  /** Every header and body that came. */
  readonly seen: string[] = [];

  constructor(key: string) {
    this.#key = key;
    this.#server = createServer(async (request, response) => {
      const pieces: Buffer[] = [];
      for await (const piece of request) pieces.push(piece as Buffer);
      const text = Buffer.concat(pieces).toString('utf8');
      this.seen.push(`${request.method} ${request.url} ${JSON.stringify(request.headers)}`, text);
      await this.held?.(request);
      const [status, body] = this.#answer(request, text);
      response.writeHead(status, { 'content-type': 'application/json' });
      response.end(typeof body === 'string' ? body : JSON.stringify(body));
    });
  }

  async listen(): Promise<string> {
    await new Promise<void>((resolve) => this.#server.listen(0, '127.0.0.1', resolve));
    return `http://:${this.#key}@127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  #answer(request: IncomingMessage, text: string): Reply {
    const planned = this.next?.(request) ?? null;
    if (planned !== null) return planned;
    if (request.headers['api-key'] !== this.#key)
      return [401, 'Must provide an API key or an Authorization bearer token'];
    const url = new URL(request.url ?? '/', 'http://fake');
    const body = text === '' ? {} : (JSON.parse(text) as Body);
    if (request.method === 'GET' && url.pathname === '/')
      return [200, { title: 'qdrant - vector search engine', version: '1.19.0-recorded-contract' }];
    const match = /^\/collections\/([\w-]{1,255})(\/points(?:\/(delete|query|scroll|count))?)?$/u.exec(
      url.pathname,
    );
    if (match === null) return [404, ''];
    const [, name = '', points, verb] = match;
    if (points === undefined) return this.#collection(request.method ?? '', name, body);
    const collection = this.collections.get(name);
    if (collection === undefined) return missing(name);
    const operation = verb ?? (request.method === 'PUT' ? 'upsert' : 'fetch');
    const stranger = Object.keys(body).find((key) => !KEYS[operation]!.includes(key));
    if (stranger !== undefined) return wrong(400, `Format error in JSON body: unknown field \`${stranger}\``);
    if (request.method !== (operation === 'upsert' ? 'PUT' : 'POST')) return [405, ''];
    return this.#points(operation, collection, body);
  }

  #collection(method: string, name: string, body: Body): Reply {
    const there = this.collections.get(name);
    if (method === 'DELETE') return ok(this.collections.delete(name));
    if (method === 'PUT') {
      if (there !== undefined) return wrong(409, `Wrong input: Collection \`${name}\` already exists!`);
      const { size, distance } = body.vectors as { size: number; distance: string };
      if (!Number.isInteger(size) || size < 1 || size > 65536 || distance !== 'Dot')
        return wrong(422, 'Validation error in JSON body');
      this.collections.set(name, { size, distance, points: new Map() });
      return ok(true);
    }
    if (there === undefined) return missing(name);
    return ok({
      ...{ status: 'green', optimizer_status: 'ok', points_count: there.points.size },
      config: { params: { vectors: { size: there.size, distance: there.distance }, shard_number: 1 } },
    });
  }

  #points(operation: string, { points, size }: Collection, body: Body): Reply {
    const written = ok({ operation_id: 1, status: 'completed' });
    const wrongSize = (given: number): Reply =>
      wrong(400, `Wrong input: Vector dimension error: expected dim: ${size}, got ${given}`);
    switch (operation) {
      case 'upsert': {
        const given = body.points as Point[];
        for (const { id, vector } of given) {
          if (!Number.isSafeInteger(id) || id < 0) return wrong(400, 'Format error in JSON body: id');
          if (vector.length !== size) return wrongSize(vector.length);
        }
        for (const point of given)
          points.set(point.id, { ...point, vector: Array.from(Float32Array.from(point.vector)) });
        return written;
      }
      case 'delete':
        for (const id of body.points as number[]) points.delete(id);
        return written;
      case 'count':
        return ok({ count: points.size });
      case 'fetch':
        return ok(
          (body.ids as number[]).flatMap((id) => {
            const point = points.get(id);
            return point === undefined ? [] : [shown(point, body.with_payload)];
          }),
        );
      case 'scroll': {
        const from = body.offset as number;
        const all = [...points.values()].filter(({ id }) => id >= from).sort((a, b) => a.id - b.id);
        const limit = body.limit as number;
        return ok({
          points: all.slice(0, limit).map((point) => shown(point, body.with_payload)),
          next_page_offset: all[limit]?.id ?? null,
        });
      }
      default: {
        const query = body.query as number[];
        if (query.length !== size) return wrongSize(query.length);
        const { must } = (body.filter ?? {}) as Record<string, { has_id: number[] }[]>;
        const only = must === undefined ? null : new Set(must[0]!.has_id);
        const scored = [...points.values()]
          .filter(({ id }) => only === null || only.has(id))
          .map(({ id, vector }) => ({
            ...{ id, version: 1 },
            score: vector.reduce((sum, value, i) => sum + value * query[i]!, 0),
          }))
          .sort((a, b) => b.score - a.score);
        return ok({ points: scored.slice(0, body.limit as number) });
      }
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }
}

const shown = ({ id, payload }: Point, keys: unknown) => ({
  id,
  payload: Object.fromEntries(Object.entries(payload).filter(([key]) => (keys as string[]).includes(key))),
});
