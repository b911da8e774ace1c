import assert from 'node:assert/strict';
import { hash } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { test } from 'node:test';
import { STORE_LIMITS } from './schema.ts';
import { openKnowledgeStore } from './store.ts';

const DAY = 86_400_000;
const sha = (text: string): Uint8Array => hash('sha256', text, 'buffer');
const answer = (topic: string, asked: string, value = 'v') => ({
  ...{ topic: sha(topic), asked: sha(asked), value },
  vector: Float32Array.of(0.5, -0.25, 1),
});

test('an answer is found under its topic until the knowledge base changes or a day has passed', () => {
  using store = openKnowledgeStore({ path: ':memory:' });
  const at = store.version();
  assert.ok(store.kept.put(answer('t', 'q', 'one'), at, 1000, DAY));
  assert.equal(store.version(), at, 'keeping an answer is no change');
  const [found] = store.kept.find(sha('t'), 1500, DAY);
  assert.deepEqual([found!.made, found!.vector], [1000, Float32Array.of(0.5, -0.25, 1)]);
  assert.deepEqual(Buffer.from(found!.asked), Buffer.from(sha('q')));
  assert.equal(store.kept.take(found!.id), 'one');
  assert.deepEqual(store.kept.figures(1500, DAY).hits, 1);
  assert.deepEqual(store.kept.find(sha('other'), 1500, DAY), []);
  assert.deepEqual(store.kept.find(sha('t'), 1000 + DAY, DAY), [], 'it is a day old');
  assert.deepEqual(store.kept.find(sha('t'), 999, DAY), [], 'the clock was set back');
  store.setSettings({ changed: true });
  store.noteFiles([]);
  store.merge({ alias: 'a', entity: 'b', reason: 'test', made: 1 });
  assert.ok(store.version() > at);
  assert.deepEqual(store.kept.find(sha('t'), 1500, DAY), []);
  assert.equal(store.kept.put(answer('t', 'q'), at, 1500, DAY), false, 'it was made of another version');
  assert.equal(store.kept.figures(1500, DAY).answers, 0);
});

test('what answers quote leaves the file with the change that may have removed it', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'kith-kept-'));
  try {
    const path = join(folder, 'kb.sqlite');
    using store = openKnowledgeStore({ path, create: { name: 'kb', clock: { now: () => 1 } } });
    using file = new DatabaseSync(path, { readOnly: true });
    const rows = () => file.prepare('SELECT count(*) AS n FROM kept').get()!.n;
    store.kept.put(answer('t', 'q'), store.version(), 1000, DAY);
    assert.equal(rows(), 1);
    store.setSettings({ same: true });
    assert.equal(rows(), 1, 'settings are no documents');
    store.merge({ alias: 'a', entity: 'b', reason: 'test', made: 1 });
    assert.equal(rows(), 0);
  } finally {
    await rm(folder, { recursive: true });
  }
});

test('answers are bounded in number and bytes, and the one that was used longest ago goes first', () => {
  using store = openKnowledgeStore({ path: ':memory:' });
  const at = store.version();
  for (let i = 0; i < STORE_LIMITS.kept; i++) store.kept.put(answer('t', `q${i}`), at, 5, DAY);
  const first = store.kept.find(sha('t'), 5, DAY).length;
  assert.ok(first > 0);
  // The first one is used, so that the second goes.
  store.kept.put(answer('u', 'kept'), at, 5, DAY);
  assert.equal(store.kept.figures(5, DAY).answers, STORE_LIMITS.kept);
  assert.equal(store.kept.put(answer('x', 'x', 'x'.repeat(STORE_LIMITS.keptAnswer)), at, 5, DAY), false);
  const large = 'y'.repeat(STORE_LIMITS.keptAnswer - 1000);
  const fit = Math.floor(STORE_LIMITS.keptBytes / large.length);
  store.kept.put(answer('used', 'used'), at, 5, DAY);
  for (let i = 0; i < fit + 2; i++) {
    store.kept.put(answer('large', `q${i}`, large), at, 5, DAY);
    assert.equal(store.kept.take(store.kept.find(sha('used'), 5, DAY)[0]!.id), 'v');
  }
  const { bytes, answers } = store.kept.figures(5, DAY);
  assert.ok(bytes <= STORE_LIMITS.keptBytes, `${bytes} bytes`);
  assert.equal(store.kept.clear(), answers);
  assert.equal(store.kept.figures(5, DAY).answers, 0);
});

test('a question that is asked again has one answer, the newest', () => {
  using store = openKnowledgeStore({ path: ':memory:' });
  const at = store.version();
  store.kept.put(answer('t', 'q', 'old'), at, 5, DAY);
  store.kept.put(answer('t', 'q', 'new'), at, 6, DAY);
  const found = store.kept.find(sha('t'), 6, DAY);
  assert.equal(found.length, 1);
  assert.equal(store.kept.take(found[0]!.id), 'new');
});
