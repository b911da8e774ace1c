import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createSeededRandom } from '../../base/index.ts';
import { createIdentity } from '../../identity/index.ts';
import { type Head, isSignedHead, openHead, openPage, sealHead, sealPage } from '../seal/manifest.ts';
import { openWithNonce, sealWithNonce } from '../seal/record.ts';
import { type CollectionKeys, KEY_USES, readingKeys, ringOf, rootOf } from './keys.ts';

const random = createSeededRandom(21);
const root = rootOf(random.bytes(32));
const own = root.keysOf('books', 3);
const given = readingKeys(own);
const ring = ringOf(given);
const head: Omit<Head, 'epoch'> = {
  ...({ number: 7, mode: 'sealed', objects: 0 } as const),
  ...{ pages: ['ab'.repeat(32)], everywhere: [], info: { kb: 'books' } },
};

test('who may read opens heads and pages of one epoch of one collection, and nothing else', () => {
  const bytes = sealHead(own, head, random);
  assert.deepEqual(
    openHead((epoch) => ring.keysOf('books', epoch), bytes),
    { ...head, epoch: 3 },
  );
  const page = sealPage(own, 0, [], random);
  assert.deepEqual(openPage(ring.keysOf('books', 3), 0, page.block), []);
  for (const [collection, epoch] of [
    ['books', 2],
    ['books', 4],
    ['other', 3],
  ] as const)
    assert.throws(() => ring.keysOf(collection, epoch), { code: 'vault_grant_keys' });
  assert.throws(() => ring.keysOf('books', 3).key('manifest'), { code: 'vault_grant_keys' });
  assert.ok(Object.keys(given.keys).every((use) => KEY_USES.includes(use as never)));
});

test('who may read makes no head that the owner or another reader takes', () => {
  const reader = ring.keysOf('books', 3);
  assert.throws(() => sealHead(reader, head, random), { code: 'vault_read_only' });
  const stranger = createIdentity(random.bytes(32));
  const forger: CollectionKeys = {
    ...{ collection: 'books', epoch: 3, key: (use) => reader.key(use), writer: stranger.publicKey },
    signHead: (bytes) => stranger.sign('vault-head', bytes),
  };
  const forged = sealHead(forger, { ...head, number: 8 }, random);
  for (const keysOf of [(epoch: number) => root.keysOf('books', epoch), () => reader])
    assert.throws(() => openHead(keysOf, forged), { code: 'vault_damaged' });
  // Nor one without a signature: what such a one was sealed under nobody is given.
  const old = forged.slice(0, -64);
  old[0] = 1;
  assert.throws(() => openHead((epoch) => root.keysOf('books', epoch), old), { code: 'vault_damaged' });
});

test('a head of the former version is read by its owner alone', () => {
  const bytes = sealHead(own, head, random);
  const prefix = Uint8Array.from(bytes.subarray(0, 13));
  const aad = (version: number) => {
    const first = Uint8Array.from(prefix);
    first[0] = version;
    return Buffer.concat([first, Buffer.from('kith-head-v1\0books\0')]);
  };
  const plain = openWithNonce(own.key('head'), aad(2), bytes.subarray(13, -64), 'the head');
  const old = Buffer.concat([
    aad(1).subarray(0, 13),
    sealWithNonce(own.key('manifest'), aad(1), plain, random),
  ]);
  assert.deepEqual(
    openHead((epoch) => root.keysOf('books', epoch), old),
    { ...head, epoch: 3 },
  );
  assert.deepEqual([isSignedHead(bytes), isSignedHead(old)], [true, false]);
  assert.throws(() => openHead((epoch) => ring.keysOf('books', epoch), old), { code: 'vault_grant_keys' });
});
