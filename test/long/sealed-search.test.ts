/** A sealed knowledge base of thousands of passages, searched from elsewhere: recall and bytes against exact search. */
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { createSeededRandom, silentLogger, systemClock, systemRandom, toHex } from '../../src/base/index.ts';
import { identityOf } from '../../src/identity/testing/credentials.ts';
import { openKnowledgeStore } from '../../src/knowledge/index.ts';
import { meteredAsk, newMeter } from '../../src/node/knowledge/vault-meter.ts';
import { objectsOf } from '../../src/node/knowledge/vault-parts.ts';
import { sealedObjects } from '../../src/node/knowledge/vault-sealed.ts';
import { openReadCache } from '../../src/node/knowledge/vault-sealed-cache.ts';
import { openSealedIndex } from '../../src/node/knowledge/vault-sealed-search.ts';
import { exactly } from '../../src/node/vault-bench/vectors.ts';
import { createCollection, createEve, rootOfIdentity, tenantAt } from '../../src/vault/index.ts';

const DIMENSION = 384;
const VECTORS = 6000;
const QUERIES = 60;
const PER_DOCUMENT = 10;
const bob = identityOf('bob');
const never = new AbortController().signal;

/** As embeddings of texts lie: on one side, clusters within clusters, few directions strong and many weak. */
function likeEmbeddings() {
  const random = createSeededRandom(12);
  const gauss = () => Array.from({ length: 6 }, () => random.float()).reduce((a, b) => a + b, 0) - 3;
  const strength = Float32Array.from({ length: DIMENSION }, (_, j) => (1 + j / 24) ** -0.8);
  const near = (centre: Float32Array | null, spread: number) => {
    const out = Float32Array.from(strength, (value, j) => (centre?.[j] ?? 0) + spread * value * gauss());
    const length = Math.hypot(...out);
    return out.map((value) => (7 * value) / length);
  };
  const all = near(null, 1);
  const topics = Array.from({ length: 30 }, () => near(all, 1.2));
  const themes = topics.flatMap((topic) => Array.from({ length: 20 }, () => near(topic, 0.9)));
  const one = () => near(themes[random.uint32() % themes.length]!, 0.8).map((value) => value / 7);
  return {
    rows: Array.from({ length: VECTORS }, one),
    queries: Array.from({ length: QUERIES }, one),
  };
}

