import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { fc } from '../../../test/property.ts';
import { createManualClock, createSeededRandom, openDatabase, toHex } from '../../base/index.ts';
import type { Chunk, Mention, PropertyTest } from '../types.ts';
import { type KnowledgeStore, type NewDocument, openKnowledgeStore } from './index.ts';
import { MIGRATIONS } from './schema.ts';

const EMBEDDER = { id: 'four', hash: 'a'.repeat(64), dimension: 4 };
const create = { name: 'Notes', clock: createManualClock(1000), random: createSeededRandom(1) };

function folder(): { readonly path: string } & Disposable {
  const path = mkdtempSync(join(tmpdir(), 'kith-store-'));
  return { path, [Symbol.dispose]: () => rmSync(path, { recursive: true, force: true }) };
}

const open = (path = ':memory:'): KnowledgeStore => openKnowledgeStore({ path, create, embedder: EMBEDDER });
const sha = (text: string) => new Uint8Array(createHash('sha256').update(text).digest());

function document(path: string, more: Partial<NewDocument> = {}): NewDocument {
  return {
    ...{
      path,
      title: path,
      titled: false,
      type: 'md',
      hash: sha(path),
      recipe: 'r1',
      bytes: 10,
      modified: 5,
    },
    ...{ pages: null, properties: {}, tags: [], aliases: [], links: [], notes: [], ...more },
  };
}

function chunksOf(title: string, texts: readonly string[]): Chunk[] {
  return texts.map((text, position) => ({
    id: toHex(sha(`${title}\n${text}`)).slice(0, 32),
    ...{ position, title, text, tokens: text.split(' ').length, place: { line: position + 1 } },
  }));
}

function vectorsOf(chunks: readonly Chunk[]): Float32Array {
  return Float32Array.from(
    chunks.flatMap(({ id }) => {
      const row = [0, 1, 2, 3].map((i) => Number.parseInt(id.slice(i * 2, i * 2 + 2), 16) - 127.3);
      const norm = Math.hypot(...row);
      return row.map((value) => value / norm);
    }),
  );
}

function put(
  store: KnowledgeStore,
  path: string,
  texts: readonly string[],
  more: Partial<NewDocument> = {},
  mentions: readonly Mention[] = [],
) {
  const chunks = chunksOf(more.title ?? path, texts);
  store.put(document(path, more), chunks, vectorsOf(chunks), mentions);
  return chunks;
}

test('a document comes back as it was put, with its chunks, vectors and mentions', () => {
  using store = open();
  const facts = document('a/b.md', {
    ...{ title: 'B', titled: true, pages: 3, properties: { year: 1914, by: ['Ann', 'Bob'], draft: false } },
    ...{
      tags: ['History/War'],
      aliases: ['Bee'],
      links: [{ target: 'C', kind: 'wiki', label: null }] as const,
    },
    notes: [{ code: 'cut', message: 'Too long.' }],
  });
  const chunks = chunksOf('B › One', ['the first text', 'the second text']);
  const mentions: Mention[] = [
    { chunk: 1, surface: 'second', span: [4, 10], extractor: 'name', confidence: 0.5 },
    { chunk: 0, surface: 'B', span: null, extractor: 'title', confidence: 1 },
  ];
  const vectors = vectorsOf(chunks);
  const stored = store.put(facts, chunks, vectors, mentions);
  assert.deepEqual(stored, { ...facts, id: stored.id, chunks: 2 });
  assert.deepEqual(store.document('a/b.md'), stored);
  const found = store.chunksOf('a/b.md');
  assert.deepEqual(
    found.map(({ row, document: of, path, ...chunk }) => chunk),
    chunks,
  );
  const rows = found.map(({ row }) => row);
  assert.deepEqual(store.f32(rows), [vectors.slice(0, 4), vectors.slice(4)]);
  assert.deepEqual(
    store.mentions(rows).map(({ row, ...mention }) => mention),
    [mentions[1], mentions[0]],
  );
  for (const { row, scale, i8 } of store.slab()) {
    const exact = store.f32([row])[0]!;
    for (let i = 0; i < 4; i++) assert.ok(Math.abs(i8[i]! * scale - exact[i]!) <= scale / 2 + 1e-7);
  }
  assert.deepEqual(store.check(), []);
  assert.deepEqual(
    { ...store.counts(), bytes: 0 },
    { documents: 1, chunks: 2, vectors: 2, mentions: 2, bytes: 0 },
  );
});

