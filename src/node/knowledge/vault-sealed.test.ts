import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, test } from 'node:test';
import { isDeepStrictEqual } from 'node:util';
import { fc } from '../../../test/property.ts';
import { type Config, createSeededRandom, KithError, silentLogger, systemClock } from '../../base/index.ts';
import { identityOf } from '../../identity/testing/credentials.ts';
import {
  type Chunk,
  dot,
  type KnowledgeStore,
  openKnowledgeStore,
  writeParts,
} from '../../knowledge/index.ts';
import {
  COMPACT_OBJECTS,
  type Collection,
  createCollection,
  createEve,
  type LocalEve,
  type PlacedEve,
  rootOfIdentity,
  tenantAt,
} from '../../vault/index.ts';
import { type Meter, meteredAsk, newMeter } from './vault-meter.ts';
import { objectsOf } from './vault-parts.ts';
import { sealedObjects } from './vault-sealed.ts';
import { openReadCache, type ReadCache } from './vault-sealed-cache.ts';
import { decodePlaces, encodePlaces, runsOf } from './vault-sealed-places.ts';
import { openSealedIndex, type SealedFilter } from './vault-sealed-search.ts';
import { createPlacedSearcher } from './vault-search.ts';
import { syncPlaced } from './vault-syncing.ts';

const DIMENSION = 32;
const bob = identityOf('bob');
const root = rootOfIdentity(bob);
const never = new AbortController().signal;

interface TestEve {
  readonly peer: string;
  readonly eve: LocalEve;
  up: boolean;
  lies: boolean;
  /** Calls that change something which she takes before she is gone. */
  takes: number;
}

let random: ReturnType<typeof createSeededRandom>;
let base: string;
let store: KnowledgeStore;
let eves: TestEve[];
let cache: ReadCache;

const vectorOf = (seed: number): Float32Array => {
  const own = createSeededRandom(seed);
  const out = Float32Array.from({ length: DIMENSION }, (_, i) => own.float() - (i === 0 ? 0 : 0.5));
  const length = Math.hypot(...out);
  return out.map((value) => value / length);
};

function put(path: string, seeds: readonly number[], words = 12, modified = 5): void {
  const vectors = new Float32Array(seeds.length * DIMENSION);
  const chunks = seeds.map((seed, position): Chunk => {
    vectors.set(vectorOf(seed), position * DIMENSION);
    const text = `Passage ${seed} says ${`word${seed} `.repeat(words)}`;
    const id = createHash('sha256').update(`${path} ${seed}`).digest('hex').slice(0, 32);
    return { id, position, title: `Title of ${path}`, text, tokens: 3, place: { line: position + 1 } };
  });
  store.put(
    {
      ...{ path, title: path, titled: false, type: 'md', hash: random.bytes(32), recipe: 'r', bytes: 9 },
      ...{ modified, pages: null, properties: {}, tags: [], aliases: [], links: [], notes: [] },
    },
    chunks,
    vectors,
    [],
  );
}

const seeds = (from: number, count: number) => Array.from({ length: count }, (_, i) => from + i);

function eveOf(name: string): TestEve {
  const eve = createEve({
    ...{ folder: join(base, name), capacityBytes: 1e9, largestBytes: 1e9, days: 30, graceDays: 7 },
    ...{ reserveBytes: 0, clock: systemClock, log: silentLogger },
  });
  const peer = identityOf(`eve ${name}`).peerId;
  return { peer, eve, up: true, lies: false, takes: Number.POSITIVE_INFINITY };
}

function placed(one: TestEve, meter: Meter): PlacedEve {
  const ask = meteredAsk(
    one.peer,
    async (metadata, payload) => {
      const writes = metadata.op === 'put' || metadata.op === 'set_head';
      if (!one.up || (writes && one.takes-- <= 0))
        throw new KithError('swarm_unreachable', 'She is away.', { status: 503 });
      const told = await one.eve.answer({ peer: bob.peerId, welcome: true, metadata, payload });
      const bytes = Uint8Array.from(told.payload ?? []);
      if (one.lies && metadata.op === 'get' && bytes.length > 0) bytes[bytes.length >> 1]! ^= 1;
      return { metadata: told.metadata, payload: bytes };
    },
    meter,
  );
  return { peer: one.peer, operator: null, tenant: tenantAt(one.peer, root.label('kb'), ask) };
}

