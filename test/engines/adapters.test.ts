/**
 * One contract, held by every adapter: over the wire against PGlite with pgvector, against the recorded contract of Qdrant, and against
 * servers where KITH_TEST_POSTGRES_URL and KITH_TEST_QDRANT_URL name some.
 */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { after, before, describe, test } from 'node:test';
import { createSeededRandom, isKithError } from '../../src/base/index.ts';
import {
  ENGINE_BOUNDS,
  type EnginePoint,
  engineAddress,
  openVectorEngine,
  syncEngine,
  type VectorEngine,
} from '../../src/vault/index.ts';
import { madePoints } from './made-points.ts';
import { startPostgres, type TestPostgres } from './postgres.ts';
import { QdrantRecordedContractFake } from './qdrant-fake.ts';

const DIMENSION = 16;
const random = createSeededRandom(11);
const name = (): string => Buffer.from(random.bytes(16)).toString('hex');

function vectorOf(): Float32Array {
  const vector = Float32Array.from({ length: DIMENSION }, () => random.float() - 0.5);
  const length = Math.hypot(...vector);
  return vector.map((value) => value / length);
}

const pointOf = (id: number): EnginePoint => ({
  ...{ id, vector: vectorOf(), digest: random.bytes(16) },
  payload: random.bytes(1 + Math.floor(random.float() * 300)),
});

const dot = (a: Float32Array, b: Float32Array): number => a.reduce((sum, value, i) => sum + value * b[i]!, 0);

function bestOf(points: Iterable<EnginePoint>, query: Float32Array, k: number): number[] {
  return [...points]
    .map(({ id, vector }) => ({ id, score: dot(vector, query) }))
    .sort((a, b) => b.score - a.score || a.id - b.id)
    .slice(0, k)
    .map(({ id }) => id);
}

async function rowsOf(engine: VectorEngine): Promise<Map<number, string>> {
  const rows = new Map<number, string>();
  for (let after = 0; ; ) {
    const page = await engine.list(after);
    if (page.length === 0) return rows;
    for (const { id, digest } of page) rows.set(id, Buffer.from(digest).toString('hex'));
    after = page.at(-1)!.id;
  }
}

const codeOf = (promise: Promise<unknown>): Promise<string> =>
  promise.then(
    () => 'nothing failed',
    (error: unknown) => (isKithError(error) ? error.code : String(error)),
  );

const engines: readonly { title: string; start(): Promise<{ url: string } & AsyncDisposable> }[] = [
  {
    title: 'PGlite with pgvector',
    start: async () => ({ url: postgres.url, async [Symbol.asyncDispose]() {} }),
  },
  {
    title: 'the recorded contract of Qdrant',
    async start() {
      const fake = new QdrantRecordedContractFake('planted-key');
      return Object.assign(fake, { url: await fake.listen() });
    },
  },
  ...['KITH_TEST_POSTGRES_URL', 'KITH_TEST_QDRANT_URL'].flatMap((variable) => {
    const url = process.env[variable];
    if (url === undefined) return [];
    return [{ title: variable, start: async () => ({ url, async [Symbol.asyncDispose]() {} }) }];
  }),
];

let postgres: TestPostgres;
before(async () => {
  postgres = await startPostgres();
});
after(() => postgres[Symbol.asyncDispose]());

