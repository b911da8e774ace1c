import assert from 'node:assert/strict';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { createSeededRandom, KithError, systemClock } from '../../src/base/index.ts';
import {
  createParserPool,
  type Embedder,
  type IngestOptions,
  type IngestTotals,
  ingest,
  type KnowledgeStore,
  openKnowledgeStore,
  type ParserPool,
  passageOf,
  reembed,
} from '../../src/knowledge/index.ts';
import {
  assertSame,
  eventsOf,
  fileOf,
  filesOf,
  plainPool,
  stagesOf,
  startEmbedder,
  type TestEmbedder,
  textOf,
} from './support.ts';

let real: TestEmbedder;
let embedder: Embedder;
before(async () => {
  real = await startEmbedder();
  ({ embedder } = real);
});
after(() => real[Symbol.asyncDispose]());

const openStore = (path = ':memory:'): KnowledgeStore =>
  openKnowledgeStore({ path, create: { name: 'Test', clock: systemClock } });
const run = (files: Parameters<typeof ingest>[0], store: KnowledgeStore, more: Partial<IngestOptions> = {}) =>
  eventsOf(ingest(files, { store, pool: plainPool, embedder, clock: systemClock, ...more }));

const dot = (a: Float32Array, b: Float32Array) => a.reduce((sum, value, i) => sum + value * b[i]!, 0);

test('files become documents whose chunks are found by words, with the vectors that the embedder gives', async () => {
  using store = openStore();
  const files = filesOf(20, 1);
  const events = await run(files, store);
  const { totals } = events.at(-1)!;
  assert.equal(events.at(-1)!.kind, 'end');
  assert.deepEqual(new Set(Object.values(stagesOf(events))), new Set(['done']));
  const counts = store.counts();
  assert.deepEqual(
    { files: totals.files, done: totals.done, documents: totals.documents, chunks: totals.chunks },
    { files: 20, done: 20, documents: counts.documents, chunks: counts.chunks },
  );
  assert.equal(counts.vectors, counts.chunks);
  const all = [...store.allChunks()];
  assert.equal(
    totals.tokens,
    all.reduce((sum, chunk) => sum + chunk.tokens, 0),
  );
  const some = all.filter((_, i) => i % 9 === 0);
  const alone = await embedder.embed(some.map(passageOf), { kind: 'passage' });
  const kept = store.f32(some.map(({ row }) => row));
  for (const [at, vector] of kept.entries())
    assert.ok(dot(vector!, alone.subarray(at * embedder.dimension, (at + 1) * embedder.dimension)) > 0.9995);
  const word = /\p{L}{6,}/u.exec(all[0]!.text)![0];
  assert.ok(store.lexical([word], 50).some(({ row }) => row === all[0]!.row));
  assert.deepEqual(store.check(), []);
  assert.ok(store.files({ limit: 1000 }).every(({ stage, hash }) => stage === 'done' && hash !== null));
});

test('what did not change is skipped, and of what did only new chunks are embedded', async () => {
  using store = openStore();
  const random = createSeededRandom(2);
  const text = textOf(random, 48);
  await run([fileOf('a.txt', text), fileOf('b.txt', 'One line.')], store);
  const before = store.chunksOf('a.txt');
  const again = await run([fileOf('a.txt', text), fileOf('b.txt', 'One line.')], store);
  assert.deepEqual(stagesOf(again), { 'a.txt': 'skipped', 'b.txt': 'skipped' });
  assert.equal(again.at(-1)!.totals.embedded, 0);

  const more = await run(
    [fileOf('a.txt', `${text}\n\n# More\n\nA new section.`), fileOf('copy/b.txt', 'One line.')],
    store,
  );
  // The copy has the title and text of what is there.
  assert.equal(more.at(-1)!.totals.embedded, 1);
  assert.deepEqual(
    store
      .chunksOf('a.txt')
      .slice(0, -1)
      .map(({ row }) => row),
    before.map(({ row }) => row),
  );
  using fresh = openStore();
  await run(
    [
      fileOf('a.txt', `${text}\n\n# More\n\nA new section.`),
      fileOf('b.txt', 'One line.'),
      fileOf('copy/b.txt', 'One line.'),
    ],
    fresh,
  );
  assertSame(store, fresh);
});