const collectionOf = (meter: Meter, kept: ReadCache | null): Collection =>
  createCollection({
    ...{ id: 'kb', root, eves: eves.map((eve) => placed(eve, meter)), replicas: 2, random },
    ...{ clock: systemClock, log: silentLogger, reached: 0, onReached: () => {} },
    ...(kept === null ? {} : { cache: kept.of('kb') }),
  });

async function sync(signal = never) {
  await using objects = await objectsOf(store, random, signal);
  return await syncPlaced({
    ...{ name: 'kb', mode: 'sealed', embedder: store.embedder, objects, random, signal, told: () => {} },
    ...{ collection: collectionOf(newMeter(), null), keysOf: (epoch: number) => root.keysOf('kb', epoch) },
    config: { vault: { perturbed: false } },
  } as Parameters<typeof syncPlaced>[0]);
}

/** As a machine does that has nothing but the key, and what it read before. */
async function search(seed: number, k = 10, filter?: SealedFilter, kept: ReadCache | null = cache) {
  const meter = newMeter();
  const collection = collectionOf(meter, kept);
  const manifest = await collection.open();
  kept?.keepOnly('kb', manifest);
  await using index = await openSealedIndex(collection, manifest, systemClock, never);
  const opened = meter.down;
  const order = { k, signal: never, ...(filter === undefined ? {} : { filter }) };
  const { hits, again } = await index.search(vectorOf(seed), order, collection);
  return { hits, again, opened, down: meter.down, count: index.count, meter };
}

function exactly(seed: number, k = 10, paths = (_path: string) => true) {
  const query = vectorOf(seed);
  const all = [...store.allChunks()].filter(({ path }) => paths(path));
  const vectors = store.f32(all.map(({ row }) => row));
  return all
    .map(({ path, title, text, place }, at) => {
      const score = dot(vectors[at]!, query);
      return { score, path, title, place, text };
    })
    .sort((a, b) => b.score - a.score)
    .slice(0, k);
}

beforeEach(async () => {
  random = createSeededRandom(5);
  base = mkdtempSync(join(tmpdir(), 'kith-sealed-'));
  store = openKnowledgeStore({
    path: join(base, 'kb.sqlite'),
    create: { name: 'kb', clock: systemClock, random: createSeededRandom(1) },
    embedder: { id: 'model', hash: 'h', dimension: DIMENSION },
  });
  for (let i = 0; i < 90; i++) put(`${i % 3 === 0 ? 'odd' : 'even'}/${i}.md`, seeds(i * 10, 1 + (i % 4)));
  // Passages and vectors of a long one lie in different parts.
  put('long.md', seeds(5000, 120), 60);
  eves = ['a', 'b', 'c'].map(eveOf);
  for (const eve of eves)
    await (placed(eve, newMeter()).tenant as ReturnType<typeof tenantAt>).create(2e8, 30);
  cache = openReadCache(join(base, 'read.sqlite'));
});
afterEach(() => {
  cache[Symbol.dispose]();
  store.close();
  for (const { eve } of eves) eve[Symbol.dispose]();
  rmSync(base, { recursive: true, force: true });
});

