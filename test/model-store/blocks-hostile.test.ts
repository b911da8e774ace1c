/** Sources of blocks that lie, change, break and end early: nothing unverified counts, and the next one is tried. */
import assert from 'node:assert/strict';
import { readFile, stat, utimes, writeFile } from 'node:fs/promises';
import type { RequestListener } from 'node:http';
import { join } from 'node:path';
import { test } from 'node:test';
import { isKithError } from '../../src/base/index.ts';
import { bufferSource, pinnedList, readGguf, sliceModel } from '../../src/models/index.ts';
import { testModel } from '../models/index.ts';
import { entryFrom, sameTensors } from './blocks-support.ts';
import { createHome, fileHandler, serve, type TestHome, type TestServer } from './fixtures.ts';

const stories = await testModel('stories15m-f16');
const bytes = await readFile(stories);
const gguf = await readGguf(bufferSource(bytes));
const range = { from: 1, to: 3 };
const victim = sliceModel(gguf, range).tensors[7]!;
const download = { download: true };
const good = fileHandler(bytes);

/** The file with one byte of a tensor of the range changed. */
const damaged = Buffer.from(bytes);
damaged[victim.offset + 5]! ^= 1;

async function openWith(home: TestHome, ...handlers: RequestListener[]) {
  const servers: TestServer[] = [];
  for (const handle of handlers) servers.push(await serve(handle));
  const catalogue = [entryFrom('stories15m', ...servers.map(({ url }) => [`${url}/m.gguf`]))];
  const store = home.store({ catalogue });
  return {
    servers,
    store,
    get: () => store.ensureBlocks('stories15m', range, download),
    async [Symbol.asyncDispose]() {
      for (const server of servers) await server[Symbol.asyncDispose]();
    },
  };
}

const present = async (home: TestHome) =>
  (await home.store({ catalogue: [entryFrom('stories15m')] }).get('stories15m')).blocks;

test('wrong bytes are named with tensor and source, wiped, and the next source brings them', async () => {
  await using home = await createHome();
  await using one = await openWith(home, fileHandler(damaged));
  await assert.rejects(one.get(), (error: unknown) => {
    assert.ok(isKithError(error));
    assert.equal(error.code, 'blocks_unobtainable');
    assert.match(error.message, new RegExp(`wrong bytes for the tensor ${victim.name}`));
    assert.ok(error.message.includes(one.servers[0]!.url));
    assert.ok(isKithError(error.cause) && error.cause.code === 'tensor_corrupt');
    return true;
  });
  const left = await readFile(join(home.path, 'models/stories15m/blocks.gguf'));
  assert.ok(left.subarray(victim.offset, victim.offset + victim.bytes).every((byte) => byte === 0));
  // Block 1 was right; of block 2 nothing counts before it is whole.
  assert.deepEqual((await present(home))?.spans, []);

  await using two = await openWith(home, fileHandler(damaged), good);
  const got = await two.get();
  assert.ok(await sameTensors(stories, got.path, range));
  assert.deepEqual(got.sources, [`${two.servers[1]!.url}/m.gguf`]);
});

test('a server without ranges is read as one stream, and no further than needed', async () => {
  await using home = await createHome();
  let sent = 0;
  const without: RequestListener = (_request, response) => {
    response.writeHead(200, { 'content-length': bytes.length });
    const send = () => {
      while (sent < bytes.length && !response.destroyed) {
        const piece = bytes.subarray(sent, sent + 65_536);
        sent += piece.length;
        if (!response.write(piece)) return void response.once('drain', send);
      }
      response.end();
    };
    send();
  };
  await using one = await openWith(home, without);
  const got = await one.get();
  assert.equal(got.requests, 1);
  assert.ok(await sameTensors(stories, got.path, range));
  const end = sliceModel(gguf, range).tensors.at(-1)!;
  assert.ok(got.fetchedBytes >= end.offset + end.bytes && got.fetchedBytes < end.offset + end.bytes + 1e6);
});

test('a stream that breaks is begun again and still gives every byte once', async () => {
  await using home = await createHome();
  let cuts = 2;
  const cutAfter = () => (cuts-- > 0 ? 3_000_000 : null);
  await using one = await openWith(home, fileHandler(bytes, { ignoreRanges: true, cutAfter }));
  assert.ok(await sameTensors(stories, (await one.get()).path, range));
});

