import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { createSeededRandom, systemClock } from '../../src/base/index.ts';
import { openKnowledgeStore, sync } from '../../src/knowledge/index.ts';
import { assertSame, plainPool, startEmbedder } from '../knowledge/support.ts';
import { Tree } from '../knowledge/tree.ts';

const seed = Number(process.env.KITH_TEST_SEED ?? Date.now() % 100_000);

test('a tree of a thousand files that changed at random fifty times is what taking it in anew makes of it', async (t) => {
  t.diagnostic(`KITH_TEST_SEED=${seed}`);
  await using real = await startEmbedder();
  const folder = await mkdtemp(join(tmpdir(), 'kith-tree-'));
  try {
    const tree = new Tree(folder, createSeededRandom(seed));
    await tree.grow(1000);
    const open = (path: string) => openKnowledgeStore({ path, create: { name: 'Tree', clock: systemClock } });
    using store = open(join(folder, '.kb.sqlite'));
    const options = { folder, pool: plainPool, embedder: real.embedder, clock: systemClock };
    for await (const _ of sync({ ...options, store }));
    for (let round = 0; round < 50; round++) {
      for (let i = 0; i < 20; i++) await tree.change();
      for await (const _ of sync({ ...options, store }));
      assert.deepEqual(store.check(), []);
    }
    using fresh = open(':memory:');
    for await (const _ of sync({ ...options, store: fresh }));
    assertSame(store, fresh);
    t.diagnostic(JSON.stringify(store.counts()));
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
});
