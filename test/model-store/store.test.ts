import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdir, mkdtemp, open, readFile, rm, stat, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { createHome, fileHandler, makeModel, manifestFor, PROBE, serve, sha256Of } from './fixtures.ts';

const model = await makeModel(4);
const other = await makeModel(5);

/** A folder with the model as `source.gguf`, and a home. */
async function setUp() {
  const home = await createHome();
  const file = join(home.path, 'source.gguf');
  await writeFile(file, model.bytes);
  return { home, file, [Symbol.asyncDispose]: () => home[Symbol.asyncDispose]() };
}

async function flipByte(path: string, at: number): Promise<void> {
  const file = await open(path, 'r+');
  const { buffer } = await file.read(Buffer.alloc(1), 0, 1, at);
  await file.write(Buffer.from([buffer[0]! ^ 1]), 0, 1, at);
  await file.close();
}

test('an added file is copied, verified once, and not hashed again by the next store', async () => {
  await using setup = await setUp();
  const added = await setup.home.store().add(setup.file, { id: 'mine', licence: 'MIT', name: 'Mine' });
  assert.deepEqual([added.manifest.name, added.manifest.licence, added.builtin], ['Mine', 'MIT', false]);
  assert.deepEqual(await readFile(added.path!), model.bytes);

  const phases: string[] = [];
  const next = setup.home.store();
  const { path, manifest } = await next.ensure('mine', { onProgress: ({ phase }) => phases.push(phase) });
  assert.deepEqual([path, manifest], [added.path, added.manifest]);
  assert.deepEqual(phases, []);
  assert.equal((await next.get('mine')).verifiedAt, added.verifiedAt);
});

test('a file that was touched is hashed again before it is handed out', async () => {
  await using setup = await setUp();
  const { path } = await setup.home.store().add(setup.file, { id: 'mine' });
  await utimes(path!, 1, 1);
  const store = setup.home.store();
  assert.equal((await store.get('mine')).verifiedAt, null);
  const phases: string[] = [];
  await store.ensure('mine', { onProgress: ({ phase }) => phases.push(phase) });
  assert.deepEqual([...new Set(phases)], ['verify']);
  assert.notEqual((await store.get('mine')).verifiedAt, null);
});

test('a corrupted byte is refused by name with the command that helps, and a pull mends it', async () => {
  await using server = await serve(fileHandler(model.bytes));
  await using home = await createHome();
  const store = home.store();
  const { path } = await store.pull(`${server.url}/m.gguf`);
  await flipByte(path!, model.bytes.length - 5);
  for (const attempt of [() => store.ensure('m'), () => store.verify('m')]) {
    await assert.rejects(attempt(), { code: 'model_corrupt', message: /"m".*kith models pull m/ });
  }
  const mended = await store.pull('m');
  assert.equal(sha256Of(await readFile(mended.path!)), model.sha256);
  assert.equal((await store.verify('m')).state, 'ready');
});

test('damage that kept size and modification time is refused at the next load, and found by verify', async () => {
  await using setup = await setUp();
  const store = setup.home.store();
  const { path } = await store.add(setup.file, { id: 'mine' });
  const { atime, mtime } = await stat(path!);
  await flipByte(path!, 5000);
  await utimes(path!, atime, mtime);
  await assert.rejects(store.ensure('mine'), { code: 'model_corrupt' });
  await assert.rejects(store.verify('mine'), { code: 'model_corrupt', message: /kith models rm mine/ });
});

test('a truncated file is refused without being hashed', async () => {
  await using setup = await setUp();
  const store = setup.home.store();
  const { path } = await store.add(setup.file, { id: 'mine' });
  await writeFile(path!, model.bytes.subarray(0, 1000));
  await assert.rejects(store.ensure('mine'), { code: 'model_corrupt', message: /1000 bytes/ });
});

test('a linked file is the same file and is noticed when it changes', async () => {
  await using setup = await setUp();
  const store = setup.home.store();
  const { path } = await store.add(setup.file, { id: 'mine', link: true });
  assert.equal((await stat(path!)).ino, (await stat(setup.file)).ino);
  await flipByte(setup.file, 5000);
  await assert.rejects(store.ensure('mine'), { code: 'model_corrupt' });
  await store.remove('mine');
  assert.equal((await stat(setup.file)).size, model.bytes.length, 'removing leaves the linked file alone');
});

test('an id is taken once', async () => {
  await using setup = await setUp();
  const store = setup.home.store();
  await store.add(setup.file, { id: 'mine' });
  const second = join(setup.home.path, 'second.gguf');
  await writeFile(second, other.bytes);
  await assert.rejects(store.add(second, { id: 'mine' }), { code: 'model_exists', status: 409 });
  await assert.rejects(store.add(second, { id: '../mine' }), { code: 'model_id_invalid' });
});

test('an unknown model is named with what may have been meant', async () => {
  await using home = await createHome();
  const known = {
    manifest: { ...manifestFor(model, ['https://example.invalid/m']), id: 'tinyllama-1.1b-chat' },
    builtin: true,
  };
  const store = home.store({ catalogue: [known] });
  for (const id of ['tinylama-1.1b-chat', 'tinyllama', 'TinyLlama-1.1b-chat']) {
    await assert.rejects(store.get(id), {
      code: 'model_not_found',
      status: 404,
      message: /Did you mean tinyllama-1\.1b-chat/,
    });
  }
  await assert.rejects(store.get('../../etc'), { code: 'model_not_found' });
  await assert.rejects(store.ensure('tinyllama-1.1b-chat'), {
    code: 'model_not_installed',
    message: /kith models pull tinyllama-1\.1b-chat/,
  });
});

