/** What a search asks of an engine, and when the index here answers: without a node, against the recorded contract of Qdrant. */
import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, test } from 'node:test';
import { createManualClock, createSeededRandom, type ManualClock } from '../../src/base/index.ts';
import type { ExpandedFound, NearestElsewhere, Retriever } from '../../src/knowledge/index.ts';
import { createEngineLegs, type EngineLegs } from '../../src/node/knowledge/engine-leg.ts';
import type { OpenKb } from '../../src/node/knowledge/kbs.ts';
import { ENGINE_BOUNDS, engineAddress, openVectorEngine } from '../../src/vault/index.ts';
import { QdrantRecordedContractFake } from '../engines/qdrant-fake.ts';

const DIMENSION = 8;
const COLLECTION = 'ab'.repeat(16);
const POINTS = 2000;
const random = createSeededRandom(4);

const vectorOf = (): Float32Array => Float32Array.from({ length: DIMENSION }, () => random.float() - 0.5);
const dot = (a: Float32Array, b: Float32Array): number => a.reduce((sum, value, i) => sum + value * b[i]!, 0);

let home: string;
let fake: QdrantRecordedContractFake;
let legs: EngineLegs;
let clock: ManualClock;
let url: string;
const vectors = new Map<number, Float32Array>();
/** What the store says of itself. */
const state = { version: 7, added: [] as number[] };

const store = {
  id: 'kb-1',
  embedder: { id: 'model', hash: 'hash', dimension: DIMENSION },
  version: () => state.version,
  changes: () => ({ version: state.version, added: state.added, removed: [] }),
  f32: (rows: readonly number[]) => rows.map((row) => vectors.get(row) ?? null),
};

/** Asks once, as a retriever does; null: the index here is to answer. */
async function ask(
  query: Float32Array,
  limit: number,
  rows: Uint32Array | null,
  wishes: { engine?: boolean; budgetMs?: number } = {},
) {
  let nearest: Awaited<ReturnType<NearestElsewhere>> = null;
  const found = { steps: [] } as unknown as ExpandedFound;
  const retriever = {
    async search(_: string, options?: { elsewhere?: NearestElsewhere | undefined }) {
      nearest = (await options?.elsewhere?.(query, { limit, rows, signal: undefined })) ?? null;
      return found;
    },
  } as unknown as Retriever;
  const leg = await legs.over('notes', { store, retriever } as unknown as OpenKb, wishes);
  await leg.retriever.search('question');
  const [step] = leg.told(found).steps;
  return { rows: (nearest as { row: number }[] | null)?.map(({ row }) => row) ?? null, step };
}

const bestOf = (query: Float32Array, rows: Iterable<number>, limit: number): number[] =>
  [...rows]
    .map((row) => ({ row, score: dot(vectors.get(row)!, query) }))
    .sort((a, b) => b.score - a.score)
    .slice(0, limit)
    .map(({ row }) => row);

beforeEach(async () => {
  home = await mkdtemp(join(tmpdir(), 'kith-leg-'));
  fake = new QdrantRecordedContractFake('key');
  url = await fake.listen();
  clock = createManualClock();
  legs = createEngineLegs({ config: { home, knowledge: { stepMs: 5000 } }, clock });
  Object.assign(state, { version: 7, added: [] });
  const address = engineAddress(url);
  await using engine = await openVectorEngine({ address, collection: COLLECTION, dimension: DIMENSION });
  vectors.clear();
  for (let from = 1; from <= POINTS; from += 250) {
    const points = Array.from({ length: 250 }, (_, i) => {
      const [id, vector] = [from + i, vectorOf()];
      vectors.set(id, vector);
      return { id, vector, digest: new Uint8Array(16), payload: new Uint8Array(1) };
    });
    await engine.upsert(points);
  }
  await legs.file.save({
    ...{ kb: 'notes', kbId: 'kb-1', address, search: true, embedder: 'hash', old: [] },
    ...{ collection: { name: COLLECTION, dimension: DIMENSION }, version: 7, synced: 1, points: POINTS },
  });
});
afterEach(async () => {
  await legs[Symbol.asyncDispose]();
  await fake[Symbol.asyncDispose]();
  await rm(home, { recursive: true, force: true });
});