test('putting a document again keeps the rows of what did not change, and tells those who follow of the rest', () => {
  using store = open();
  put(store, 'a', ['one', 'two', 'three']);
  const before = store.chunksOf('a');
  store.addMentions([
    { row: before[0]!.row, chunk: 0, surface: 'one', span: [0, 3], extractor: 'model', confidence: 0.9 },
  ]);
  const version = store.version();
  put(store, 'a', ['zero', 'one', 'three']);
  const after = store.chunksOf('a');
  assert.deepEqual(
    after.slice(1).map(({ row }) => row),
    [before[0]!.row, before[2]!.row],
  );
  assert.equal(store.mentions([before[0]!.row]).length, 1);
  assert.deepEqual(store.changes(version), {
    version: store.version(),
    added: [after[0]!.row],
    removed: [before[1]!.row],
  });
  assert.ok(after[0]!.row > before[2]!.row, 'rows are never given again');
  assert.deepEqual(store.changes(store.version())?.added, []);
  assert.equal(store.changes(store.version() + 1), null);
  assert.deepEqual(store.lexical(['two'], 10), []);
  assert.deepEqual(store.check(), []);
});

test('words are found in any order of writing them, titles count twice, and nothing in them is an operator', () => {
  using store = open();
  put(store, 'x', ['Running horses run', 'a cat', 'naïve café']);
  put(store, 'y', ['horse and carriage'], { title: 'Cars' });
  put(store, 'z', ['something else about carriages'], { title: 'Horse' });
  const paths = (words: string[]) =>
    store.chunks(store.lexical(words, 10).map(({ row }) => row)).map((chunk) => chunk?.path);
  assert.deepEqual(paths(['horse']), ['z', 'y', 'x']);
  assert.deepEqual(paths(['cafe']), ['x']);
  for (const hostile of [
    '"',
    'horse"',
    '" OR "',
    'NEAR(a b)',
    'title:',
    '*',
    '-',
    '\0',
    'a\0b',
    '\ud800',
    '(',
    '',
  ])
    store.lexical([hostile], 10);
  assert.deepEqual(paths(['title:horse"']), [], 'one string, not a column and a word');
  assert.deepEqual(
    store.lexical(
      Array.from({ length: 5000 }, (_, i) => `w${i}`),
      10,
    ),
    [],
  );
});

test('chunks of equal score come in the order of their ids, whichever was put first', () => {
  const texts = Array.from({ length: 30 }, (_, i) => `same ${String.fromCharCode(97 + (i % 26))}${i}`);
  const orders = [texts, [...texts].reverse()].map((order) => {
    using store = open();
    for (const text of order) put(store, text, [text]);
    return store.chunks(store.lexical(['same'], 5).map(({ row }) => row)).map((chunk) => chunk!.id);
  });
  assert.deepEqual(orders[0], orders[1]);
  assert.deepEqual(orders[0], [...orders[0]!].sort());
});