test('a range that breaks off goes on where it was', async () => {
  await using home = await createHome();
  const froms: number[] = [];
  const cutAfter = (from: number) => (froms.push(from) < 5 ? 700_000 : null);
  await using one = await openWith(home, fileHandler(bytes, { cutAfter }));
  const got = await one.get();
  assert.ok(await sameTensors(stories, got.path, range));
  assert.ok(got.requests > 2 && new Set(froms).size === froms.length, froms.join());
});

const shifted: RequestListener = (request, response) => {
  const from = Number(/^bytes=(\d+)-/.exec(request.headers.range ?? '')![1]) + 1;
  response.writeHead(206, { 'content-range': `bytes ${from}-${bytes.length - 1}/${bytes.length}` });
  response.end(bytes.subarray(from));
};
const nothing: RequestListener = (request, response) => {
  const [, from, to] = /^bytes=(\d+)-(\d+)$/.exec(request.headers.range ?? '')!;
  response
    .writeHead(206, { 'content-range': `bytes ${from}-${to}/${bytes.length}`, 'content-length': 0 })
    .end();
};
let turn = 0;
const changing: RequestListener = (request, response) =>
  fileHandler(bytes, { etag: `"${++turn}"` })(request, response);
const endless: RequestListener = (_request, response) => {
  response.writeHead(200, {});
  const more = () => {
    while (!response.destroyed && response.write(Buffer.alloc(65_536, 7)));
    response.once('drain', more);
  };
  more();
};
const cases: readonly (readonly [string, RequestListener, RegExp])[] = [
  ['another range than was asked', shifted, /answered with another range/],
  ['empty answers', nothing, /fewer bytes than it says/],
  ['a file that changes between two requests', changing, /validator is another/],
  ['a file of another length', fileHandler(bytes.subarray(0, 20_000_000)), /has 20000000 bytes instead of/],
  ['a stream of rubbish without an end', endless, /wrong bytes for the model's header/],
  ['no such file', (_request, response) => response.writeHead(404).end(), /does not exist \(HTTP 404\)/],
  ['a server error', (_request, response) => response.writeHead(500).end(), /answered HTTP 500/],
];
for (const [what, handle, said] of cases)
  test(`${what}: the reason is told and the next source is taken`, async () => {
    await using home = await createHome();
    await using one = await openWith(home, handle);
    await assert.rejects(one.get(), { code: 'blocks_unobtainable', message: said });
    await using two = await openWith(home, handle, good);
    assert.ok(await sameTensors(stories, (await two.get()).path, range));
  });

test('a file that was changed behind the back of the store is checked again, and only what is wrong is fetched', async () => {
  await using home = await createHome();
  await using one = await openWith(home, good);
  const { path } = await one.get();
  const content = await readFile(path);
  content[victim.offset]! ^= 255;
  await writeFile(path, content);
  const again = await one.get();
  assert.equal(again.fetchedBytes, victim.bytes);
  assert.ok(await sameTensors(stories, path, range));

  // Changed without a trace in the times that people look at, it is found all the same.
  const { atime, mtime } = await stat(path);
  content[victim.offset]! ^= 255;
  content[victim.offset + 1]! ^= 255;
  await writeFile(path, content);
  await utimes(path, atime, mtime);
  await assert.rejects(one.store.verify('stories15m'), {
    code: 'model_corrupt',
    message: new RegExp(victim.name),
  });
  assert.equal((await one.get()).fetchedBytes, victim.bytes);
});

test('a note that says more than the file has, or that cannot be read, is not believed', async () => {
  await using home = await createHome();
  await using one = await openWith(home, good);
  const { path, fetchedBytes } = await one.get();
  const note = join(home.path, 'models/stories15m/blocks.json');
  const said = JSON.parse(await readFile(note, 'utf8')) as Record<string, unknown>;
  const { length } = pinnedList(String(said.model))!.sections;
  await writeFile(
    note,
    JSON.stringify({ ...said, sections: [[0, length]], file: { inode: '1', modified: '1', changed: '1' } }),
  );
  assert.equal((await one.get()).fetchedBytes, 0);
  assert.ok(await sameTensors(stories, path, range));
  assert.deepEqual((await present(home))?.spans, [range]);
  await writeFile(note, '{"schema":1');
  assert.equal((await one.get()).fetchedBytes, fetchedBytes);
  assert.ok(await sameTensors(stories, path, range));
});