test('recall is that of exact search, the index takes some hundred bytes a vector, and is read once', async (t) => {
  const base = mkdtempSync(join(tmpdir(), 'kith-sealed-long-'));
  const root = rootOfIdentity(bob);
  const data = likeEmbeddings();
  const random = createSeededRandom(3);
  const store = openKnowledgeStore({
    path: join(base, 'kb.sqlite'),
    create: { name: 'kb', clock: systemClock },
    embedder: { id: 'model', hash: 'h', dimension: DIMENSION },
  });
  const put = (path: string, rows: readonly Float32Array[], first: number) => {
    const vectors = new Float32Array(rows.length * DIMENSION);
    for (const [i, row] of rows.entries()) vectors.set(row, i * DIMENSION);
    store.put(
      {
        ...{ path, title: path, titled: false, type: 'txt', hash: random.bytes(32), recipe: 'r', bytes: 1 },
        ...{ modified: 1_700_000_000_000, pages: null, properties: {}, tags: [], aliases: [], links: [] },
        notes: [],
      },
      rows.map((_, i) => ({
        ...{ id: toHex(systemRandom.bytes(16)), position: i, title: path, tokens: 3, place: { line: i + 1 } },
        text: `Passage ${first + i}. ${Array.from({ length: 90 }, () => random.uint32().toString(36)).join(' ')}`,
      })),
      vectors,
      [],
    );
  };
  for (let at = 0; at < VECTORS; at += PER_DOCUMENT)
    put(`folder ${at % 7}/document ${at}.txt`, data.rows.slice(at, at + PER_DOCUMENT), at);
  const eve = createEve({
    ...{ folder: join(base, 'eve'), capacityBytes: 1e10, largestBytes: 1e10, days: 9, graceDays: 9 },
    ...{ reserveBytes: 0, clock: systemClock, log: silentLogger },
  });
  const cache = openReadCache(join(base, 'read.sqlite'));
  try {
    const { peerId } = identityOf('eve');
    const collectionOf = (meter = newMeter(), kept = true) => {
      const ask = meteredAsk(
        peerId,
        async (metadata, payload) => {
          const told = await eve.answer({ peer: bob.peerId, welcome: true, metadata, payload });
          return { metadata: told.metadata, payload: told.payload ?? new Uint8Array(0) };
        },
        meter,
      );
      const tenant = tenantAt(peerId, root.label('kb'), ask);
      const collection = createCollection({
        ...{ id: 'kb', root, eves: [{ peer: peerId, operator: null, tenant }], replicas: 1 },
        ...{ random: systemRandom, clock: systemClock, log: silentLogger, reached: 0, onReached: () => {} },
        ...(kept ? { cache: cache.of('kb') } : {}),
      });
      return { tenant, collection, meter };
    };
    await collectionOf().tenant.create(1e9, 5);
    const sync = async () => {
      const { collection } = collectionOf(newMeter(), false);
      await using objects = await objectsOf(store, systemRandom, never);
      const { source, info } = await sealedObjects({
        ...{ objects, collection, embedder: store.embedder, signal: never, told: () => {} },
      });
      return await collection.sync(source, { info });
    };
    let began = performance.now();
    await sync();
    t.diagnostic(`first sync ${Math.round(performance.now() - began)} ms`);

    const open = async () => {
      const { collection, meter } = collectionOf();
      const from = performance.now();
      const manifest = await collection.open();
      const manifestBytes = meter.down;
      cache.keepOnly('kb', manifest);
      const index = await openSealedIndex(collection, manifest, systemClock, never);
      const indexBytes = meter.down - manifestBytes;
      return { collection, meter, index, manifestBytes, indexBytes, ms: performance.now() - from };
    };
    const first = await open();
    let found = 0;
    let again = 0;
    const bytes: number[] = [];
    for (const query of data.queries) {
      const before = first.meter.down;
      const { hits, again: exact } = await first.index.search(
        query,
        { k: 10, signal: never },
        first.collection,
      );
      bytes.push(first.meter.down - before);
      again += exact;
      const truth = exactly(data.rows, query, 10);
      found += hits.filter(({ text }) => truth.has(Number(/^Passage (\d+)\./.exec(text)![1]))).length;
    }
    const recall = found / (10 * QUERIES);
    const median = bytes.toSorted((a, b) => a - b)[QUERIES >> 1]!;
    const fit = 2 * 192 * DIMENSION;
    const perVector = (first.indexBytes - fit) / VECTORS;
    t.diagnostic(
      `recall ${recall}; manifest ${first.manifestBytes} B, index ${first.indexBytes} B (${perVector.toFixed(1)} B a vector beside ${fit} B of components), opened in ${Math.round(first.ms)} ms; a question ${median} B (first ${bytes[0]}), ${(again / QUERIES).toFixed(1)} vectors exactly`,
    );
    assert.ok(recall >= 0.997, `${recall}`);
    assert.ok(perVector < 110, `${perVector}`);

    const second = await open();
    assert.ok(second.manifestBytes + second.indexBytes < 4096);
    put('folder 3/document 3000.txt', data.queries.slice(0, 3), VECTORS);
    began = performance.now();
    const report = await sync();
    const third = await open();
    t.diagnostic(
      `a changed document: sync ${Math.round(performance.now() - began)} ms, ${report.uploadedBytes} B up; read again ${third.manifestBytes} B of the manifest, ${third.indexBytes} B of the index, opened in ${Math.round(third.ms)} ms`,
    );
    assert.ok(third.indexBytes < 150_000, `${third.indexBytes}`);
    const { hits } = await third.index.search(data.queries[0]!, { k: 1, signal: never }, third.collection);
    assert.match(hits[0]!.text, new RegExp(`^Passage ${VECTORS}\\.`));
    for (const { index } of [first, second, third]) await index[Symbol.asyncDispose]();
  } finally {
    cache[Symbol.dispose]();
    eve[Symbol.dispose]();
    store.close();
    rmSync(base, { recursive: true, force: true });
  }
});
