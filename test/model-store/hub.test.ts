import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { test } from 'node:test';
import { testModel } from '../models/index.ts';
import { entryFrom, sameTensors } from './blocks-support.ts';
import { createHome, fileHandler, makeModel, serve, type TestServer } from './fixtures.ts';

const model = await makeModel(8);
const commit = 'c0ffee'.padEnd(40, '0');

/** A hub that redirects files to a storage host, and notes who was shown the token. */
async function hubFor(storage: TestServer, sha256 = model.sha256) {
  const seen: { path: string; authorization: string | undefined }[] = [];
  const server = await serve((request, response) => {
    const path = request.url!;
    seen.push({ path, authorization: request.headers.authorization });
    if (path.startsWith('/o/r/resolve/')) {
      response.writeHead(302, {
        location: `${storage.url}/blob?signature=1`,
        'x-repo-commit': commit,
        'x-linked-etag': `"${sha256}"`,
        'x-linked-size': model.bytes.length,
      });
      response.end();
    } else if (path.startsWith('/api/models/o/r/tree/')) {
      const file = (name: string) => ({ type: 'file', path: name, size: 5 });
      response.end(
        JSON.stringify([
          file('README.md'),
          file('r-Q4_K_M.gguf'),
          file('r-Q8_0.gguf'),
          { type: 'directory', path: 'x' },
        ]),
      );
    } else response.writeHead(404).end();
  });
  return { ...server, seen, [Symbol.asyncDispose]: () => server[Symbol.asyncDispose]() };
}

test('a hub file is pinned to its commit, checked against the announced sha256, and the token stays with the hub', async () => {
  await using storage = await serve(fileHandler(model.bytes));
  await using hub = await hubFor(storage);
  await using home = await createHome();
  const store = home.store({ hubUrl: hub.url, env: { HF_TOKEN: 'hf_secret' } });
  const entry = await store.pull('hf:o/r/dir/Some Model.gguf');
  assert.equal(entry.manifest.id, 'some-model');
  assert.deepEqual(entry.manifest.sources, [{ parts: [`hf:o/r/dir/Some Model.gguf@${commit}`] }]);
  assert.deepEqual(hub.seen, [
    { path: '/o/r/resolve/main/dir/Some%20Model.gguf', authorization: 'Bearer hf_secret' },
    { path: `/o/r/resolve/${commit}/dir/Some%20Model.gguf`, authorization: 'Bearer hf_secret' },
  ]);
  assert.deepEqual(
    storage.reads.map((read) => read.headers.authorization),
    [undefined],
  );
});

test('storage that gives other bytes than the hub announced is refused', async () => {
  await using storage = await serve(fileHandler(model.bytes));
  await using hub = await hubFor(storage, 'a'.repeat(64));
  await using home = await createHome();
  await assert.rejects(home.store({ hubUrl: hub.url }).pull('hf:o/r/m.gguf'), { code: 'source_corrupt' });
});

test('a wanted sha256 other than the announced one is refused before the download', async () => {
  await using storage = await serve(fileHandler(model.bytes));
  await using hub = await hubFor(storage);
  await using home = await createHome();
  const pull = home.store({ hubUrl: hub.url }).pull('hf:o/r/m.gguf', { sha256: 'b'.repeat(64) });
  await assert.rejects(pull, { code: 'source_mismatch' });
  assert.equal(storage.reads.length, 0);
});

test('a repository with several models lists them, and a quantisation picks one', async () => {
  await using storage = await serve(fileHandler(model.bytes));
  await using hub = await hubFor(storage);
  await using home = await createHome();
  const store = home.store({ hubUrl: hub.url });
  await assert.rejects(store.pull('hf:o/r'), {
    code: 'model_ambiguous',
    message: /r-Q4_K_M\.gguf@main\n.*r-Q8_0\.gguf@main/,
  });
  const entry = await store.pull('hf:o/r', { quantisation: 'q4_k_m' });
  assert.deepEqual(entry.manifest.sources, [{ parts: [`hf:o/r/r-Q4_K_M.gguf@${commit}`] }]);
});

test('without a token a forbidden file says what may be missing', async () => {
  await using hub = await serve((_, response) => void response.writeHead(401).end());
  await using home = await createHome();
  await assert.rejects(home.store({ hubUrl: hub.url }).pull('hf:o/r/m.gguf'), {
    code: 'source_forbidden',
    message: /HF_TOKEN/,
  });
});

test('pulling the same branch again finds the model that is there', async () => {
  await using storage = await serve(fileHandler(model.bytes));
  await using hub = await hubFor(storage);
  await using home = await createHome();
  const store = home.store({ hubUrl: hub.url });
  const first = await store.pull('hf:o/r/m.gguf');
  assert.deepEqual(await store.pull('hf:o/r/m.gguf'), first);
  assert.equal(storage.reads.length, 1);
  await assert.rejects(store.pull('hf:o/r/other.gguf', { id: 'm' }), { code: 'model_exists' });
});

test('a bare owner/repo or path is answered with what to write instead', async () => {
  await using home = await createHome();
  const store = home.store();
  await assert.rejects(store.pull('owner/repo'), { code: 'source_uri_invalid', message: /hf:owner\/repo/ });
  await assert.rejects(store.pull('/tmp/m.gguf'), { code: 'source_uri_invalid', message: /kith models add/ });
});

test('blocks of a hub file come by ranges of the commit that the revision is, and the token stays with the hub', async () => {
  const path = await testModel('stories15m-f16');
  await using storage = await serve(fileHandler(await readFile(path)));
  await using hub = await hubFor(storage);
  await using home = await createHome();
  await using store = home.store({
    hubUrl: hub.url,
    env: { HF_TOKEN: 'hf_secret' },
    catalogue: [entryFrom('stories15m', ['hf:o/r/m.gguf'])],
  });
  const got = await store.ensureBlocks('stories15m', { from: 2, to: 4 }, { download: true });
  assert.ok(await sameTensors(path, got.path, { from: 2, to: 4 }));
  assert.equal(got.requests, 2);
  assert.deepEqual(hub.seen, [
    { path: '/o/r/resolve/main/m.gguf', authorization: 'Bearer hf_secret' },
    { path: `/o/r/resolve/${commit}/m.gguf`, authorization: 'Bearer hf_secret' },
  ]);
  assert.deepEqual(
    storage.reads.map(({ headers }) => headers.authorization),
    [undefined, undefined],
  );
});