describe('a sealed knowledge base, searched without fetching it', () => {
  test('gives the hits and scores of exact search, and reads little again', async () => {
    await sync();
    const { vectors, bytes } = store.counts();
    const first = await search(9001);
    assert.equal(first.count, vectors);
    assert.deepEqual(first.hits, exactly(9001));
    assert.ok(first.down < bytes / 3, `${first.down} of ${bytes}`);
    for (let seed = 9002; seed < 9012; seed++)
      for (const k of [1, 10, 30]) assert.deepEqual((await search(seed, k)).hits, exactly(seed, k));
    const { opened, again } = await search(9003);
    assert.ok(opened < 2000 && again < 60, `${opened} bytes, ${again} again`);
    // The same after a restart.
    cache[Symbol.dispose]();
    cache = openReadCache(join(base, 'read.sqlite'));
    const last = await search(9001);
    assert.ok(last.down < 2000, `${last.down}`);
    assert.deepEqual(last.hits, first.hits);
  });

  test('takes filters of paths, patterns and times', async () => {
    put('late.md', seeds(8000, 3), 4, 500);
    await sync();
    const odd = await search(9001, 10, { paths: ['odd/'] });
    assert.deepEqual(
      odd.hits,
      exactly(9001, 10, (path) => path.startsWith('odd/')),
    );
    const named = await search(9001, 10, { globs: ['even/*1.md'] });
    assert.deepEqual(
      named.hits,
      exactly(9001, 10, (path) => /^even\/\d*1\.md$/.test(path)),
    );
    const late = await search(9001, 10, { modifiedFrom: 100 });
    assert.deepEqual(
      late.hits,
      exactly(9001, 10, (path) => path === 'late.md'),
    );
    assert.deepEqual((await search(9001, 10, { paths: ['none.md'] })).hits, []);
  });

  test('of a change what changed is placed and read, and what is erased is found and readable no more', async () => {
    const whole = await sync();
    assert.deepEqual([(await sync()).uploadedBytes, (await search(9001)).hits], [0, exactly(9001)]);
    const gone = exactly(9001)[0]!;
    const collection = collectionOf(newMeter(), null);
    const before = await collection.open();
    store.remove(gone.path);
    put('new.md', [9001]);
    const report = await sync();
    assert.ok(report.uploadedBytes < whole.uploadedBytes / 3, `${report.uploadedBytes}`);
    const { hits, opened } = await search(9001);
    assert.deepEqual(hits, exactly(9001));
    assert.equal(hits[0]!.path, 'new.md');
    assert.ok(hits.every(({ path }) => path !== gone.path));
    assert.ok(opened < 60_000, `${opened}`);
    const after = await collection.open();
    const part = [...before.entries.values()].find(
      ({ name, key }) => name.startsWith('document/') && !sameKey(after.entries.get(name)?.key, key),
    )!;
    await assert.rejects(collection.read(after, part.name), { code: 'vault_no_object' });
    // What was read before is of no use: neither its key nor its bytes are kept here.
    assert.equal(cache.of('kb').get(part.segment, { at: part.at, length: part.bytes }), null);
    for (const page of before.pages)
      if (!after.pages.includes(page)) assert.equal(cache.of('kb').get(page, null), null);
  });

  test('one that was ended on the way has changed nothing, and the former index is searched', async () => {
    await sync();
    const before = exactly(9001);
    for (let i = 0; i < 90; i += 2) store.remove(`${i % 3 === 0 ? 'odd' : 'even'}/${i}.md`);
    for (let takes = 0; takes < 4; takes++) {
      for (const eve of eves) eve.takes = takes;
      const ended = await sync().then(
        () => true,
        () => false,
      );
      const { hits } = await search(9001, 10, undefined, null);
      // Once one Eve has the head, the new state counts.
      assert.ok([before, exactly(9001)].some((state) => isDeepStrictEqual(state, hits)));
      if (takes === 0) assert.deepEqual([ended, hits], [false, before]);
    }
    for (const eve of eves) eve.takes = Number.POSITIVE_INFINITY;
    await sync();
    assert.deepEqual((await search(9001)).hits, exactly(9001));
  });

  test('an Eve that is away or lies changes no result', async () => {
    await sync();
    for (const [at, eve] of eves.entries()) {
      eve.lies = true;
      assert.deepEqual((await search(9001 + at, 10, undefined, null)).hits, exactly(9001 + at));
      eve.lies = false;
      eve.up = false;
      assert.deepEqual((await search(9001 + at, 10, undefined, null)).hits, exactly(9001 + at));
      eve.up = true;
    }
    for (const eve of eves) eve.lies = true;
    await assert.rejects(search(9001, 10, undefined, null), { code: 'vault_block_lost' });
    // What was wrong was not kept.
    await assert.rejects(search(9001), { code: 'vault_block_lost' });
    for (const eve of eves) eve.lies = false;
    assert.deepEqual((await search(9001)).hits, exactly(9001));
    for (const eve of eves) eve.lies = true;
    assert.deepEqual((await search(9001)).hits, exactly(9001));
  });

  test('neither texts, names nor vectors lie at an Eve or in what was read', async () => {
    await sync();
    await search(9001);
    const { hits } = await search(9001);
    const vector = Buffer.from(vectorOf(5007).buffer);
    for (const entry of readdirSync(base, { recursive: true, withFileTypes: true })) {
      if (!entry.isFile() || entry.name.startsWith('kb.sqlite')) continue;
      const bytes = readFileSync(join(entry.parentPath, entry.name));
      for (const planted of [hits[0]!.text.slice(0, 30), 'even/', 'compact/', 'document/', 'word5007'])
        assert.ok(!bytes.includes(planted), `${planted} in ${entry.name}`);
      assert.ok(!bytes.includes(vector.subarray(0, 16)), `a vector in ${entry.name}`);
    }
  });

  test('parts alone make the file again, and the index is no part', async () => {
    await sync();
    const collection = collectionOf(newMeter(), null);
    const manifest = await collection.open();
    const shas = await Promise.all(
      ['one', 'two'].map(async (name) => {
        const parts: Uint8Array[] = [];
        for (const { name: part } of manifest.entries.values())
          if (!part.startsWith(COMPACT_OBJECTS)) parts.push(await collection.read(manifest, part));
        const path = join(base, `${name}.sqlite`);
        await writeParts(path, name === 'one' ? parts : parts.reverse());
        return createHash('sha256').update(readFileSync(path)).digest('hex');
      }),
    );
    assert.equal(shas[0], shas[1]);
    using again = openKnowledgeStore({ path: join(base, 'one.sqlite') });
    assert.deepEqual([...again.allChunks()], [...store.allChunks()]);
  });

  test('what an older version placed says what to do, and the searcher gives what the index does', async () => {
    const meter = newMeter();
    const searcher = createPlacedSearcher({
      ...{ random, clock: systemClock, reads: () => cache, onFault: () => {} },
      embedders: async () => ({
        named: async () => ({
          ...{ id: 'model', hash: 'h', dimension: DIMENSION, window: 9, countTokens: async () => [] },
          embed: async () => vectorOf(9001),
        }),
      }),
      config: { vault: { perturbed: false, autoSync: false, checkHours: 0 } } as unknown as Pick<
        Config,
        'vault'
      >,
    });
    const ask = () =>
      searcher.search({
        ...{ name: 'kb', query: 'what', k: 10, signal: never, meter },
        ...{ collection: collectionOf(meter, cache), eves: eves.map((eve) => placed(eve, meter)) },
      });
    await assert.rejects(ask(), { code: 'vault_not_kept' });
    {
      await using objects = await objectsOf(store, random, never);
      await collectionOf(meter, null).sync(objects.source, { info: { kb: 'kb' } });
    }
    await assert.rejects(ask(), { code: 'vault_no_index', message: /kith vpk upload kb/ });
    await sync();
    const { hits, mode, warning, bytesDown } = await ask();
    assert.deepEqual([hits, mode, warning], [exactly(9001), 'sealed', null]);
    assert.equal(bytesDown, meter.down);
    // Who placed a newer state says so: within a minute nobody else asks for it.
    const gone = hits[0]!.path;
    store.remove(gone);
    await sync();
    searcher.forget('kb');
    assert.deepEqual((await ask()).hits, exactly(9001));
  });

  test('all is made anew when the vectors become others, and pieces come again as they were', async () => {
    await sync();
    const collection = collectionOf(newMeter(), null);
    const fitOf = async () => {
      const manifest = await collection.open();
      return Buffer.from(await collection.read(manifest, 'compact/fit')).toString('hex');
    };
    const first = await fitOf();
    put('more.md', seeds(7000, 5));
    await sync();
    assert.equal(await fitOf(), first);
    await using objects = await objectsOf(store, random, never);
    const { source } = await sealedObjects({
      ...{ objects, collection, embedder: store.embedder, signal: never, told: () => {} },
    });
    const manifest = await collection.open();
    for (const [name, { digest }] of manifest.entries) {
      if (!name.startsWith(COMPACT_OBJECTS)) continue;
      const bytes = (await source.read(name))!;
      assert.deepEqual(
        createHash('sha256').update(bytes).digest().subarray(0, 16),
        Buffer.from(digest),
        name,
      );
    }
    store.changeEmbedder({ id: 'model', hash: 'other', dimension: DIMENSION });
    const rows = [...store.allChunks()].map(({ row }) => row);
    const vectors = new Float32Array(rows.length * DIMENSION);
    for (const at of rows.keys()) {
      const vector = vectorOf(100_000 + at);
      vectors.set(
        vector.map((value, i) => (i === 3 ? value : -value)),
        at * DIMENSION,
      );
    }
    store.setVectors(rows, vectors);
    await sync();
    assert.notEqual(await fitOf(), first);
    assert.deepEqual((await search(9001)).hits, exactly(9001));
  });
});