test('filters keep documents by folder, type, tag, time and property, in words and in rows alike', () => {
  using store = open();
  put(store, 'work/a.md', ['apple'], { tags: ['Fruit/Red'], modified: 10, properties: { n: 5 } });
  put(store, 'work/b.pdf', ['apple'], { type: 'pdf', tags: ['fruit'], modified: 20, properties: { n: '5' } });
  put(store, 'home/c.md', ['apple'], { modified: 30, properties: { by: ['Ann', 'Bob'] } });
  put(store, 'work0', ['apple']);
  const kept = (filter: Parameters<KnowledgeStore['rowsOf']>[0]) => {
    const rows = [...(store.rowsOf(filter) ?? [])];
    assert.deepEqual(
      store
        .lexical(['apple'], 10, filter)
        .map(({ row }) => row)
        .sort(),
      rows.sort(),
    );
    const paths = store
      .chunks(rows)
      .map((chunk) => chunk!.path)
      .sort();
    assert.deepEqual(
      store.documents({}, filter).map(({ path }) => path),
      paths,
    );
    return paths;
  };
  assert.equal(store.rowsOf({}), null);
  assert.deepEqual(kept({ paths: ['work/'] }), ['work/a.md', 'work/b.pdf']);
  assert.deepEqual(kept({ paths: ['work/', 'home/c.md'], types: ['md'] }), ['home/c.md', 'work/a.md']);
  assert.deepEqual(kept({ paths: [] }), []);
  assert.deepEqual(kept({ types: [] }), []);
  assert.deepEqual(kept({ tags: ['FRUIT'] }), ['work/a.md', 'work/b.pdf']);
  assert.deepEqual(kept({ tags: ['fruit', 'fruit/red'] }), ['work/a.md']);
  assert.deepEqual(kept({ modifiedFrom: 10, modifiedTo: 20 }), ['work/a.md', 'work/b.pdf']);
  assert.deepEqual(kept({ properties: { n: 5 } }), ['work/a.md']);
  assert.deepEqual(kept({ properties: { by: 'Bob' } }), ['home/c.md']);
  assert.deepEqual(kept({ properties: { "x' OR 1 --": true } }), []);
  assert.throws(() => kept({ paths: Array.from({ length: 2000 }, String) }), { code: 'filter_invalid' });
});

test('filters compare numbers and dates of properties, and know patterns of paths', () => {
  using store = open();
  put(store, 'work/plan/a.md', ['apple'], { properties: { due: '2024-05-17', stars: 4, done: true } });
  put(store, 'work/b.md', ['apple'], {
    properties: { due: '2024-06-02T10:00:00', stars: '10', year: ['2019', '2021'] },
  });
  put(store, 'c.pdf', ['apple'], { properties: { due: 'soon', year: 2020 } });
  const kept = (filter: Parameters<KnowledgeStore['rowsOf']>[0]) => {
    const rows = [...(store.rowsOf(filter) ?? [])];
    assert.equal(store.lexical(['apple'], 10, filter).length, rows.length);
    return store.documents({}, filter).map(({ path }) => path);
  };
  const where = (property: string, is: PropertyTest['is'], value?: string | number | boolean) =>
    kept({ where: [{ property, is, ...(value === undefined ? {} : { value }) }] });
  const [a, b, c] = ['work/plan/a.md', 'work/b.md', 'c.pdf'];
  assert.deepEqual(where('stars', '=', '4'), [a]);
  assert.deepEqual(where('stars', '>', 4), [b]);
  assert.deepEqual(where('stars', '>=', '4'), [b, a]);
  assert.deepEqual(where('stars', '!=', 4), [c, b]);
  assert.deepEqual(where('done', '=', 'true'), [a]);
  assert.deepEqual(where('due', '<', '2024-06'), [a]);
  assert.deepEqual(where('due', '<=', '2024-06'), [b, a]);
  assert.deepEqual(where('due', '>', '2024-05-17'), [b]);
  assert.deepEqual(where('due', '<', 2025), [b, a]);
  assert.deepEqual(where('year', '<', 2020), [b]);
  assert.deepEqual(where('year', '=', '2020'), [c]);
  assert.deepEqual(where('year', 'set'), [c, b]);
  assert.deepEqual(where('year', 'unset'), [a]);
  assert.deepEqual(where("x' OR 1 --", '=', 1), []);
  assert.throws(() => where('due', '<', 'soon'), { code: 'filter_invalid' });
  assert.deepEqual(kept({ globs: ['*.md'] }), [b, a]);
  assert.deepEqual(kept({ globs: ['work/*.md'] }), [b]);
  assert.deepEqual(kept({ globs: ['work/**/?.md', 'c.*'] }), [c, b, a]);
  assert.deepEqual(kept({ globs: ['**/plan/'] }), [a]);
  assert.deepEqual(kept({ globs: ['work/*'], where: [{ property: 'stars', is: '<', value: 20 }] }), [b]);
});