test('a catalogue model is available, partial while unfinished, ready when placed, and available again when removed', async () => {
  await using server = await serve((request, response) => {
    const cut = request.headers.range === PROBE ? {} : { cutAfter: (from: number) => (from > 0 ? 0 : 1000) };
    fileHandler(model.bytes, cut)(request, response);
  });
  await using home = await createHome();
  const store = home.store({
    catalogue: [{ manifest: manifestFor(model, [`${server.url}/m`]), builtin: true }],
  });
  const state = async () =>
    (await store.list()).map((entry) => [entry.manifest.id, entry.state, entry.builtin]);
  assert.deepEqual(await state(), [['m', 'available', true]]);
  await assert.rejects(store.pull('m'));
  assert.deepEqual(await state(), [['m', 'partial', true]]);
  server.handle = fileHandler(model.bytes);
  await store.ensure('m', { download: true });
  assert.deepEqual(await state(), [['m', 'ready', true]]);
  assert.deepEqual(await store.remove('m'), { freedBytes: model.bytes.length });
  assert.deepEqual(await state(), [['m', 'available', true]]);
});

test('a damaged manifest hides only its own model, and can be removed', async () => {
  await using setup = await setUp();
  const store = setup.home.store();
  await store.add(setup.file, { id: 'good' });
  await mkdir(join(setup.home.path, 'models/bad'));
  await writeFile(join(setup.home.path, 'models/bad/manifest.json'), '{"schema":1}');
  assert.deepEqual(
    (await store.list()).map((entry) => entry.manifest.id),
    ['good'],
  );
  await assert.rejects(store.get('bad'), { code: 'manifest_invalid' });
  await store.remove('bad');
  await assert.rejects(store.get('bad'), { code: 'model_not_found' });
});

test('show gives the facts of the header and whether there is a graph', async () => {
  await using setup = await setUp();
  const store = setup.home.store({ architectures: ['llama'] });
  await store.add(setup.file, { id: 'mine' });
  const { facts, hasGraph } = await store.show('mine');
  assert.equal(hasGraph, true);
  assert.deepEqual(
    [
      facts?.architecture,
      facts?.blocks,
      facts?.heads,
      facts?.kvHeads,
      facts?.context,
      facts?.tokenizer,
      facts?.hasTemplate,
    ],
    ['llama', 1, 4, 2, 128, 'llama', true],
  );
  assert.equal(facts?.parameters, 600 * 256);
  assert.deepEqual(facts?.mix, [{ type: 'F32', tensors: 1, bytes: 600 * 1024 }]);
});

test('import converts, places and verifies', async () => {
  await using setup = await setUp();
  const store = setup.home.store({
    convert: async ({ input, output, name }) => {
      assert.deepEqual([input, name], [setup.file, 'made']);
      await writeFile(output, model.bytes);
    },
  });
  const entry = await store.import(setup.file, { id: 'made' });
  assert.deepEqual([entry.state, entry.manifest.sha256], ['ready', model.sha256]);
});

test('the models that come with the install are placed from their packages without any network', async () => {
  await using home = await createHome();
  const store = home.store({
    catalogue: undefined,
    packageRoots: undefined,
    registry: 'http://127.0.0.1:9',
  } as object);
  const builtin = (await store.list()).filter((entry) => entry.builtin);
  assert.deepEqual(
    builtin.map((entry) => entry.manifest.id),
    ['all-minilm-l6-v2', 'tinyllama-1.1b-chat'],
  );
  for (const { manifest } of builtin) {
    await store.ensure(manifest.id);
    const { facts, state } = await store.show(manifest.id);
    assert.equal(state, 'ready');
    assert.deepEqual(
      [
        facts?.architecture,
        facts?.task,
        facts?.blocks,
        facts?.embedding,
        facts?.context,
        facts?.quantisation,
      ],
      [
        manifest.family,
        manifest.task,
        manifest.blocks,
        manifest.embedding,
        manifest.context,
        manifest.quantisation,
      ],
    );
  }
});

test('too little space is refused before anything is fetched, and a disk that fills up leaves a part to go on from', async (t) => {
  const disk = await mkdtemp(join(tmpdir(), 'kith-small-disk-'));
  try {
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=400k', 'tmpfs', disk], { stdio: 'ignore' });
  } catch {
    await rm(disk, { recursive: true });
    t.skip('needs the right to mount a small disk');
    return;
  }
  try {
    await using server = await serve(fileHandler(model.bytes));
    await using home = await createHome(disk);
    await assert.rejects(home.store().pull(`${server.url}/m.gguf`), {
      code: 'disk_full',
      status: 507,
      message: /needed at .*free/,
    });
    assert.equal(server.reads.length, 0);

    await assert.rejects(home.store({ requireSpace: async () => {} }).pull(`${server.url}/m.gguf`), {
      code: 'disk_full',
    });
    const part = join(disk, 'models/.partial/m.part');
    const kept = await readFile(part);
    assert.ok(kept.length > 0 && kept.equals(model.bytes.subarray(0, kept.length)));

    execFileSync('mount', ['-o', 'remount,size=4m', disk]);
    const entry = await home.store({ requireSpace: async () => {} }).pull(`${server.url}/m.gguf`);
    assert.equal(server.reads.at(-1)?.from, kept.length);
    assert.equal(entry.manifest.sha256, model.sha256);
  } finally {
    execFileSync('umount', [disk]);
    await rm(disk, { recursive: true });
  }
});
