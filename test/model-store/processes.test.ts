import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFile, stat } from 'node:fs/promises';
import type { RequestListener, ServerResponse } from 'node:http';
import { join } from 'node:path';
import { test } from 'node:test';
import { systemClock } from '../../src/base/index.ts';
import type { Progress } from '../../src/models/index.ts';
import { createHome, fileHandler, makeModel, PROBE, serve } from './fixtures.ts';

const model = await makeModel(3, 4000);
const etag = '"three"';

function startPull(home: string, url: string): ChildProcess {
  const script = join(import.meta.dirname, 'pull-child.ts');
  return spawn(process.execPath, [script, home, url], { stdio: ['ignore', 'pipe', 'inherit'] });
}

/** Sends `count` bytes and then holds the answer open. `held` gives it, once those bytes are on their way. */
function holdAfter(count: number): { handle: RequestListener; held: Promise<ServerResponse> } {
  const { promise: held, resolve } = Promise.withResolvers<ServerResponse>();
  const file = fileHandler(model.bytes, { etag });
  return {
    held,
    handle: (request, response) => {
      if (request.headers.range === PROBE) return file(request, response);
      response.writeHead(200, { 'content-length': model.bytes.length, etag });
      response.write(model.bytes.subarray(0, count), () => resolve(response));
    },
  };
}

async function sizeOf(path: string): Promise<number> {
  return (await stat(path).catch(() => null))?.size ?? 0;
}

test('a download killed with SIGKILL goes on where it was, and the bytes are equal', async () => {
  for (const count of [1_500_000, 3_333_333]) {
    const { handle, held } = holdAfter(count);
    await using server = await serve(handle);
    await using home = await createHome();
    const part = join(home.path, 'models/.partial/m.part');
    const child = startPull(home.path, `${server.url}/m.gguf`);
    await held;
    while ((await sizeOf(part)) < 1_000_000) await new Promise((resolve) => setImmediate(resolve));
    child.kill('SIGKILL');
    await once(child, 'exit');
    const kept = await sizeOf(part);
    assert.ok(kept >= 1_000_000 && kept <= count, String(kept));

    server.handle = fileHandler(model.bytes, { etag });
    const entry = await home.store().pull(`${server.url}/m.gguf`, { id: 'm' });
    assert.equal(server.reads.at(-1)?.from, kept);
    assert.deepEqual(await readFile(entry.path!), model.bytes);
  }
});

test('a second process is told who holds the model, or waits with progress and downloads nothing twice', async () => {
  const { handle, held } = holdAfter(2_000_000);
  await using server = await serve(handle);
  await using home = await createHome();
  const child = startPull(home.path, `${server.url}/m.gguf`);
  const response = await held;
  const store = home.store({ clock: systemClock });
  await assert.rejects(store.pull(`${server.url}/m.gguf`, { id: 'm', wait: false }), {
    code: 'locked',
    status: 409,
    message: new RegExp(`process ${child.pid} \\(pull of m\\)`),
  });

  const seen: Progress[] = [];
  const waiting = Promise.withResolvers<void>();
  const second = store.pull(`${server.url}/m.gguf`, {
    id: 'm',
    onProgress: (progress) => {
      seen.push(progress);
      waiting.resolve();
    },
  });
  await waiting.promise;
  response.end(model.bytes.subarray(2_000_000));
  const [output] = (await once(child.stdout!, 'data')) as [Buffer];
  assert.deepEqual(JSON.parse(output.toString()), { sha256: model.sha256 });
  const entry = await second;
  assert.equal(entry.manifest.sha256, model.sha256);
  assert.equal(seen[0]?.phase, 'download');
  assert.equal(server.reads.length, 1, 'the file was read once for both');
});

test('two calls in one process do the work once', async () => {
  await using server = await serve(fileHandler(model.bytes, { etag }));
  await using home = await createHome();
  const store = home.store();
  const entries = await Promise.all([1, 2, 3].map(() => store.pull(`${server.url}/m.gguf`)));
  assert.deepEqual(new Set(entries.map((entry) => entry.path)).size, 1);
  assert.equal(server.reads.length, 1);
});

test('a call that gives up while it waits does not let the next one in early', async () => {
  const { handle, held } = holdAfter(2_000_000);
  await using server = await serve(handle);
  await using home = await createHome();
  const store = home.store();
  const url = `${server.url}/m.gguf`;
  const first = store.pull(url, { wait: false });
  const response = await held;
  const giveUp = new AbortController();
  const second = assert.rejects(store.pull(url, { wait: false, signal: giveUp.signal }), { code: 'aborted' });
  giveUp.abort();
  await second;
  // Without its turn it would meet the lock of the first, and be refused.
  const third = store.pull(url, { wait: false });
  response.end(model.bytes.subarray(2_000_000));
  assert.equal((await third).manifest.sha256, (await first).manifest.sha256);
  assert.equal(server.reads.length, 1);
});
