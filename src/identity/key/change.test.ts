import assert from 'node:assert/strict';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, test } from 'node:test';
import { createSeededRandom } from '../../base/index.ts';
import { type ImportKeyOptions, importKey, protectKey } from './change.ts';
import { keyFilePath } from './folder.ts';
import { writeKeyFile } from './key-file.ts';
import { peerIdOf } from './names.ts';
import { PRIVATE_FORMS, writePrivateKey } from './private-forms.ts';
import { publicKeyOfSeed } from './sign.ts';
import { createKey, requireKey } from './store.ts';

let home: string;
beforeEach(async () => {
  home = await mkdtemp(join(tmpdir(), 'kith-change-'));
});
afterEach(() => rm(home, { recursive: true, force: true }));

const random = createSeededRandom(11);
const seed = random.bytes(32);
const peerId = peerIdOf(publicKeyOfSeed(seed));
const nobody = async () => null;
const bring = (bytes: Uint8Array, options: Partial<ImportKeyOptions> = {}) =>
  importKey(home, bytes, {
    random,
    passphrase: nobody,
    protectWith: null,
    replace: false,
    place: 'a file',
    ...options,
  });

test('a key in any form becomes the key of a home that has none', async () => {
  for (const form of PRIVATE_FORMS) {
    await rm(home, { recursive: true, force: true });
    const imported = await bring(writePrivateKey(seed, form));
    assert.deepEqual(imported, { peerId, isProtected: false, isNew: true, retired: null });
    assert.deepEqual(await (await requireKey(home)).open(nobody), seed);
  }
});

test('the key that is there already is left as it is', async () => {
  await bring(writePrivateKey(seed, 'jwk'));
  const before = await readFile(keyFilePath(home));
  const again = await bring(writePrivateKey(seed, 'pkcs8'), { replace: true });
  assert.deepEqual([again.isNew, again.retired], [false, null]);
  assert.deepEqual(await readFile(keyFilePath(home)), before);
});

test('another key is refused, then replaced where that is said; what was damaged is kept too', async () => {
  await createKey(home, { random, passphrase: null, anew: false });
  const { peerId: former } = await requireKey(home);
  await assert.rejects(bring(writePrivateKey(seed, 'jwk')), { code: 'key_exists', status: 409 });
  assert.equal((await requireKey(home)).peerId, former);

  await writeFile(keyFilePath(home), 'half a ke');
  await assert.rejects(bring(writePrivateKey(seed, 'jwk')), { code: 'key_file_damaged' });
  const { retired } = await bring(writePrivateKey(seed, 'jwk'), { replace: true });
  assert.equal(await readFile(retired!, 'utf8'), 'half a ke');
  assert.equal((await requireKey(home)).peerId, peerId);
});

test('a protected file needs its passphrase and stays under it, byte for byte', async () => {
  const file = await writeKeyFile(seed, 'slow green boats', random);
  await assert.rejects(bring(file), { code: 'passphrase_missing' });
  await assert.rejects(readFile(keyFilePath(home)), { code: 'ENOENT' });
  const imported = await bring(file, { passphrase: async () => 'slow green boats' });
  assert.equal(imported.isProtected, true);
  assert.deepEqual(new Uint8Array(await readFile(keyFilePath(home))), file);
});

test('a passphrase that is taken off or refused leaves one whole file', async () => {
  await bring(writePrivateKey(seed, 'libp2p'), { protectWith: 'slow green boats' });
  const sealed = await readFile(keyFilePath(home));
  const change = (passphrase: string, protectWith: string | null) =>
    protectKey(home, { random, passphrase: async () => passphrase, protectWith });
  await assert.rejects(change('fast green boats', null), { code: 'passphrase_wrong' });
  await assert.rejects(change('slow green boats', 'short'), { code: 'passphrase_invalid' });
  assert.deepEqual(await readFile(keyFilePath(home)), sealed);
  assert.equal(await change('slow green boats', null), peerId);
  assert.deepEqual(await (await requireKey(home)).open(nobody), seed);
});
