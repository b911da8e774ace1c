import assert from 'node:assert/strict';
import { test } from 'node:test';
import { systemClock } from '../../src/base/index.ts';
import { createParserPool, type Embedder, openKnowledgeStore, sync } from '../../src/knowledge/index.ts';
import { isClear, makeHostileFolder } from './hostile-folder.ts';

/** Vectors are not what is looked at. */
const embedder: Embedder = {
  ...{ id: 'flat', hash: 'flat', dimension: 8, window: 254 },
  countTokens: async (texts) => texts.map((text) => Math.ceil(text.length / 4)),
  embed: async (texts) => new Float32Array(texts.length * 8).fill(0.35),
};

test('in a folder of broken, endless, changing and oddly named things each file is taken in or has an error that names it', async (t) => {
  if (process.platform !== 'linux') return t.skip('pipes, devices and names as Linux has them');
  await using hostile = await makeHostileFolder({ real: [], large: false });
  await using pool = createParserPool({ processes: 1, timeMs: 120_000 });
  using store = openKnowledgeStore({ path: ':memory:', create: { name: 'Hostile', clock: systemClock } });
  const unread: string[] = [];
  for await (const event of sync({ folder: hostile.path, store, pool, embedder, clock: systemClock }))
    if (event.kind === 'unread') unread.push(`${event.path}: ${event.message}`);
  await hostile.stopChanging();
  const wrong: string[] = [];
  for (const name of hostile.files) {
    const state = store.file(name.normalize('NFC'));
    if (state === null) wrong.push(`${name}: nothing is known of it`);
    else if (state.stage === 'failed') {
      if (!isClear(name, state.code ?? '', state.message ?? ''))
        wrong.push(`${name}: ${state.code} ${state.message}`);
    } else if (state.stage !== 'done') wrong.push(`${name}: ${state.stage}`);
  }
  for (const name of hostile.sound) if (store.document(name) === null) wrong.push(`${name} is sound`);
  for (const name of hostile.others) if (store.file(name) !== null) wrong.push(`${name} was taken in`);
  assert.deepEqual(wrong, []);
  assert.ok(hostile.files.length >= 12, `${hostile.files.length} files`);
  assert.ok(unread.length >= hostile.unnamed, unread.join('\n'));
  assert.deepEqual(store.lexical(['secret'], 5), [], 'what links lead to stays outside');
  assert.deepEqual(store.check(), []);
});