test('a renamed document keeps ids, rows and vectors, and none is written over', () => {
  using store = open();
  put(store, 'a', ['one']);
  put(store, 'b', ['two']);
  const before = store.chunksOf('a');
  assert.throws(() => store.rename('a', 'b'), { code: 'document_exists', status: 409 });
  assert.equal(store.rename('a', 'c'), true);
  assert.equal(store.rename('a', 'd'), false);
  assert.deepEqual(
    store.chunksOf('c'),
    before.map((chunk) => ({ ...chunk, path: 'c' })),
  );
  assert.equal(store.remove('c'), true);
  assert.equal(store.remove('c'), false);
  assert.deepEqual(store.f32(before.map(({ row }) => row)), [null]);
  assert.deepEqual(store.check(), []);
});

test('neighbours are those beside a chunk in its document', () => {
  using store = open();
  put(store, 'a', ['0', '1', '2', '3', '4']);
  put(store, 'b', ['5']);
  const rows = store.chunksOf('a').map(({ row }) => row);
  const texts = (row: number, n: number) => store.neighbours(row, n).map(({ text }) => text);
  assert.deepEqual(texts(rows[2]!, 1), ['1', '2', '3']);
  assert.deepEqual(texts(rows[4]!, 2), ['2', '3', '4']);
  assert.deepEqual(texts(rows[0]!, 0), ['0']);
  assert.deepEqual(texts(9999, 1), []);
});

test('equal content in two documents has one id; the path says which is meant', () => {
  using store = open();
  for (const path of ['b', 'a']) put(store, path, ['text'], { title: 'T' });
  const { id } = store.chunksOf('a')[0]!;
  assert.equal(store.chunk(id)?.path, 'a');
  assert.equal(store.chunk(id, 'b')?.path, 'b');
  assert.equal(store.chunk(id, 'c'), null);
  assert.equal(store.vectorsById([id, 'f'.repeat(32)]).size, 1);
});

test('vectors of another embedder are refused, and taken once all are made anew', () => {
  using home = folder();
  const path = join(home.path, 'kb.sqlite');
  const other = { id: 'six', hash: 'b'.repeat(64), dimension: 6 };
  {
    using store = open(path);
    put(store, 'a', ['one', 'two']);
  }
  assert.throws(() => openKnowledgeStore({ path, embedder: other }), {
    code: 'embedder_mismatch',
    status: 409,
  });
  using store = openKnowledgeStore({ path });
  assert.deepEqual(store.embedder, EMBEDDER);
  const version = store.version();
  store.changeEmbedder(other);
  assert.equal(store.changes(version), null);
  const bare = store.withoutVector(0, 10);
  assert.deepEqual(
    bare.map(({ text }) => text),
    ['one', 'two'],
  );
  assert.throws(() => store.setVectors([bare[0]!.row], new Float32Array(4)), { code: 'document_invalid' });
  assert.throws(() => store.setVectors([bare[0]!.row], new Float32Array(6).fill(Number.NaN)), {
    code: 'document_invalid',
  });
  const now = store.version();
  store.setVectors([bare[1]!.row, 999], new Float32Array(12).fill(0.5));
  assert.deepEqual(store.changes(now)?.added, [bare[1]!.row]);
  assert.deepEqual(
    store.withoutVector(0, 10).map(({ text }) => text),
    ['one'],
  );
  assert.deepEqual(store.check(), []);
});