test('other chunk sizes make other chunks of the same file', async () => {
  using store = openStore();
  const file = fileOf('a.txt', textOf(createSeededRandom(3), 24));
  await run([file], store);
  const before = store.counts().chunks;
  const events = await run([file], store, { chunking: { size: 40 } });
  assert.deepEqual(stagesOf(events), { 'a.txt': 'done' });
  assert.ok(store.counts().chunks > before);
  assert.deepEqual(store.check(), []);
});

test('a file that fails is told of with its reason, the others go in, and it is not tried again until it changes', async () => {
  using store = openStore();
  const folder = await mkdtemp(join(tmpdir(), 'kith-ingest-'));
  try {
    await writeFile(join(folder, 'good.txt'), 'A good file.');
    const files = [
      fileOf('bad.txt', 'no \0 text'),
      { path: 'good.txt', source: { path: join(folder, 'good.txt') } },
      { path: 'gone.txt', source: { path: join(folder, 'gone.txt') } },
      { path: 'folder', source: { path: folder } },
      fileOf('x'.repeat(5000), 'Path too long.'),
    ];
    const events = await run(files, store);
    assert.deepEqual(stagesOf(events), {
      ...{ 'bad.txt': 'failed', 'good.txt': 'done', 'gone.txt': 'failed', folder: 'failed' },
      [files[4]!.path]: 'failed',
    });
    assert.deepEqual(
      store.files({ stage: 'failed' }).map(({ path, code }) => [path, code]),
      [
        ['bad.txt', 'parse_broken'],
        ['folder', 'parse_unreadable'],
        ['gone.txt', 'parse_unreadable'],
      ],
    );
    let parsed = 0;
    const counting: Pick<ParserPool, 'parse'> = {
      parse(source) {
        parsed++;
        return plainPool.parse(source);
      },
    };
    const second = await run(files.slice(0, 1), store, { pool: counting });
    assert.deepEqual(stagesOf(second), { 'bad.txt': 'failed' });
    assert.equal(parsed, 0);
    await run(files.slice(0, 1), store, { pool: counting, retryFailed: true });
    assert.equal(parsed, 1);
    await run([fileOf('bad.txt', 'Good now.')], store);
    assert.equal(store.file('bad.txt')?.stage, 'done');
  } finally {
    await rm(folder, { recursive: true });
  }
});

test('a dry run says what would be done and does nothing', async () => {
  using store = openStore();
  await run([fileOf('a.txt', 'Old.'), fileOf('b.txt', 'Same.')], store);
  const version = store.version();
  const events = await run(
    [fileOf('a.txt', 'New.'), fileOf('b.txt', 'Same.'), fileOf('c.txt', 'More.')],
    store,
    {
      dryRun: true,
    },
  );
  assert.deepEqual(
    events
      .flatMap((event) => (event.kind === 'file' ? [`${event.path} ${event.known} ${event.stage}`] : []))
      .sort(),
    ['a.txt changed waiting', 'b.txt unchanged skipped', 'c.txt new waiting'],
  );
  assert.equal(store.version(), version);
  assert.equal(store.file('c.txt'), null);
});

test('a run that is aborted or left keeps what was put, and the next goes on from there', async () => {
  using store = openStore();
  // Of more passages than are embedded at once.
  const files = filesOf(300, 5);
  const controller = new AbortController();
  await assert.rejects(
    async () => {
      let done = 0;
      for await (const event of ingest(files, {
        store,
        pool: plainPool,
        embedder,
        clock: systemClock,
        signal: controller.signal,
      }))
        if (event.kind === 'file' && event.stage === 'done' && ++done === 5) controller.abort();
    },
    { code: 'aborted' },
  );
  const first = store.counts().documents;
  assert.ok(first >= 5 && first < 300, String(first));
  for await (const event of ingest(files, { store, pool: plainPool, embedder, clock: systemClock })) {
    if (event.kind === 'file' && event.stage === 'done') break;
  }
  const second = store.counts().documents;
  assert.ok(second > first && second < 300, String(second));
  const { totals } = (await run(files, store)).at(-1)!;
  assert.deepEqual([totals.skipped, totals.done], [second, 300 - second]);
  using fresh = openStore();
  await run(files, fresh);
  assertSame(store, fresh);
});

