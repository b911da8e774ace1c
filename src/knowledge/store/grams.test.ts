import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { fc } from '../../../test/property.ts';
import { createManualClock, openDatabase } from '../../base/index.ts';
import { gramQuery, gramsOf, piecesOfWord } from './grams.ts';
import { type KnowledgeStore, openKnowledgeStore } from './index.ts';
import { MIGRATIONS } from './schema.ts';

const TEXTS = {
  shanghai: '上海市是中华人民共和国的直辖市，人口约两千四百万。',
  tokyo: '東京都は日本の首都です。人口は約千四百万人です。',
  seoul: '서울은 대한민국의 수도이다.',
  lease: 'The rent is due on the third working day.',
};

function put(store: KnowledgeStore, path: string, text: string): void {
  const id = createHash('sha256').update(path).digest('hex').slice(0, 32);
  store.put(
    {
      ...{ path, title: path, titled: true, type: 'md', hash: new Uint8Array(32), recipe: 'test', bytes: 1 },
      ...{ modified: 0, pages: null, properties: {}, tags: [], aliases: [], links: [], notes: [] },
    },
    [{ id, position: 0, title: '', text, tokens: 1, place: {} }],
    null,
    [],
  );
}

function filled(path = ':memory:'): KnowledgeStore {
  const store = openKnowledgeStore({ path, create: { name: 'n', clock: createManualClock() } });
  for (const [name, text] of Object.entries(TEXTS)) put(store, `${name}.md`, text);
  return store;
}

const found = (store: KnowledgeStore, word: string, paths?: string[]): string[] =>
  store
    .lexical([word], 10, paths === undefined ? undefined : { paths })
    .map(({ row }) => store.chunks([row])[0]!.path.replace('.md', ''));

test('pairs of characters are of one run, and a text with spaces has none', () => {
  assert.deepEqual(gramsOf('上海的 AI 水'), ['上海', '海的', '水']);
  assert.deepEqual(gramsOf('The rent is due'), []);
  assert.deepEqual(piecesOfWord('ai技術'), ['ai', '技術']);
  assert.equal(gramQuery(['rent'], 10), null);
});

test('questions in Chinese, Japanese and Korean find what has their words, with a filter too, until it is gone', () => {
  using store = filled();
  assert.equal(found(store, '上海的人口是多少')[0], 'shanghai');
  assert.equal(found(store, '日本の首都はどこですか')[0], 'tokyo');
  assert.equal(found(store, '수도이다')[0], 'seoul');
  assert.deepEqual(found(store, '市').toSorted(), ['shanghai']);
  assert.deepEqual(found(store, '人口', ['tokyo.md']), ['tokyo']);
  assert.deepEqual(found(store, 'rent'), ['lease']);
  put(store, 'shanghai.md', '北京是首都。');
  assert.deepEqual(found(store, '上海'), []);
  assert.deepEqual(found(store, '北京'), ['shanghai']);
  store.remove('shanghai.md');
  assert.deepEqual(found(store, '北京'), []);
});

test('a file of before is indexed when it is opened, and its scores of words stay as they were', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'kith-grams-'));
  try {
    const path = join(folder, 'old.kb');
    let scores: unknown;
    {
      using store = filled(path);
      scores = store.lexical(['rent', 'day'], 10);
    }
    {
      using database = openDatabase(path, { migrations: MIGRATIONS });
      database.exec('DROP TABLE grams');
      const at = MIGRATIONS.findIndex(({ name }) => name.startsWith('pairs of characters'));
      database.exec(`PRAGMA user_version = ${at}`);
      // Were there later ones they would be made twice: this one stands last.
      assert.equal(at, MIGRATIONS.length - 1);
    }
    using store = openKnowledgeStore({ path });
    assert.equal(found(store, '上海的人口')[0], 'shanghai');
    assert.deepEqual(store.lexical(['rent', 'day'], 10), scores);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
});

test('whatever is asked, the search has no operators and does not fail', () => {
  using store = filled();
  const piece = fc.constantFrom('上', '海', '"', '*', 'の', 'ー', 'a', ' ', '가', '𠀋', '\0', '々');
  fc.assert(
    fc.property(fc.array(piece, { maxLength: 12 }), (pieces) => {
      const word = pieces.join('');
      store.lexical([word], 5);
      for (const gram of gramsOf(word)) assert.ok([...gram].length <= 2);
    }),
    { numRuns: 60 },
  );
});