test('a file that is missing, newer, or taken away while in use is said to be so, and nothing is written', async () => {
  using home = folder();
  const path = join(home.path, 'drive', 'kb.sqlite');
  assert.throws(() => openKnowledgeStore({ path }), { code: 'kb_missing', status: 404 });
  const newer = join(home.path, 'newer.sqlite');
  openDatabase(newer, { migrations: [...MIGRATIONS, { name: 'later', up: '' }] }).close();
  assert.throws(() => openKnowledgeStore({ path: newer }), { code: 'database_newer' });
  const foreign = join(home.path, 'foreign.sqlite');
  openDatabase(foreign, {
    migrations: [{ name: 'of another program', up: 'CREATE TABLE song (id)' }],
  }).close();
  const bytes = readFileSync(foreign);
  assert.throws(() => openKnowledgeStore({ path: foreign, create }), {
    code: 'database_foreign',
  });
  assert.deepEqual(readFileSync(foreign), bytes);
  using store = open(path);
  put(store, 'a', ['one']);
  const copy = join(home.path, 'copy.sqlite');
  await store.backup(copy);
  rmSync(join(home.path, 'drive'), { recursive: true });
  assert.throws(() => put(store, 'b', ['two']), { code: 'kb_lost', status: 503 });
  using again = openKnowledgeStore({ path: copy });
  assert.equal(again.id, store.id);
  assert.deepEqual(
    again.documents().map(({ path: each }) => each),
    ['a'],
  );
  assert.deepEqual(again.check(), []);
});

test('what does not fit is refused whole', () => {
  using store = open();
  const chunks = chunksOf('t', ['one', 'two']);
  const refused = (work: () => void, code: string) => assert.throws(work, { code });
  refused(() => store.put(document(''), chunks, null, []), 'document_invalid');
  refused(() => store.put(document('a'), [chunks[1]!], null, []), 'document_invalid');
  refused(
    () => store.put(document('a'), [chunks[0]!, { ...chunks[0]!, position: 1 }], null, []),
    'document_invalid',
  );
  refused(() => store.put(document('a'), chunks, new Float32Array(4), []), 'document_invalid');
  const mention: Mention = { chunk: 2, surface: 's', span: null, extractor: 'name', confidence: 1 };
  refused(() => store.put(document('a'), chunks, null, [mention]), 'document_invalid');
  refused(
    () => store.put(document('a'), [{ ...chunks[0]!, text: 'x'.repeat(300_000) }], null, []),
    'limit_reached',
  );
  assert.deepEqual(
    { ...store.counts(), bytes: 0 },
    { documents: 0, chunks: 0, vectors: 0, mentions: 0, bytes: 0 },
  );
  using fresh = openKnowledgeStore({ path: ':memory:', create });
  refused(() => fresh.put(document('a'), chunks, vectorsOf(chunks), []), 'embedder_missing');
});

test('the state of files is kept, page by page', () => {
  using store = open();
  const state = {
    stage: 'waiting',
    code: null,
    message: null,
    hash: null,
    recipe: 'r',
    bytes: 1,
    at: 2,
  } as const;
  store.noteFiles(['a', 'b', 'c'].map((path) => ({ path, ...state })));
  const chunks = chunksOf('b', ['x']);
  store.put(document('b'), chunks, null, [], { ...state, stage: 'done', hash: sha('b') });
  assert.deepEqual(
    store.files({ stage: 'waiting' }).map(({ path }) => path),
    ['a', 'c'],
  );
  assert.deepEqual(
    store.files({ after: 'a', limit: 1 }).map(({ path }) => path),
    ['b'],
  );
  assert.deepEqual(store.fileCounts(), { waiting: 2, done: 1 });
  store.forgetFile('c');
  assert.equal(store.file('c'), null);
  assert.equal(store.file('b')?.stage, 'done');
});