for (const { title, start } of engines)
  describe(title, () => {
    let server: { url: string } & AsyncDisposable;
    before(async () => {
      server = await start();
    });
    after(() => server[Symbol.asyncDispose]());

    const open = (collection: string, dimension = DIMENSION) =>
      openVectorEngine({ address: engineAddress(server.url), collection, dimension, callMs: 20_000 });

    test('points are kept, replaced, listed by id, given back and removed', async () => {
      await using engine = await open(name());
      const points = Array.from({ length: 40 }, (_, i) => pointOf(3 * i + 1));
      await engine.upsert(points.slice(0, 25));
      await engine.upsert(points.slice(20));
      assert.equal(await engine.count(), 40);
      const again = pointOf(4);
      await engine.upsert([again]);
      assert.equal(await engine.count(), 40);
      await engine.delete([1, 7, 999]);
      const rows = await rowsOf(engine);
      assert.deepEqual(
        [...rows.keys()],
        points.map(({ id }) => id).filter((id) => id !== 1 && id !== 7),
      );
      assert.equal(rows.get(4), Buffer.from(again.digest).toString('hex'));
      const kept = await engine.payloads([4, 10, 7]);
      assert.deepEqual([...kept.keys()].sort(), [10, 4]);
      assert.deepEqual(kept.get(4), again.payload);
      assert.deepEqual(kept.get(10), points[3]!.payload);
      await engine.drop();
      await engine.drop();
    });

    test('a search finds what is nearest, with and without an index, and within a filter', async () => {
      await using engine = await open(name());
      const points = new Map(Array.from({ length: 600 }, (_, i) => [i + 1, pointOf(i + 1)]));
      for (let at = 0; at < 600; at += 200) await engine.upsert([...points.values()].slice(at, at + 200));
      for (const indexed of [false, true]) {
        if (indexed) await engine.index();
        for (let round = 0; round < 3; round++) {
          const query = vectorOf();
          const best = bestOf(points.values(), query, 10);
          const exact = await engine.search(query, { k: 10, exact: true });
          assert.deepEqual(
            exact.map(({ id }) => id),
            best,
          );
          for (const { id, score } of exact)
            assert.ok(Math.abs(score - dot(points.get(id)!.vector, query)) < 1e-5);
          const quick = (await engine.search(query, { k: 10 })).map(({ id }) => id);
          assert.ok(quick.filter((id) => best.includes(id)).length >= 9, `${quick} for ${best}`);
          const only = Array.from({ length: 30 }, (_, i) => i * 17 + 2);
          const within = await engine.search(query, { k: 40, only });
          assert.deepEqual(
            within.map(({ id }) => id),
            bestOf(
              only.map((id) => points.get(id)!),
              query,
              40,
            ),
          );
          assert.equal((await engine.search(query, { k: 700 })).length, 600);
          assert.deepEqual(await engine.search(query, { k: 5, only: [9999] }), []);
        }
      }
      await engine.drop();
    });

    test('a sync that dies on the way goes on, and sends nothing that is there', async () => {
      const collection = name();
      await using engine = await open(collection);
      const points = new Map(Array.from({ length: 700 }, (_, i) => [2 * i + 1, pointOf(2 * i + 1)]));
      async function* own() {
        for (const point of [...points.values()].sort((a, b) => a.id - b.id))
          yield { id: point.id, digest: point.digest, make: () => point };
      }
      let calls = 0;
      const dies: VectorEngine = {
        ...engine,
        async upsert(...given) {
          if (++calls === 2) throw new Error('killed');
          await engine.upsert(...given);
        },
      };
      await assert.rejects(syncEngine({ engine: dies, points: own() }), /killed/u);
      const left = 700 - (await engine.count());
      assert.ok(left > 0 && left < 700);
      const first = await syncEngine({ engine, points: own() });
      assert.deepEqual([first.points, first.sent, first.removed], [700, left, 0]);
      assert.deepEqual((await syncEngine({ engine, points: own() })).sent, 0);
      points.delete(1);
      points.delete(701);
      points.set(5, pointOf(5));
      points.set(2000, pointOf(2000));
      // What somebody else put there goes.
      await engine.upsert([pointOf(600), pointOf(5000)]);
      const { sent, removed } = await syncEngine({ engine, points: own() });
      assert.deepEqual([sent, removed], [2, 4]);
      assert.deepEqual(
        await rowsOf(engine),
        new Map(
          [...points.values()]
            .sort((a, b) => a.id - b.id)
            .map(({ id, digest }) => [id, Buffer.from(digest).toString('hex')]),
        ),
      );
      await engine.drop();
    });

    test('what is there for other vectors, or was removed, is told apart', async () => {
      const collection = name();
      await using engine = await open(collection);
      await engine.upsert([pointOf(1)]);
      assert.equal(await codeOf(open(collection, 8)), 'engine_dimension');
      await using again = await open(collection);
      assert.equal(await again.count(), 1);
      await again.drop();
      assert.equal(await codeOf(engine.search(vectorOf(), { k: 1 })), 'engine_lost');
      assert.equal(await codeOf(engine.upsert([pointOf(1)])), 'engine_lost');
      assert.equal(await codeOf(engine.list(0)), 'engine_lost');
    });

    test('calls beyond their bounds are refused before anything is sent', async () => {
      await using engine = await open(name());
      const point = pointOf(1);
      const cases: readonly Promise<unknown>[] = [
        engine.upsert([{ ...point, id: 0 }]),
        engine.upsert([{ ...point, id: 1.5 }]),
        engine.upsert([point, point]),
        engine.upsert([{ ...point, vector: new Float32Array(3) }]),
        engine.upsert([{ ...point, vector: new Float32Array(DIMENSION).fill(Number.NaN) }]),
        engine.upsert([{ ...point, digest: new Uint8Array(3) }]),
        engine.upsert([{ ...point, payload: new Uint8Array(ENGINE_BOUNDS.payloadBytes + 1) }]),
        engine.upsert(Array.from({ length: ENGINE_BOUNDS.points + 1 }, (_, i) => ({ ...point, id: i + 1 }))),
        engine.search(vectorOf(), { k: 0 }),
        engine.search(vectorOf(), { k: ENGINE_BOUNDS.hits + 1 }),
        engine.search(vectorOf(), { k: 1, only: [0] }),
        engine.search(vectorOf(), { k: 1, only: new Uint32Array(ENGINE_BOUNDS.ids + 1).fill(1) }),
        engine.search(new Float32Array(2), { k: 1 }),
      ];
      for (const each of cases) assert.equal(await codeOf(each), 'engine_bounds');
      assert.equal(await codeOf(open('"; DROP TABLE x; --')), 'engine_bounds');
      assert.equal(await codeOf(open(name(), 2001)), 'engine_bounds');
      assert.equal(await engine.count(), 0);
      await engine.drop();
    });

    test('a call that was given up leaves an engine that works', async () => {
      await using engine = await open(name());
      const signal = AbortSignal.abort();
      assert.equal(await codeOf(engine.search(vectorOf(), { k: 1, signal })), 'aborted');
      const stop = new AbortController();
      const under = codeOf(engine.upsert([pointOf(1), pointOf(2)], stop.signal));
      stop.abort();
      assert.equal(await under, 'aborted');
      await engine.upsert([pointOf(1)]);
      assert.ok((await engine.count()) >= 1);
      await engine.drop();
    });
  });