const sameKey = (a: Uint8Array | undefined, b: Uint8Array) => a !== undefined && Buffer.compare(a, b) === 0;

describe('places of vectors', () => {
  const document = fc.record({
    id: fc.nat(),
    path: fc.string({ maxLength: 40 }),
    modified: fc.nat(),
    rows: fc.uniqueArray(fc.record({ row: fc.nat(), text: fc.nat(3), vector: fc.nat(3) }), {
      maxLength: 30,
      selector: ({ row }) => row,
    }),
  });
  test('come back as they were, and what is none is refused', () => {
    fc.assert(
      fc.property(fc.array(document, { maxLength: 8 }), (all) => {
        const documents = all.map(({ rows, ...of }) => ({
          ...of,
          runs: runsOf(rows.toSorted((a, b) => a.row - b.row)),
        }));
        const count = all.reduce((sum, { rows }) => sum + rows.length, 0);
        assert.deepEqual(decodePlaces(encodePlaces(documents), count), documents);
        assert.throws(() => decodePlaces(encodePlaces(documents), count + 1), { code: 'vault_damaged' });
      }),
      { numRuns: 60 },
    );
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 40 }), (bytes) => {
        try {
          decodePlaces(bytes, 0);
        } catch (error) {
          assert.equal((error as KithError).code, 'vault_damaged');
        }
      }),
      { numRuns: 100 },
    );
  });
});

test('what was read is bounded, and a damaged file is made anew', () => {
  const path = join(base, 'bounded.sqlite');
  {
    using small = openReadCache(path, 100_000);
    const of = small.of('kb');
    for (let at = 0; at < 40; at++) of.put('ab', { at, length: 5000 }, random.bytes(5000));
    assert.ok(small.bytes() <= 100_000 && small.bytes() > 50_000, `${small.bytes()}`);
    of.put('ab', null, new Uint8Array(90_000));
    assert.equal(of.get('ab', null), null);
    assert.equal(of.get('ab', { at: 39, length: 5000 })?.length, 5000);
    of.put('cd', null, new Uint8Array(9));
    small.forgetPages('kb');
    assert.equal(of.get('cd', null), null);
    assert.ok(of.get('ab', { at: 39, length: 5000 }) !== null);
    small.forget('kb');
    assert.equal(small.bytes(), 0);
  }
  rmSync(path);
  const other = openKnowledgeStore({
    path,
    create: { name: 'x', clock: systemClock, random: createSeededRandom(1) },
  });
  other.close();
  using anew = openReadCache(path);
  assert.equal(anew.bytes(), 0);
});
