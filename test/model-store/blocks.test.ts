/** Nodes that have a part of a model only: what is fetched for a range of blocks, and what is not. */
import assert from 'node:assert/strict';
import { readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { PINNED_MODELS, pinnedFile } from '../../scripts/pin-tensors.ts';
import { acquireLock } from '../../src/base/index.ts';
import { type BlockRange, listOfFile, pinnedList } from '../../src/models/index.ts';
import { PACKAGES, testModel } from '../models/index.ts';
import { entryFrom, sameTensors, serveFiles } from './blocks-support.ts';
import { createHome, fileHandler, serve } from './fixtures.ts';

const download = { download: true };
const stories = await testModel('stories15m-f16');
const bytes = await readFile(stories);
const list = pinnedList(entryFrom('stories15m').manifest.sha256)!;

/** Bytes of the sections that a range needs. */
const bytesOf = (names: RegExp) =>
  list.sections.filter(({ name }) => names.test(name)).reduce((sum, one) => sum + one.bytes, 0);

test('blocks 5 to 10 of TinyLlama come in two requests of less than 60 MB, byte for byte', async () => {
  const parts = PACKAGES.tinyllama;
  await using server = await serveFiles(parts);
  await using home = await createHome();
  const entry = entryFrom('tinyllama-1.1b-chat', [`${server.url}/0`, `${server.url}/1`]);
  await using store = home.store({ catalogue: [entry] });
  const range = { from: 5, to: 10 };
  const got = await store.ensureBlocks('tinyllama-1.1b-chat', range, download);
  assert.ok(got.fetchedBytes <= 60_000_000, String(got.fetchedBytes));
  assert.equal(got.fetchedBytes, server.bytes);
  assert.equal(got.requests, 2);
  assert.equal(server.requests.length, 2);
  // The header is in the first part, these blocks in the second.
  assert.deepEqual(got.sources, [`${server.url}/0`, `${server.url}/1`]);
  assert.ok(await sameTensors(await testModel('tinyllama'), got.path, range));
  const { size, blocks } = await stat(got.path);
  assert.equal(size, entry.manifest.bytes);
  // The file is sparse: it takes the room of what is in it.
  if (process.platform !== 'win32') assert.ok(blocks * 512 < 62_000_000, String(blocks * 512));

  // Block 16 lies in both parts.
  const more = await store.ensureBlocks('tinyllama-1.1b-chat', { from: 16, to: 17 }, download);
  assert.deepEqual([more.requests, more.sources.length], [2, 2]);
  assert.ok(more.fetchedBytes < 12_000_000, String(more.fetchedBytes));
  assert.ok(await sameTensors(await testModel('tinyllama'), got.path, { from: 16, to: 17 }));
  const { state, blocks: there } = await store.get('tinyllama-1.1b-chat');
  assert.equal(state, 'blocks');
  const spans = [range, { from: 16, to: 17 }];
  assert.deepEqual([there?.spans, there?.embedding, there?.head], [spans, false, false]);
});

test('only what is missing is fetched, the ends apart from the blocks, and nothing when all is there', async () => {
  await using server = await serve(fileHandler(bytes));
  await using home = await createHome();
  await using store = home.store({ catalogue: [entryFrom('stories15m', [`${server.url}/m.gguf`])] });
  const need = async (range: BlockRange) => await store.ensureBlocks('stories15m', range, download);

  const ends = await need({ from: 0, to: 0, embedding: true, head: true });
  const endBytes = bytesOf(/^\(header\)$|^token_embd|^output/);
  assert.ok(ends.fetchedBytes >= endBytes && ends.fetchedBytes <= endBytes + 2 * 65_536);
  assert.ok(await sameTensors(stories, ends.path, { from: 0, to: 0, embedding: true, head: true }));
  assert.deepEqual((await store.get('stories15m')).blocks, {
    spans: [],
    embedding: true,
    head: true,
    bytes: endBytes,
  });

  const middle = await need({ from: 2, to: 4 });
  assert.equal(middle.requests, 1);
  assert.equal(middle.fetchedBytes, bytesOf(/^blk\.[23]\./));
  const again = await need({ from: 3, to: 4, embedding: true, head: true });
  assert.deepEqual([again.requests, again.fetchedBytes, again.sources], [0, 0, []]);
  assert.ok(await sameTensors(stories, again.path, { from: 2, to: 4, embedding: true, head: true }));
  const { state, path, blocks } = await store.get('stories15m');
  assert.deepEqual([state, path, blocks?.spans], ['blocks', null, [{ from: 2, to: 4 }]]);
  assert.equal((await store.verify('stories15m')).state, 'blocks');

  const { freedBytes } = await store.remove('stories15m');
  assert.ok(
    process.platform === 'win32' || (freedBytes > 0 && freedBytes < bytes.length),
    String(freedBytes),
  );
  assert.equal((await store.get('stories15m')).state, 'available');
});

test('with all its tensors there and its hash right a part becomes the whole model', async () => {
  await using server = await serve(fileHandler(bytes));
  await using home = await createHome();
  const catalogue = [entryFrom('stories15m', [`${server.url}/m.gguf`])];
  await using store = home.store({ catalogue });
  await store.ensureBlocks('stories15m', { from: 0, to: 3 }, download);
  const got = await store.ensureBlocks(
    'stories15m',
    { from: 3, to: 6, embedding: true, head: true },
    download,
  );
  assert.equal(got.path, join(home.path, 'models/stories15m/model.gguf'));
  assert.ok((await readFile(got.path)).equals(bytes));
  assert.equal((await store.get('stories15m')).state, 'ready');
  assert.deepEqual(
    await Promise.all(
      ['blocks.gguf', 'blocks.json'].map((name) =>
        stat(join(home.path, 'models/stories15m', name)).catch(() => null),
      ),
    ),
    [null, null],
  );
  // The whole serves every range, from here on and for other stores.
  const other = await home.store({ catalogue }).ensureBlocks('stories15m', { from: 1, to: 2 });
  assert.deepEqual([other.path, other.fetchedBytes], [got.path, 0]);
});

test('a fetch that is given up keeps what came, and blocks that are here are had while another fetch holds the lock', async () => {
  let hold = true;
  const { promise: held, resolve } = Promise.withResolvers<void>();
  const whole = fileHandler(bytes);
  await using server = await serve((request, response) => {
    const [, first, last] = /^bytes=(\d+)-(\d+)$/.exec(request.headers.range ?? '')!;
    if (!hold || Number(first) === 0) return whole(request, response);
    const length = Number(last) - Number(first) + 1;
    const range = `bytes ${first}-${last}/${bytes.length}`;
    response.writeHead(206, { 'content-length': length, 'content-range': range });
    // Block 0 and a part of block 1.
    response.write(bytes.subarray(Number(first), Number(first) + 2_500_000), () => resolve());
  });
  await using home = await createHome();
  await using store = home.store({ catalogue: [entryFrom('stories15m', [`${server.url}/m.gguf`])] });
  const giveUp = new AbortController();
  const progress: number[] = [];
  const asked = store.ensureBlocks(
    'stories15m',
    { from: 0, to: 3 },
    {
      ...download,
      signal: giveUp.signal,
      onProgress: ({ phase, doneBytes }) => phase === 'download' && progress.push(doneBytes),
    },
  );
  await held;
  giveUp.abort();
  await assert.rejects(asked, { code: 'aborted' });
  assert.ok(progress.every((done, i) => i === 0 || done >= progress[i - 1]! || done === 0));
  hold = false;
  const one = await store.ensureBlocks('stories15m', { from: 0, to: 1 }, download);
  assert.ok(await sameTensors(stories, one.path, { from: 0, to: 1 }));
  assert.ok(one.fetchedBytes <= bytesOf(/^blk\.0\./), String(one.fetchedBytes));
  const lock = join(home.path, 'models/.locks/stories15m.lock');
  await using _held = await acquireLock(lock, { purpose: 'a fetch of another process' });
  const again = await store.ensureBlocks('stories15m', { from: 0, to: 1 }, { wait: false });
  assert.deepEqual([again.path, again.requests], [one.path, 0]);
  await assert.rejects(store.ensureBlocks('stories15m', { from: 1, to: 2 }, { ...download, wait: false }), {
    code: 'locked',
    message: /a fetch of another process/,
  });
});

test('a model that comes with the install is placed as a whole and nothing is fetched', async () => {
  await using home = await createHome();
  const { manifest } = entryFrom('stories15m', [`file:${stories}`]);
  await using store = home.store({ catalogue: [{ builtin: true, manifest }] });
  const got = await store.ensureBlocks('stories15m', { from: 1, to: 2 });
  assert.deepEqual([got.fetchedBytes, got.requests], [0, 0]);
  assert.ok((await readFile(got.path)).equals(bytes));
  await assert.rejects(store.ensureBlocks('stories15m', { from: 5, to: 7 }), { code: 'gguf_block_range' });
});

test('of a file on another disk only the wanted bytes are read', async () => {
  await using home = await createHome();
  await using store = home.store({ catalogue: [entryFrom('stories15m', [`file:${stories}`])] });
  const got = await store.ensureBlocks('stories15m', { from: 1, to: 2 });
  assert.equal(got.fetchedBytes, bytesOf(/^\(header\)$|^blk\.1\./));
  assert.ok(await sameTensors(stories, got.path, { from: 1, to: 2 }));
});

test('without leave to download, or with blocks that are not there, it says what to do', async () => {
  await using home = await createHome();
  await using store = home.store({
    catalogue: [entryFrom('stories15m', ['https://example.invalid/m.gguf'])],
  });
  await assert.rejects(store.ensureBlocks('stories15m', { from: 0, to: 1 }), { code: 'model_not_installed' });
  await assert.rejects(store.ensureBlocks('stories15m', { from: 5, to: 7 }, download), {
    code: 'gguf_block_range',
    message: /\[5, 7\) in a model of 6 blocks/,
  });
  await assert.rejects(store.ensureBlocks('nobody', { from: 0, to: 1 }), { code: 'model_not_found' });
});

test('the disk is asked for the bytes that are missing, not for the length of the file', async () => {
  await using server = await serve(fileHandler(bytes));
  await using home = await createHome();
  const asked: number[] = [];
  await using store = home.store({
    catalogue: [entryFrom('stories15m', [`${server.url}/m.gguf`])],
    requireSpace: async (_path, needed) => void asked.push(needed),
  });
  await store.ensureBlocks('stories15m', { from: 0, to: 1 }, download);
  await store.ensureBlocks('stories15m', { from: 0, to: 2 }, download);
  assert.deepEqual(asked, [bytesOf(/^\(header\)$|^blk\.0\./), bytesOf(/^blk\.1\./)]);
});

for (const [id, name] of Object.entries(PINNED_MODELS))
  test(`the pinned list of ${id} is that of the model`, async () => {
    const { sha256 } = entryFrom(id).manifest;
    const made = await listOfFile(await testModel(name), sha256);
    assert.equal(pinnedList(sha256)?.root, made.root);
    const file = join(import.meta.dirname, '../../src/models/blocks/pinned', `${id}.ts`);
    assert.equal(await readFile(file, 'utf8'), pinnedFile(id, made));
  });
