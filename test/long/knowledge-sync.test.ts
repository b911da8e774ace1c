import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { createSeededRandom, systemClock } from '../../src/base/index.ts';
import { openKnowledgeStore, sync } from '../../src/knowledge/index.ts';
import { assertSameDerived, derive } from '../knowledge/same-graph.ts';
import { assertSame, plainPool, remembering, startEmbedder } from '../knowledge/support.ts';
import { QUESTIONS, Tree } from '../knowledge/tree.ts';

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
    const embedder = remembering(real.embedder);
    const options = { folder, pool: plainPool, embedder, clock: systemClock };
    // What follows the store does so from the beginning, a round at a time.
    await using derived = derive(store, embedder);
    for await (const _ of sync({ ...options, store }));
    for (let round = 0; round < 50; round++) {
      for (let i = 0; i < 20; i++) await tree.change();
      for await (const _ of sync({ ...options, store }));
      assert.deepEqual(store.check(), []);
      await derived.graph.current();
      await derived.facts.current();
      if (round % 5 === 0) await derived.retriever.search(QUESTIONS[round % QUESTIONS.length]!);
    }
    using fresh = open(':memory:');
    for await (const _ of sync({ ...options, store: fresh }));
    assertSame(store, fresh);
    await using anew = derive(fresh, embedder);
    const compared = await assertSameDerived(derived, anew, QUESTIONS, ['words', 'vectors', 'both', 'graph']);
    t.diagnostic(JSON.stringify({ ...store.counts(), ...compared }));
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
});
