import assert from 'node:assert/strict';
import { readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import type { Progress } from '../../src/models/index.ts';
import { fc } from '../property.ts';
import {
  createEagerClock,
  createHome,
  createManualClock,
  fileHandler,
  makeModel,
  manifestFor,
  PROBE,
  serve,
} from './fixtures.ts';

const model = await makeModel(1);
const other = await makeModel(2);

test('a pulled file is the file that was served, and its manifest says what its header says', async () => {
  await using server = await serve(fileHandler(model.bytes));
  await using home = await createHome();
  const phases: Progress[] = [];
  const entry = await home
    .store()
    .pull(`${server.url}/Tiny.Model.gguf?x=1`, { onProgress: (one) => phases.push(one) });
  assert.equal(entry.manifest.id, 'tiny.model');
  assert.equal(entry.state, 'ready');
  assert.equal(entry.manifest.sha256, model.sha256);
  assert.equal(entry.manifest.bytes, model.bytes.length);
  assert.deepEqual(
    [
      entry.manifest.family,
      entry.manifest.task,
      entry.manifest.quantisation,
      entry.manifest.context,
      entry.manifest.blocks,
    ],
    ['llama', 'chat', 'F32', 128, 1],
  );
  assert.equal(entry.manifest.licence, 'MIT');
  assert.deepEqual(await readFile(entry.path!), model.bytes);
  assert.equal(phases.at(-1)?.phase, 'verify');
  assert.equal(phases.filter((one) => one.phase === 'download').at(-1)?.doneBytes, model.bytes.length);
});

test('connections cut at any byte do not change the result, with and without ranges', async () => {
  await using server = await serve(() => {});
  const cuts = fc.array(fc.nat(model.bytes.length), { minLength: 1, maxLength: 5 });
  await fc.assert(
    fc.asyncProperty(cuts, fc.boolean(), async (points, ignoreRanges) => {
      await using home = await createHome();
      const left = [...points];
      server.handle = fileHandler(model.bytes, { ignoreRanges, cutAfter: () => left.shift() ?? null });
      const entry = await home.store({ attempts: 10 }).pull(`${server.url}/m.gguf`);
      assert.equal(entry.manifest.sha256, model.sha256);
    }),
    { numRuns: 12 },
  );
});

test('a server with ranges is asked only for what is missing', async () => {
  let cut = true;
  const cutAfter = () => (cut ? 200_000 : null);
  await using server = await serve(
    fileHandler(model.bytes, {
      cutAfter: () => {
        const at = cutAfter();
        cut = false;
        return at;
      },
    }),
  );
  await using home = await createHome();
  await home.store().pull(`${server.url}/m.gguf`);
  assert.deepEqual(
    server.reads.map((read) => read.from),
    [0, 200_000],
  );
});

test('a file that ends before its stated length is given up after the stated tries, and the part is kept', async () => {
  await using server = await serve(
    fileHandler(model.bytes, { cutAfter: (from) => Math.max(0, 100_000 - from) }),
  );
  await using home = await createHome();
  await assert.rejects(home.store().pull(`${server.url}/m.gguf`), { code: 'source_unreachable' });
  assert.equal((await stat(join(home.path, 'models/.partial/m.part'))).size, 100_000);
  assert.deepEqual(
    server.reads.map((read) => read.from),
    [0, 100_000, 100_000, 100_000],
  );

  server.handle = fileHandler(model.bytes);
  const entry = await home.store().pull(`${server.url}/m.gguf`);
  assert.equal(entry.manifest.sha256, model.sha256);
  assert.equal(server.reads.at(-1)?.from, 100_000, 'the second pull goes on where the first ended');
});

test('when the file changed between two tries, the old beginning is thrown away', async () => {
  for (const ignoreRanges of [false, true]) {
    await using server = await serve(
      fileHandler(model.bytes, { cutAfter: (from) => (from > 0 ? 0 : 300_000) }),
    );
    await using home = await createHome();
    await assert.rejects(home.store().pull(`${server.url}/m.gguf`), { code: 'source_unreachable' });
    server.handle = fileHandler(other.bytes, { ignoreRanges });
    const entry = await home.store().pull(`${server.url}/m.gguf`);
    assert.equal(entry.manifest.sha256, other.sha256);
  }
});

test('a file that changes while it is read is read again from the start', async () => {
  await using server = await serve(() => {});
  const first = fileHandler(model.bytes, { cutAfter: () => 300_000 });
  let reads = 0;
  server.handle = (request, response) => {
    const probe = request.headers.range === PROBE;
    (reads === 0 ? first : fileHandler(other.bytes))(request, response);
    if (!probe) reads += 1;
  };
  await using home = await createHome();
  const entry = await home.store().pull(`${server.url}/m.gguf`);
  assert.equal(entry.manifest.sha256, other.sha256);
});

test('without a validator a part is not trusted, unless the sha256 is known', async () => {
  const cutAfter = (from: number) => (from > 0 ? 0 : 300_000);
  for (const [sha256, from] of [
    [undefined, 0],
    [model.sha256, 300_000],
  ] as const) {
    await using server = await serve(fileHandler(model.bytes, { etag: null, cutAfter }));
    await using home = await createHome();
    const options = sha256 === undefined ? {} : { sha256 };
    await assert.rejects(home.store({ attempts: 2 }).pull(`${server.url}/m.gguf`, options));
    server.handle = fileHandler(model.bytes, { etag: null });
    const before = server.reads.length;
    const entry = await home.store().pull(`${server.url}/m.gguf`, options);
    assert.equal(entry.manifest.sha256, model.sha256);
    assert.equal(server.reads[before]?.from, from);
  }
});

test('a busy server is asked again after the time it names', async () => {
  const clock = createEagerClock();
  const waits = ['7', new Date(clock.now() + 20_000).toUTCString()];
  const file = fileHandler(model.bytes);
  await using server = await serve((request, response) => {
    const wait = waits.shift();
    if (wait === undefined) file(request, response);
    else response.writeHead(503, { 'retry-after': wait }).end();
  });
  await using home = await createHome();
  await home.store({ clock }).pull(`${server.url}/m.gguf`);
  assert.ok(clock.slept[0]! >= 7000, String(clock.slept));
  assert.ok(clock.slept[1]! >= 12_000 && clock.slept[1]! <= 14_000, String(clock.slept));
});

test('a server that wants more than five minutes is not waited for', async () => {
  await using server = await serve(
    (_, response) => void response.writeHead(429, { 'retry-after': '3600' }).end(),
  );
  await using home = await createHome();
  await assert.rejects(home.store().pull(`${server.url}/m.gguf`), {
    code: 'source_refused',
    status: 429,
    retryAfter: 3600,
  });
});

test('redirects are followed, circles and endless chains are refused', async () => {
  const file = fileHandler(model.bytes);
  await using server = await serve((request, response) => {
    const hop = /^\/(hop|chain)\/(\d+)/.exec(request.url ?? '');
    if (request.url === '/circle') response.writeHead(302, { location: '/circle' }).end();
    else if (request.url === '/local') response.writeHead(302, { location: 'file:///etc/passwd' }).end();
    else if (hop !== null && hop[2] !== '0') {
      const next = hop[1] === 'hop' ? Number(hop[2]) - 1 : Number(hop[2]) + 1;
      response.writeHead(307, { location: `../${hop[1]}/${next}` }).end();
    } else file(request, response);
  });
  await using home = await createHome();
  const store = home.store();
  assert.equal((await store.pull(`${server.url}/hop/3`, { id: 'm' })).manifest.sha256, model.sha256);
  for (const path of ['/circle', '/chain/1', '/local']) {
    await assert.rejects(store.pull(server.url + path, { id: 'x' }), { code: 'source_redirects' }, path);
  }
});

test('a missing or forbidden file fails at once, without a second try', async () => {
  for (const [status, code] of [
    [404, 'source_not_found'],
    [403, 'source_forbidden'],
    [401, 'source_forbidden'],
  ] as const) {
    let asked = 0;
    await using server = await serve((_, response) => {
      asked += 1;
      response.writeHead(status).end();
    });
    await using home = await createHome();
    await assert.rejects(home.store().pull(`${server.url}/m.gguf`), { code });
    assert.equal(asked, 1);
  }
});

test('a server that never answers is given up after the connect time', async () => {
  const clock = createManualClock();
  await using server = await serve(() => {});
  await using home = await createHome();
  const pulling = home.store({ clock, attempts: 1, connectTimeoutMs: 5000 }).pull(`${server.url}/m.gguf`);
  let failed = false;
  const outcome = assert
    .rejects(pulling, { code: 'source_unreachable', message: /within 5000 ms/ })
    .finally(() => {
      failed = true;
    });
  while (!failed) {
    await clock.advance(1000);
    await new Promise((resolve) => setImmediate(resolve));
  }
  await outcome;
});

test('a body that stands still is dropped after the idle time and taken up again', async () => {
  const clock = createManualClock();
  const stalled = Promise.withResolvers<void>();
  const dropped = Promise.withResolvers<void>();
  const file = fileHandler(model.bytes, { etag: '"still"' });
  let stall = true;
  await using server = await serve((request, response) => {
    if (!stall || request.headers.range === PROBE) return file(request, response);
    stall = false;
    response.writeHead(200, { 'content-length': model.bytes.length, etag: '"still"' });
    response.write(model.bytes.subarray(0, 1000), () => stalled.resolve());
    response.on('close', () => dropped.resolve());
  });
  await using home = await createHome();
  const pulling = home
    .store({ clock, idleTimeoutMs: 60_000, connectTimeoutMs: 1e12 })
    .pull(`${server.url}/m.gguf`);
  await stalled.promise;
  let open = true;
  void dropped.promise.then(() => {
    open = false;
  });
  while (open) {
    await clock.advance(10_000);
    await new Promise((resolve) => setImmediate(resolve));
  }
  while (server.reads.length < 2) {
    await clock.advance(100);
    await new Promise((resolve) => setImmediate(resolve));
  }
  assert.equal((await pulling).manifest.sha256, model.sha256);
  assert.deepEqual(
    server.reads.map((read) => read.from),
    [0, 1000],
  );
});

test('a stream without length that goes on past the expected bytes is refused', async () => {
  await using server = await serve((_, response) => {
    response.writeHead(200, { etag: '"a"' });
    response.write(model.bytes);
    response.end('and more');
  });
  await using home = await createHome();
  const known = manifestFor(model, [`${server.url}/m.gguf`]);
  const store = home.store({ catalogue: [{ manifest: known, builtin: false }] });
  await assert.rejects(store.pull('m'), { code: 'source_mismatch', message: /goes on after/ });
});

test('a source that announces another size than the manifest is refused before it is read', async () => {
  await using server = await serve(fileHandler(Buffer.concat([model.bytes, Buffer.from('x')])));
  await using home = await createHome();
  const known = manifestFor(model, [`${server.url}/m.gguf`]);
  const store = home.store({ catalogue: [{ manifest: known, builtin: false }] });
  await assert.rejects(store.pull('m'), { code: 'source_mismatch' });
  assert.equal(server.reads.length, 0);
});

test('when one source of a model fails, the next is used', async () => {
  await using bad = await serve((_, response) => void response.writeHead(404).end());
  await using corrupt = await serve(fileHandler(Buffer.from(model.bytes).fill(0, 5000, 5004)));
  await using good = await serve(fileHandler(model.bytes));
  await using home = await createHome();
  const known = manifestFor(model, [`${bad.url}/m`], [`${corrupt.url}/m`], [`${good.url}/m`]);
  const store = home.store({ catalogue: [{ manifest: known, builtin: false }] });
  assert.equal((await store.pull('m')).state, 'ready');
  good.handle = bad.handle;
  await store.remove('m');
  await assert.rejects(store.pull('m'), { code: 'model_unobtainable', message: /404.*sha256/ });
});

test('bytes with another sha256 are refused and deleted', async () => {
  await using server = await serve(fileHandler(other.bytes));
  await using home = await createHome();
  const pull = home.store().pull(`${server.url}/m.gguf`, { sha256: model.sha256 });
  await assert.rejects(pull, { code: 'source_corrupt', message: new RegExp(other.sha256) });
  await assert.rejects(stat(join(home.path, 'models/.partial/m.part')), { code: 'ENOENT' });
  assert.deepEqual(await home.store().list(), []);
});

test('what is no GGUF is refused by its header and leaves nothing behind', async () => {
  await using server = await serve(fileHandler(Buffer.from('<!doctype html><title>Sign in</title>')));
  await using home = await createHome();
  await assert.rejects(home.store().pull(`${server.url}/m.gguf`), { name: 'InputError', code: /^gguf_/ });
  await assert.rejects(stat(join(home.path, 'models/.partial/m.part')), { code: 'ENOENT' });
});

test('an aborted pull ends with the abort and goes on later', async () => {
  const controller = new AbortController();
  await using server = await serve((request, response) => {
    if (request.headers.range === PROBE) return fileHandler(model.bytes)(request, response);
    response.writeHead(200, { 'content-length': model.bytes.length, etag: `"${model.sha256.slice(0, 16)}"` });
    response.write(model.bytes.subarray(0, 400_000), () => controller.abort());
  });
  await using home = await createHome();
  await assert.rejects(home.store().pull(`${server.url}/m.gguf`, { signal: controller.signal }), {
    code: 'aborted',
  });
  server.handle = fileHandler(model.bytes);
  assert.equal((await home.store().pull(`${server.url}/m.gguf`)).manifest.sha256, model.sha256);
});

test('a file in several parts goes on inside the part that was cut', async () => {
  const cut = [200_000, 400_000];
  const parts = [
    model.bytes.subarray(0, cut[0]),
    model.bytes.subarray(cut[0], cut[1]),
    model.bytes.subarray(cut[1]),
  ];
  await using server = await serve(() => {});
  const handler =
    (broken: boolean): typeof server.handle =>
    (request, response) => {
      const index = Number(request.url!.slice(1));
      fileHandler(
        parts[index]!,
        broken && index === 1 ? { cutAfter: (from) => Math.max(0, 50_000 - from) } : {},
      )(request, response);
    };
  server.handle = handler(true);
  await using home = await createHome();
  const uris = [0, 1, 2].map((index) => `${server.url}/${index}`);
  await assert.rejects(home.store().pull(uris, { id: 'm' }), { code: 'source_unreachable' });
  server.handle = handler(false);
  const before = server.reads.length;
  const entry = await home.store().pull(uris, { id: 'm' });
  assert.equal(entry.manifest.sha256, model.sha256);
  assert.deepEqual(
    server.reads.slice(before).map((read) => [read.path, read.from]),
    [
      ['/1', 50_000],
      ['/2', 0],
    ],
  );
  assert.deepEqual(entry.manifest.sources, [{ parts: uris }]);
});

test('closing the store ends a running pull', async () => {
  await using server = await serve((request, response) => {
    if (request.headers.range === PROBE) fileHandler(model.bytes)(request, response);
  });
  await using home = await createHome();
  const store = home.store();
  const pull = store.pull(`${server.url}/m.gguf`);
  const failed = assert.rejects(pull, { code: 'aborted' });
  while (server.reads.length === 0) await new Promise((resolve) => setImmediate(resolve));
  await store[Symbol.asyncDispose]();
  await failed;
  await assert.rejects(store.pull(`${server.url}/m.gguf`), { code: 'store_closed' });
});