test('a dump is a folder of pages, which goes when they go', async () => {
  const pool: Pick<ParserPool, 'parse'> = {
    async *parse(source) {
      const bytes = 'bytes' in source ? source.bytes : await readFile(source.path);
      for (const line of new TextDecoder().decode(bytes).split('\n')) {
        const [page, text] = line.split(': ') as [string, string];
        for await (const parsed of plainPool.parse({ bytes: new TextEncoder().encode(text), name: page }))
          yield { ...parsed, page };
      }
    },
  };
  using store = openStore();
  const paths = () => store.documents().map(({ path }) => path);
  await run(
    [fileOf('wiki.xml', 'Moon: It is round.\nSun: It is hot.'), fileOf('wiki.xml.txt', 'A: b')],
    store,
    { pool },
  );
  assert.deepEqual(paths(), ['wiki.xml.txt/A', 'wiki.xml/Moon', 'wiki.xml/Sun']);
  assert.equal(store.chunksOf('wiki.xml/Sun')[0]?.title, 'Sun');
  const same = await run([fileOf('wiki.xml', 'Moon: It is round.\nSun: It is hot.')], store, { pool });
  assert.deepEqual(stagesOf(same), { 'wiki.xml': 'skipped' });
  const events = await run([fileOf('wiki.xml', 'Mars: It is red.\nSun: It is hot.')], store, { pool });
  assert.deepEqual(paths(), ['wiki.xml.txt/A', 'wiki.xml/Mars', 'wiki.xml/Sun']);
  assert.equal(events.at(-1)!.totals.embedded, 1);
  assert.equal(events.at(-1)!.totals.done, 1);
});

test('an embedder that fails ends the run with its error, and nothing is half put', async () => {
  using store = openStore();
  let left = 2;
  const failing: Embedder = {
    ...embedder,
    embed: (texts, options) =>
      left-- > 0 ? embedder.embed(texts, options) : Promise.reject(new Error('The machine is on fire.')),
  };
  const files = filesOf(24, 6, 10);
  await assert.rejects(run(files, store, { embedder: failing }), /on fire/);
  const { chunks, vectors, documents } = store.counts();
  assert.equal(chunks, vectors);
  assert.ok(documents < 24);
  await assert.rejects(run(files, store, { embedder: { ...embedder, hash: 'f'.repeat(64) } }), {
    code: 'embedder_mismatch',
  });
  await run(files, store);
  assert.equal(store.counts().documents, 24);
  assert.deepEqual(store.check(), []);
});

test('parsers that cannot be had end the run with their error, also while others are embedded', async () => {
  using store = openStore();
  let left = 3;
  const pool: Pick<ParserPool, 'parse'> = {
    parse(source) {
      if (left-- > 0) return plainPool.parse(source);
      throw new KithError('parse_failed', 'There is no memory for it.', { status: 503 });
    },
  };
  await assert.rejects(run(filesOf(12, 8), store, { pool }), { code: 'parse_failed' });
  assert.deepEqual(store.check(), []);
});

test('texts have the tokens that the model counts, whatever is in them', async () => {
  const texts = [
    'hello world',
    'Tokenization of uncommonly long words',
    '',
    '今天',
    'x'.repeat(3000),
    'word '.repeat(2000),
  ];
  const counts = await embedder.countTokens(texts);
  assert.deepEqual(counts.slice(0, 1), [2]);
  assert.equal(counts[2], 0);
  assert.equal(counts[5], 2000);
  const vectors = await embedder.embed(texts, { kind: 'passage' });
  assert.equal(vectors.length, texts.length * embedder.dimension);
  for (let i = 0; i < texts.length; i++) {
    const row = vectors.subarray(i * embedder.dimension, (i + 1) * embedder.dimension);
    assert.ok(Math.abs(dot(row, row) - 1) < 1e-4);
  }
});

test('vectors are made anew for another embedder, in steps that stay done', async () => {
  using store = openStore();
  await run(filesOf(8, 7), store);
  using before = openStore();
  await run(filesOf(8, 7), before);
  const other: Embedder = { ...embedder, hash: 'e'.repeat(64) };
  await assert.rejects(reembed(store, other).next(), { code: 'embedder_mismatch' });
  store.changeEmbedder(other);
  assert.equal(store.counts().vectors, 0);
  assert.ok(store.lexical(['river', 'stone', 'garden', 'letter', 'window'], 5).length > 0);
  let done = 0;
  for await (const so of reembed(store, other)) done = so;
  assert.equal(done, store.counts().chunks);
  assertSame(store, before);
  assert.deepEqual(await reembed(store, other).next(), { done: true, value: undefined });
});