test('a process that is killed while it puts points loses none that were acknowledged, and another one goes on', async () => {
  const collection = name();
  const [count, options] = [1500, { address: engineAddress(postgres.url), collection, dimension: 8 }];
  const child = spawn(
    process.execPath,
    [join(import.meta.dirname, 'sync-child.ts'), postgres.url, collection, String(count)],
    { stdio: ['ignore', 'pipe', 'inherit'] },
  );
  const exited = once(child, 'exit');
  let acknowledged = 0;
  for await (const line of createInterface({ input: child.stdout })) {
    acknowledged = Number(line);
    child.kill('SIGKILL');
  }
  assert.deepEqual(await exited, [null, 'SIGKILL']);
  assert.ok(acknowledged > 0);
  await using engine = await openVectorEngine({ ...options, callMs: 20_000 });
  const there = await engine.count();
  assert.ok(there >= acknowledged && there < count, `${there} of ${acknowledged}`);
  const report = await syncEngine({ engine, points: madePoints(count) });
  assert.deepEqual([report.sent, report.removed], [count - there, 0]);
  assert.equal(await engine.count(), count);
});

test('what PostgreSQL refuses says why, and the engine works when that is over', async () => {
  const options = { address: engineAddress(postgres.url), collection: name(), dimension: DIMENSION };
  await using engine = await openVectorEngine({ ...options, callMs: 20_000 });
  const fails = (code: string) =>
    postgres.database.exec(
      `CREATE OR REPLACE FUNCTION fails() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'planted' USING ERRCODE = '${code}'; END $$;
       CREATE OR REPLACE TRIGGER fails BEFORE INSERT ON kith."points_${options.collection}" EXECUTE FUNCTION fails()`,
    );
  for (const [state, code] of [
    ['53100', 'engine_full'],
    ['53200', 'engine_full'],
    ['42501', 'engine_refused'],
    ['57014', 'engine_timeout'],
    ['XX000', 'engine_failed'],
  ] as const) {
    await fails(state);
    assert.equal(await codeOf(engine.upsert([pointOf(1)])), code);
  }
  assert.equal(await engine.count(), 0);
  await postgres.database.exec(`DROP TRIGGER fails ON kith."points_${options.collection}"`);
  await engine.upsert([pointOf(1)]);
  assert.equal(await engine.count(), 1);
  // A row that somebody else changed: its digest says that it is not what was written.
  await postgres.database.exec(`UPDATE kith."points_${options.collection}" SET digest = '\\x00'`);
  assert.deepEqual(
    (await engine.list(0)).map(({ digest }) => digest.length),
    [0],
  );
  // Replies are bounded, whatever lies there.
  await postgres.database.exec(
    `UPDATE kith."points_${options.collection}" SET digest = decode(repeat('00', 40000000), 'hex')`,
  );
  assert.equal(await codeOf(engine.list(0)), 'engine_failed');
});

