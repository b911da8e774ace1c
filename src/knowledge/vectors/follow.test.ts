import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createSeededRandom } from '../../base/index.ts';
import { type KnowledgeStore, openKnowledgeStore } from '../store/index.ts';
import { followVectors } from './follow.ts';

const random = createSeededRandom(3);
const vectors = (count: number, dimension: number): Float32Array =>
  Float32Array.from({ length: count * dimension }, () => random.float() - 0.5);

function put(store: KnowledgeStore, path: string, count: number, rows: Float32Array | null): void {
  store.put(
    {
      ...{
        path,
        title: path,
        titled: false,
        type: 'txt',
        hash: new Uint8Array(32),
        recipe: 'test',
        bytes: 1,
      },
      ...{ modified: 0, pages: null, properties: {}, tags: [], aliases: [], links: [], notes: [] },
    },
    Array.from({ length: count }, (_, position) => ({
      id: Buffer.from(`${path}${position}`).toString('hex').padStart(32, '0').slice(-32),
      ...{ position, title: '', text: `${path} ${position}`, tokens: 1, place: {} },
    })),
    rows,
    [],
  );
}

const open = (): KnowledgeStore =>
  openKnowledgeStore({ path: ':memory:', create: { name: 'test', clock: { now: () => 0 } } });

test('there is no index before there is an embedder, and calls at the same time make one', async () => {
  using store = open();
  await using following = followVectors(store, { threads: 0 });
  assert.equal(await following.current(), null);
  store.useEmbedder({ id: 'a', hash: 'a', dimension: 8 });
  put(store, 'a', 3000, vectors(3000, 8));
  const [one, two] = await Promise.all([following.current(), following.current()]);
  assert.equal(one, two);
  assert.equal(one?.size, 3000);
});

test('vectors that come later, and what is written while the index is made, are in it', async () => {
  using store = open();
  store.useEmbedder({ id: 'a', hash: 'a', dimension: 8 });
  put(store, 'a', 5000, vectors(5000, 8));
  put(store, 'late', 2, null);
  await using following = followVectors(store, { threads: 0 });
  const making = following.current();
  store.remove('a');
  put(store, 'b', 10, vectors(10, 8));
  assert.equal((await making)?.size, 10);
  const late = store.withoutVector(0, 10).map(({ row }) => row);
  store.setVectors(late, vectors(late.length, 8));
  const index = await following.current();
  assert.equal(index?.size, 12);
  assert.ok(late.every((row) => index?.has(row)));
});

test('another embedder means another index', async () => {
  using store = open();
  store.useEmbedder({ id: 'a', hash: 'a', dimension: 8 });
  put(store, 'a', 5, vectors(5, 8));
  await using following = followVectors(store, { threads: 0 });
  assert.equal((await following.current())?.dimension, 8);
  store.changeEmbedder({ id: 'b', hash: 'b', dimension: 24 });
  const empty = await following.current();
  assert.deepEqual([empty?.dimension, empty?.size], [24, 0]);
  const rows = store.withoutVector(0, 10).map(({ row }) => row);
  store.setVectors(rows, vectors(rows.length, 24));
  assert.equal((await following.current())?.size, 5);
});

test('exact vectors are those of the store, whatever is kept of them and whenever it changes', async () => {
  // All, some, none.
  for (const exactBytes of [1 << 20, 7 * 8 * 4, 0]) {
    using store = open();
    store.useEmbedder({ id: 'a', hash: 'a', dimension: 8 });
    put(store, 'p0', 600, vectors(600, 8));
    await using following = followVectors(store, { threads: 0, exactBytes });
    for (let round = 0; round < 12; round++) {
      // On their way into memory, or there.
      if (round % 3 !== 0) await following.current();
      if (round % 3 === 2) await following.settled();
      const path = `p${round % 4}`;
      if (round % 5 === 4) store.remove(path);
      else if (round % 2 === 0) put(store, path, 20 + round, vectors(20 + round, 8));
      else {
        const some = [...store.slab()].slice(0, 9);
        const rows = some.map(({ row }) => row);
        store.setVectors(rows, vectors(rows.length, 8));
      }
      if (round % 2 === 0) await following.current();
      const rows = [...[...store.slab()].map(({ row }) => row), 1, 1_000_000];
      assert.deepEqual(following.exact(rows), store.f32(rows));
      assert.deepEqual(following.exact(rows), store.f32(rows), 'from memory');
    }
  }
});

test('once they are in memory the file is not asked for exact vectors', async () => {
  using store = open();
  store.useEmbedder({ id: 'a', hash: 'a', dimension: 8 });
  put(store, 'a', 1500, vectors(1500, 8));
  let asked = 0;
  const counting = new Proxy(store, {
    get: (target, key) =>
      key === 'f32'
        ? (rows: readonly number[]) => {
            asked += rows.length;
            return target.f32(rows);
          }
        : Reflect.get(target, key),
  });
  await using following = followVectors(counting, { threads: 0 });
  await following.current();
  await following.settled();
  assert.equal(asked, 1500);
  following.exact([3, 500, 1499]);
  assert.equal(asked, 1500);
});