test('a filter is told as ids, or is too wide to be told and holds all the same', async () => {
  const query = vectorOf();
  assert.deepEqual((await ask(query, 20, null)).rows, bestOf(query, vectors.keys(), 20));
  const few = Uint32Array.from({ length: 50 }, (_, i) => 7 * i + 3);
  assert.deepEqual((await ask(query, 20, few)).rows, bestOf(query, few, 20));
  // Every second point, and many that are not in the engine.
  const wide = Uint32Array.from({ length: ENGINE_BOUNDS.ids + POINTS }, (_, i) => 2 * i + 2);
  const sent = fake.seen.length;
  const { rows, step } = await ask(query, 20, wide);
  assert.deepEqual(
    rows,
    bestOf(
      query,
      [...vectors.keys()].filter((row) => row % 2 === 0),
      20,
    ),
  );
  assert.equal(step?.status, 'used');
  assert.ok(!fake.seen.slice(sent).join('').includes('has_id'));
  // One that leaves nearly nothing of what is near.
  const far = Uint32Array.from({ length: ENGINE_BOUNDS.ids + 1 }, (_, i) => POINTS + 1 + i);
  const none = await ask(query, 20, far);
  assert.deepEqual([none.rows, none.step?.code], [null, 'useless']);
});

test('passages since the last sync are compared here; too many of them, and the index here answers', async () => {
  const query = vectorOf();
  const length = Math.hypot(...query);
  vectors.set(
    5000,
    query.map((value) => value / length),
  );
  // What the engine has of one that changed is not believed.
  vectors.set(
    1,
    query.map((value) => value / -length),
  );
  Object.assign(state, { version: 8, added: [1, 5000] });
  const { rows } = await ask(query, 10, null);
  assert.deepEqual(rows, bestOf(query, vectors.keys(), 10));
  assert.equal(rows?.[0], 5000);
  assert.ok(!(await ask(query, 10, Uint32Array.of(2, 3))).rows?.includes(5000));
  state.added = Array.from({ length: 5000 }, (_, i) => i + 1);
  const { rows: none, step } = await ask(query, 10, null);
  assert.deepEqual([none, step?.status, step?.code], [null, 'skipped', 'useless']);
});

test('an engine that is silent is waited for no longer than the budget, then left alone unless somebody insists', async () => {
  const query = vectorOf();
  const released = Promise.withResolvers<void>();
  let asked = 0;
  fake.held = async () => {
    asked++;
    await released.promise;
  };
  const late = await ask(query, 10, null, { budgetMs: 30 });
  assert.deepEqual([late.rows, late.step?.code], [null, 'late']);
  const before = asked;
  const resting = await ask(query, 10, null);
  assert.deepEqual([resting.rows, resting.step?.code, asked], [null, 'failed', before]);
  fake.held = null;
  released.resolve();
  assert.equal((await ask(query, 10, null, { engine: true })).step?.status, 'used');
  await clock.advance(11_000);
  assert.equal((await ask(query, 10, null)).step?.status, 'used');
});

test('what is of another model, of another knowledge base, or not synced is not asked', async () => {
  const query = vectorOf();
  const entry = (await legs.file.of('notes'))!;
  for (const other of [{ embedder: 'other' }, { kbId: 'other' }, { version: null }]) {
    await legs.file.save({ ...entry, ...other });
    const sent = fake.seen.length;
    const { rows, step } = await ask(query, 10, null);
    assert.deepEqual([rows, step?.code, fake.seen.length], [null, 'nobody', sent]);
  }
  await legs.file.save({ ...entry, search: false });
  assert.deepEqual(await ask(query, 10, null), { rows: null, step: undefined });
  assert.equal((await ask(query, 10, null, { engine: true })).step?.status, 'used');
  assert.deepEqual(await ask(query, 10, null, { engine: false }), { rows: null, step: undefined });
});
