import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createManualClock } from '../../base/index.ts';
import { openKnowledgeStore, recipeOf } from '../../knowledge/index.ts';
import {
  checkWindow,
  chunkingOf,
  chunkingView,
  noteTaken,
  noteWindow,
  setChunking,
  takenOf,
  windowOf,
} from './chunking.ts';

const NODE = { chunkStrategy: 'sentences', chunkTokens: 200, chunkOverlap: 1 } as const;
const open = () =>
  openKnowledgeStore({
    ...{ path: ':memory:', create: { name: 'Test', clock: createManualClock(1) } },
    embedder: { id: 'e', hash: 'h', dimension: 2 },
  });

test('a knowledge base is cut as it says itself, and by the settings of the node where it says nothing', () => {
  using store = open();
  setChunking(store, { strategy: 'paragraphs', size: 100 });
  assert.deepEqual(chunkingOf(store, NODE), { strategy: 'paragraphs', size: 100, overlap: 1 });
  setChunking(store, { size: null, overlap: 3 });
  assert.deepEqual(chunkingOf(store, NODE), { strategy: 'paragraphs', size: 200, overlap: 3 });
  assert.deepEqual(chunkingView(store, NODE).own, ['overlap', 'strategy']);
  assert.throws(() => setChunking(store, { overlap: 99 }), { code: 'chunking_invalid' });
  setChunking(store, { strategy: null, overlap: null });
  assert.deepEqual(chunkingOf(store, NODE), { strategy: 'sentences', size: 200, overlap: 1 });
});

test('documents count as cut otherwise by what holds now, a size beyond the window as the window', () => {
  using store = open();
  const put = (path: string, recipe: string) =>
    store.put(
      {
        ...{ path, title: path, titled: false, type: 'text', hash: new Uint8Array(32), recipe, bytes: 1 },
        ...{ modified: 1, pages: null, properties: {}, tags: [], aliases: [], links: [], notes: [] },
      },
      [],
      null,
      [],
    );
  const cut = (size: number): string => recipeOf({ size }, { window: 512 });
  put('a', cut(120));
  put('b', cut(200));
  put('c', cut(120).replace(/^\d+/, '0'));
  assert.deepEqual([chunkingView(store, NODE).window, chunkingView(store, NODE).stale], [null, 2]);
  noteWindow(store, { hash: 'h', window: 120 });
  assert.deepEqual([windowOf(store), chunkingView(store, NODE).stale], [120, 2]);
  assert.deepEqual(store.madeOtherwise(cut(120)), ['b', 'c']);
  assert.throws(() => checkWindow(121, { id: 'e', window: 120 }), {
    code: 'chunking_invalid',
    message: /121 tokens.*120 or less.*models\.embedding/,
  });
  checkWindow(120, { id: 'e', window: 120 });
});

test('a file from elsewhere says nothing that does not fit, and only so many places are remembered', () => {
  using store = open();
  for (const chunking of [null, 7, [], { size: 1e9 }, { strategy: 'words' }, { overlap: '1' }]) {
    store.setSettings({
      chunking,
      window: { hash: 'h', tokens: -1 },
      taken: [{ path: 'a', under: 7 }, null],
    });
    assert.deepEqual(chunkingOf(store, NODE), { strategy: 'sentences', size: 200, overlap: 1 });
    assert.deepEqual([windowOf(store), takenOf(store)], [null, []]);
  }
  for (let i = 0; i < 600; i++) noteTaken(store, [`/${i}`], '');
  noteTaken(store, ['/599', '/a'], '');
  assert.equal(takenOf(store).length, 500);
  assert.deepEqual(
    takenOf(store).slice(-3),
    ['/598', '/599', '/a'].map((path) => ({ path, under: '' })),
  );
});