test('a connection that is cut in the middle fails its call alone', async () => {
  const options = { address: engineAddress(postgres.url), collection: name(), dimension: 8 };
  const cut = new Set<Socket>();
  const relay = createServer((socket) => {
    const on = connect(Number(new URL(postgres.url).port), '127.0.0.1');
    for (const [from, to] of [
      [socket, on],
      [on, socket],
    ] as const) {
      from.on('error', () => undefined);
      from.pipe(to);
    }
    cut.add(socket);
  });
  await new Promise<void>((resolve) => relay.listen(0, '127.0.0.1', resolve));
  const { port } = relay.address() as AddressInfo;
  await using engine = await openVectorEngine({ ...options, address: { ...options.address, port } });
  await engine.count();
  // Idle, and with a call under way.
  for (const socket of cut) socket.destroy();
  const under = codeOf(engine.count());
  setImmediate(() => {
    for (const socket of cut) socket.destroy();
  });
  assert.match(await under, /^(?:engine_unreachable|nothing failed)$/u);
  assert.equal(await engine.count(), 0);
  await engine.drop();
  for (const socket of cut) socket.destroy();
  await new Promise((resolve) => relay.close(resolve));
});

test('a server that speaks no TLS is not spoken to where TLS is asked for', async () => {
  const address = engineAddress(`${postgres.url}?sslmode=require`);
  assert.equal(
    await codeOf(openVectorEngine({ address, collection: name(), dimension: 8, callMs: 5000 })),
    'engine_unreachable',
  );
});

test('a server without pgvector, or with an old one, is told apart', async () => {
  await using server: TestPostgres = await startPostgres(false);
  const options = { address: engineAddress(server.url), collection: name(), dimension: 8, callMs: 20_000 };
  assert.equal(await codeOf(openVectorEngine(options)), 'engine_extension');
  await postgres.database.exec("UPDATE pg_extension SET extversion = '0.7.4' WHERE extname = 'vector'");
  const error: unknown = await openVectorEngine({ ...options, address: engineAddress(postgres.url) }).catch(
    (thrown: unknown) => thrown,
  );
  assert.ok(isKithError(error) && error.code === 'engine_extension');
  assert.match(error.message, /0\.7\.4/u);
});