test('of documents that are put together, one that cannot be put takes no other with it', async () => {
  using store = openStore();
  const files = ['a.txt', 'b.txt', 'c.txt'].map((path) => fileOf(path, `What ${path} says.`));
  const events = await run(files, store, {
    // Of a chunk that the document has not.
    mentions: ({ path }) =>
      path === 'b.txt' ? [{ chunk: 9, surface: 'B', span: null, extractor: 'name', confidence: 1 }] : [],
  });
  assert.deepEqual(stagesOf(events), { 'a.txt': 'done', 'b.txt': 'failed', 'c.txt': 'done' });
  assert.equal(store.file('b.txt')?.code, 'document_invalid');
  assert.equal(store.document('b.txt'), null);
  assert.deepEqual([store.counts().documents, store.counts().vectors], [2, 2]);
  assert.deepEqual(store.check(), []);
});

test('files of many formats are parsed in processes of their own, and broken ones are told of by name', async () => {
  await using pool = createParserPool({ processes: 1 });
  using store = openStore();
  const files = [
    fileOf(
      'notes/trip.md',
      '---\ntags: [travel]\n---\n# Trip\n\n## Packing\n\nTwo warm pullovers.\n\n## Route\n\nOver the pass.',
    ),
    fileOf(
      'page.html',
      '<html><head><title>Bees</title></head><body><article><h1>Bees</h1><p>They dance.</p></article></body></html>',
    ),
    fileOf('people.csv', 'name,city\nAnn,Oslo\nBob,Rome\n'),
    fileOf('broken.pdf', '%PDF-1.7 and nothing else'),
  ];
  const events = await run(files, store, { pool });
  const stages = stagesOf(events);
  assert.deepEqual(stages, {
    ...{ 'notes/trip.md': 'done', 'page.html': 'done', 'people.csv': 'done', 'broken.pdf': 'failed' },
  });
  assert.match(store.file('broken.pdf')!.code!, /^parse_/);
  assert.deepEqual(store.document('notes/trip.md')?.tags, ['travel']);
  const [found] = store.chunks(store.lexical(['pullovers'], 1).map(({ row }) => row));
  assert.equal(found?.path, 'notes/trip.md');
  assert.match(found!.title, /Packing$/);
  assert.deepEqual(store.chunks(store.lexical(['oslo'], 1).map(({ row }) => row))[0]?.path, 'people.csv');
});

test('a run that is ended early has told of every file that it put, and of none more', async () => {
  using store = openStore();
  const files = [
    ...filesOf(6, 21, 2),
    fileOf('long.txt', textOf(createSeededRandom(22), 6000)),
    ...filesOf(3, 23, 2).map((file) => ({ ...file, path: `after/${file.path}` })),
  ];
  const stop = new AbortController();
  let calls = 0;
  const stopping: Embedder = {
    ...{ id: embedder.id, hash: embedder.hash, dimension: embedder.dimension, window: embedder.window },
    countTokens: async (texts) => texts.map((text) => Math.ceil(text.length / 4)),
    async embed(texts) {
      // In the middle of the long one.
      if (texts.length === 128 && ++calls === 2) {
        stop.abort();
        throw new Error('stopped');
      }
      return new Float32Array(texts.length * embedder.dimension).fill(0.05);
    },
  };
  let last: IngestTotals | null = null;
  const done: string[] = [];
  await assert.rejects(async () => {
    // One at a time, so that the long file comes after the first ones and before the last.
    const options = { store, pool: plainPool, embedder: stopping, clock: systemClock, parallel: 1 };
    for await (const event of ingest(files, { ...options, signal: stop.signal })) {
      last = event.totals;
      if (event.kind === 'file' && event.stage === 'done') done.push(event.path);
    }
  });
  const put = store.documents({ limit: 100 }).map(({ path }) => path);
  assert.deepEqual(done.sort(), put);
  assert.equal(put.length, 6, put.join(' '));
  const { done: counted, documents, chunks } = last!;
  assert.deepEqual([counted, documents, chunks], [6, 6, store.counts().chunks]);
});

test('a file that holds no document any more is done, and what it held before goes', async () => {
  using store = openStore();
  const state = (path: string) => store.file(path)?.stage;
  await run([fileOf('pages.dump', '=== One\nFirst.\n=== Two\nSecond.\n'), fileOf('none.dump', '')], store);
  assert.equal(store.counts().documents, 2);
  assert.deepEqual([state('pages.dump'), state('none.dump')], ['done', 'done']);
  await run([fileOf('pages.dump', '')], store);
  assert.equal(store.counts().documents, 0);
  assert.equal(state('pages.dump'), 'done');
  assert.deepEqual(stagesOf(await run([fileOf('pages.dump', '')], store)), { 'pages.dump': 'skipped' });
});
