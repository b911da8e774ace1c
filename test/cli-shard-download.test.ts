/** `kith shard download` and `kith models tensors`, as a user runs them. */
import assert from 'node:assert/strict';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { createModelStore, readListFile, writeListFile } from '../src/models/index.ts';
import { kith as run, stopAll } from './cli-support.ts';
import { sameTensors, serveFiles } from './model-store/blocks-support.ts';
import { testModel } from './models/index.ts';

after(stopAll);

test('the owner of a model gives its list away, and with it another node gets some blocks and knows what it has', async () => {
  const file = await testModel('stories15m-q8_0');
  const root = await mkdtemp(join(tmpdir(), 'kith-download-'));
  await using _root = { [Symbol.asyncDispose]: () => rm(root, { recursive: true, force: true }) };
  const [theirs, mine] = [join(root, 'theirs'), join(root, 'mine')];
  {
    await using store = createModelStore({ home: theirs, env: {} });
    await store.add(file, { id: 'unheard', link: true });
  }
  const path = join(root, 'unheard.tensors.json');
  const wrote = await run(['models', 'tensors', 'unheard', '--out', path, '--home', theirs]);
  assert.equal(wrote.code, 0, wrote.err);
  assert.match(wrote.out, /^Wrote the \d+ tensors of unheard to .*; the list's name is [0-9a-f]{64}\n$/);

  // Where the bytes are, the owner says: here a server.
  await using server = await serveFiles([file]);
  const made = readListFile(await readFile(path, 'utf8'), path);
  assert.deepEqual(made.manifest.sources, []);
  const manifest = { ...made.manifest, sources: [{ parts: [`${server.url}/0`] }] };
  await writeFile(path, writeListFile({ ...made, manifest }));

  const unknown = await run(['shard', 'download', 'unheard', '--blocks', '2', '--home', mine]);
  assert.equal(unknown.code, 1);
  assert.match(unknown.err, /There is no model "unheard"/);
  const all = ['shard', 'download', 'unheard', '--home', mine];
  const got = await run([...all, '--start-block', '2', '--blocks', '2', '--list', path]);
  assert.equal(got.code, 0, got.err);
  assert.match(got.out, /^unheard: blocks 2 to 3 of 6 blocks are here, in .*blocks\.gguf\n/);
  assert.match(got.out, /Fetched .* of 16\.9 MB in 2 requests from http:\/\/127\.0\.0\.1:\d+\/0\n$/);
  // Known from now on, with its list.
  const ends = await run([...all, '--ends', '--json']);
  const told = JSON.parse(ends.out) as { fetched_bytes: number; from: number; to: number; path: string };
  assert.ok(told.fetched_bytes > 0);
  assert.deepEqual([told.from, told.to], [0, 0]);
  assert.ok(await sameTensors(file, told.path, { from: 2, to: 4, embedding: true, head: true }));
  assert.match((await run([...all, '--start-block', '3', '--blocks', '1'])).out, /Nothing had to be fetched/);

  const shown = await run(['models', 'show', 'unheard', '--home', mine]);
  assert.match(shown.out, /state +blocks\n +here +blocks 2 to 3, embedding, head \(/);
  assert.match((await run(['models', 'list', '--home', mine])).out, /unheard .* blocks\n/);
  assert.match((await run(['models', 'verify', 'unheard', '--home', mine])).out, /^ok +unheard/);

  const nothing = await run(all);
  assert.equal(nothing.code, 2);
  const beyond = await run([...all, '--start-block', '5', '--blocks', '3']);
  assert.match(beyond.err, /no blocks \[5, 8\) in a model of 6 blocks/);
  await writeFile(path, '{}');
  assert.match((await run([...all, '--ends', '--list', path])).err, /kith models tensors MODEL --out FILE/);
});