test('whatever is put, renamed and removed, one who follows the changes has what one who reads all has', () => {
  const texts = fc.array(fc.constantFrom('one', 'two', 'three', 'four', 'five'), { maxLength: 5 });
  const step = fc.oneof(
    fc.record({ kind: fc.constant('put' as const), path: fc.constantFrom('a', 'b', 'c'), texts }),
    fc.record({ kind: fc.constant('remove' as const), path: fc.constantFrom('a', 'b', 'c') }),
    fc.record({
      kind: fc.constant('rename' as const),
      path: fc.constantFrom('a', 'b', 'c'),
      to: fc.constantFrom('d', 'e'),
    }),
  );
  fc.assert(
    fc.property(fc.array(step, { maxLength: 12 }), (steps) => {
      using store = open();
      const follower = new Set<number>();
      let version = store.version();
      for (const each of steps) {
        if (each.kind === 'put') put(store, each.path, [...new Set(each.texts)], { title: 'T' });
        else if (each.kind === 'remove') store.remove(each.path);
        else if (store.document(each.to) === null) store.rename(each.path, each.to);
        const changes = store.changes(version)!;
        for (const row of changes.removed) follower.delete(row);
        for (const row of changes.added) follower.add(row);
        version = changes.version;
      }
      const all = [...store.allChunks()].map(({ row }) => row);
      assert.deepEqual(
        [...follower].sort((a, b) => a - b),
        all,
      );
      assert.deepEqual(
        [...store.slab()].map(({ row }) => row),
        all,
      );
      assert.deepEqual(store.check(), []);
      for (const word of ['one', 'two', 'three', 'four', 'five'])
        assert.equal(
          store.lexical([word], 100).length,
          [...store.allChunks()].filter(({ text }) => text === word).length,
        );
    }),
    { numRuns: 60 },
  );
});

test('names are merged with a reason, never in a circle, and a merge can be undone', () => {
  using store = open();
  const made = 5;
  const version = store.version();
  const first = store.merge({ alias: 'j smith', entity: 'john smith', reason: 'initials', made });
  assert.ok(store.version() > version);
  store.merge({ alias: 'john smith', entity: 'john r smith', reason: 'by hand', made });
  assert.throws(() => store.merge({ alias: 'j smith', entity: 'jane smith', reason: '', made }), {
    code: 'merge_invalid',
    message: /merged into 'john smith' already/,
  });
  for (const entity of ['j smith', 'john r smith', 'john smith'])
    assert.throws(() => store.merge({ alias: 'john r smith', entity, reason: '', made }), {
      code: 'merge_invalid',
    });
  assert.throws(() => store.merge({ alias: ' ', entity: 'x', reason: '', made }), { code: 'merge_invalid' });
  assert.equal(store.undoMerge(first, 9), true);
  assert.equal(store.undoMerge(first, 10), false);
  store.merge({ alias: 'j smith', entity: 'jane smith', reason: 'by hand', made });
  assert.deepEqual(
    store.merges().map(({ alias, entity, undone }) => [alias, entity, undone]),
    [
      ['j smith', 'john smith', 9],
      ['john smith', 'john r smith', null],
      ['j smith', 'jane smith', null],
    ],
  );
});

test('those who follow are told of chunks that stay where what they name changed, and of no others', () => {
  using store = open();
  const mention = (chunk: number, surface: string): Mention => ({
    ...{ chunk, surface, span: null, extractor: 'link', confidence: 1 },
  });
  const version = () => store.version();
  put(store, 'a', ['one', 'two'], {}, [mention(0, 'Ann'), mention(1, 'Ben')]);
  const rows = store.chunksOf('a').map(({ row }) => row);
  let before = version();
  put(store, 'a', ['one', 'two'], {}, [mention(0, 'Ann'), mention(1, 'Ben')]);
  assert.deepEqual(store.changes(before)?.added, []);
  before = version();
  put(store, 'a', ['one', 'two'], {}, [mention(0, 'Ann'), mention(1, 'Bea')]);
  assert.deepEqual(store.changes(before)?.added, [rows[1]]);
  before = version();
  store.addMentions([{ row: rows[0]!, ...mention(0, 'Cid'), extractor: 'model' }]);
  assert.deepEqual(store.changes(before)?.added, [rows[0]]);
  before = version();
  // Now the second begins the document.
  put(store, 'a', ['two'], {}, [mention(0, 'Bea')]);
  assert.deepEqual(store.changes(before), { version: version(), added: [rows[1]], removed: [rows[0]] });
});
