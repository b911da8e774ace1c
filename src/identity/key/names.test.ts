import assert from 'node:assert/strict';
import { test } from 'node:test';
import { publicKeyFromProtobuf } from '@libp2p/crypto/keys';
import { peerIdFromPublicKey } from '@libp2p/peer-id';
import { base36 } from 'multiformats/bases/base36';
import { fc } from '../../../test/property.ts';
import { vector } from '../../../test/vectors.ts';
import { fromHex } from '../../base/index.ts';
import { isLowOrder } from './low-order.ts';
import {
  didOf,
  didOfPeerId,
  didOfVerificationMethod,
  didPeerOf,
  peerIdCidOf,
  peerIdOf,
  peerIdOfDid,
  publicKeyOf,
  publicKeyOfDid,
  publicKeyOfPeerId,
  verificationMethodOf,
} from './names.ts';
import { publicKeyOfSeed } from './sign.ts';

/** The key that the libp2p peer-ids specification publishes; names as @libp2p/peer-id has them. */
const published = {
  seed: '7e0830617c4a7de83925dfb2694556b12936c477a0e1feb2e148ec9da60fee7d',
  publicKey: '1ed1e8fae2c4a144b8be8fd4b47bf3d3b34b871c3cacf6010f0e42d474fce27e',
  peerId: '12D3KooWBtg3aaRMjxwedh83aGiUkwSxDwUZkzuJcfaqUmo7R3pq',
  cid: 'bafzaajaiaejcahwr5d5ofrfbis4l5d6uwr57hu5tjodrypfm6yaq6dsc2r2pzyt6',
  didKey: 'did:key:z6MkgXZvRh65tcAdLJTKdEvyqEv7ZBhn9C5BM68jw4cESKtH',
};
const publicKey = fromHex(published.publicKey);
const seeds = fc.uint8Array({ minLength: 32, maxLength: 32 });

test('the key that libp2p publishes has the published names', () => {
  assert.deepEqual(publicKeyOfSeed(fromHex(published.seed)), publicKey);
  assert.equal(peerIdOf(publicKey), published.peerId);
  assert.equal(peerIdCidOf(publicKey), published.cid);
  assert.equal(didOf(publicKey), published.didKey);
  assert.equal(didPeerOf(publicKey), 'did:peer:0z6MkgXZvRh65tcAdLJTKdEvyqEv7ZBhn9C5BM68jw4cESKtH');
  assert.equal(didOfPeerId(published.peerId), published.didKey);
  assert.equal(peerIdOfDid(published.didKey), published.peerId);
});

test('every form of a name is read', () => {
  const key = published.didKey.slice('did:key:'.length);
  const cid36 = base36.encode(Uint8Array.of(1, 0x72, 0, 0x24, 8, 1, 0x12, 0x20, ...publicKey));
  for (const name of [
    published.peerId,
    published.cid,
    cid36,
    published.didKey,
    `did:peer:0${key}`,
    `did:peer:2.V${key}`,
  ])
    assert.deepEqual(publicKeyOf(name), publicKey, name);
});

test('a peer DID of ours is one by the expression of the did:peer method', () => {
  const method =
    /^did:peer:(([0](z)([1-9a-km-zA-HJ-NP-Z]{46,47}))|(2((\.[AEVID](z)([1-9a-km-zA-HJ-NP-Z]{46,47}))+(\.(S)[0-9a-zA-Z=]*)*)))$/;
  assert.match(didPeerOf(publicKey), method);
});

test('what is not exactly a name is refused', () => {
  const { peerId, didKey, cid } = published;
  const key = didKey.slice('did:key:'.length);
  for (const name of [
    '',
    peerId.slice(0, -1),
    `${peerId}1`,
    `1${peerId}`,
    ` ${peerId}`,
    peerId.replace('K', '0'),
    peerId.toLowerCase(),
    cid.toUpperCase(),
    `${cid}a`,
    key,
    `did:key:${key.slice(1)}`,
    `${didKey}#${key}`,
    `did:KEY:${key}`,
    `did:peer:1${key}`,
    `did:peer:2${key}`,
    `did:peer:2.E${key}`,
    `did:peer:2.V${key}.V${key}`,
    `did:peer:${peerId}`,
    // An X25519 key, an Ed25519 key that is short, and a PeerId of an RSA key.
    'did:key:z6LSeu9HkTHSfLLeUs2nnzUSNedgDUevfNQgQjQC23ZCit6F',
    'did:key:z6Mk',
    'QmYyQSo1c1Ym7orWxLYvCrM2EmxFTANf8wXmmE7DWjhx5N',
    'z'.repeat(100_000),
    `did:key:z${'1'.repeat(100_000)}`,
  ])
    assert.throws(() => publicKeyOf(name), { code: 'identity_name_invalid' }, name.slice(0, 80));
});

test('the spare bits of a base 32 name are held to zero', () => {
  // 40 bytes are 64 characters exactly, so the CID has none; its digits past the alphabet still must not pass.
  assert.throws(() => publicKeyOfPeerId(`${published.cid.slice(0, -1)}1`), { code: 'identity_name_invalid' });
});

test('no point of low order has a name', () => {
  for (const hex of lowOrderEncodings()) {
    const weak = fromHex(hex);
    assert.ok(isLowOrder(weak), hex);
    for (const name of [peerIdOf(weak), peerIdCidOf(weak), didOf(weak), didPeerOf(weak)])
      assert.throws(() => publicKeyOf(name), { code: 'public_key_weak' }, name);
  }
  assert.equal(isLowOrder(publicKey), false);
});

test('a key with y of p or more has no name', () => {
  for (let low = 0xed; low <= 0xff; low++) {
    for (const high of [0x7f, 0xff]) {
      const key = new Uint8Array(32).fill(0xff);
      key[0] = low;
      key[31] = high;
      assert.throws(() => publicKeyOf(didOf(key)), { code: 'public_key_weak' });
    }
  }
});

test('names and keys go round, and agree with libp2p', () => {
  fc.assert(
    fc.property(seeds, (seed) => {
      const key = publicKeyOfSeed(seed);
      const theirs = peerIdFromPublicKey(publicKeyFromProtobuf(Uint8Array.of(8, 1, 0x12, 0x20, ...key)));
      assert.equal(peerIdOf(key), theirs.toString());
      assert.equal(peerIdCidOf(key), theirs.toCID().toString());
      assert.deepEqual(publicKeyOfPeerId(peerIdOf(key)), key);
      assert.deepEqual(publicKeyOfPeerId(peerIdCidOf(key)), key);
      assert.deepEqual(publicKeyOfDid(didOf(key)), key);
      assert.deepEqual(publicKeyOfDid(didPeerOf(key)), key);
      assert.equal(peerIdOfDid(didOfPeerId(peerIdOf(key))), peerIdOf(key));
    }),
    { numRuns: 200 },
  );
});

test('a name with one character changed is another key or none, never the same', () => {
  const alphabet = fc.constantFrom(...'123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz0OIl');
  fc.assert(
    fc.property(fc.nat(), alphabet, fc.boolean(), (at, char, did) => {
      const name = did ? published.didKey : published.peerId;
      const changed = name.slice(0, at % name.length) + char + name.slice((at % name.length) + 1);
      fc.pre(changed !== name);
      let key: Uint8Array | null = null;
      try {
        key = publicKeyOf(changed);
      } catch (error) {
        assert.match((error as { code: string }).code, /^(identity_name_invalid|public_key_weak)$/);
      }
      if (key !== null) assert.notDeepEqual(key, publicKey);
    }),
    { numRuns: 500 },
  );
});

test('a verification method is the DID and its own key', () => {
  const method = verificationMethodOf(published.didKey);
  assert.equal(didOfVerificationMethod(method), published.didKey);
  const other = didOf(publicKeyOfSeed(new Uint8Array(32)));
  for (const url of [
    published.didKey,
    `${method}#`,
    `${method}x`,
    `${published.didKey}#${other.slice('did:key:'.length)}`,
    `did:peer:0${method.slice('did:key:'.length)}`,
    '#'.repeat(10_000),
  ])
    assert.throws(() => didOfVerificationMethod(url), { code: 'identity_name_invalid' }, url.slice(0, 99));
});

const didVectors = vector('did-key/ed25519-x25519.json');
test('the vectors of the did:key method hold', { skip: didVectors.skip }, () => {
  const entries = Object.entries(didVectors.json<Record<string, { seed: string }>>());
  assert.equal(entries.length, 5);
  for (const [did, { seed }] of entries) {
    const key = publicKeyOfSeed(fromHex(seed));
    assert.equal(didOf(key), did);
    assert.deepEqual(publicKeyOfDid(did), key);
  }
});

const libp2pVectors = vector('libp2p/ed25519-peer-id.json');
test('the vectors of libp2p hold', { skip: libp2pVectors.skip }, () => {
  const { derived } = libp2pVectors.json<{ derived: Record<string, string> }>();
  const key = publicKeyOfSeed(fromHex(derived.seedHex!));
  assert.deepEqual(key, fromHex(derived.publicKeyHex!));
  assert.equal(peerIdOf(key), derived.peerId);
  assert.equal(peerIdCidOf(key), derived.peerIdCid);
  for (const name of [derived.didKey!, derived.didPeer0!, derived.didPeer2!])
    assert.deepEqual(publicKeyOf(name), key);
});

const smallOrder = vector('ed25519-small-order.json');
test('the list of low-order encodings is the known one', { skip: smallOrder.skip }, () => {
  const { encodingsHex } = smallOrder.json<{ encodingsHex: string[] }>();
  const signed = encodingsHex.flatMap((hex) => [hex, withSign(hex)]);
  assert.deepEqual(lowOrderEncodings().toSorted(), signed.toSorted());
});

/** y = 0, 1, p - 1, p, p + 1 and the two of order 8, each with both sign bits. */
function lowOrderEncodings(): string[] {
  const p = 2n ** 255n - 19n;
  const order8 = 0x7a03ac9277fdc74ec6cc392cfa53202a0f67100d760b3cba4fd84d3d706a17c7n;
  const list = [0n, 1n, p - 1n, p, p + 1n, order8, p - order8].map((y) =>
    Buffer.from(y.toString(16).padStart(64, '0'), 'hex').reverse().toString('hex'),
  );
  return list.flatMap((hex) => [hex, withSign(hex)]);
}

function withSign(hex: string): string {
  return hex.slice(0, -2) + (Number.parseInt(hex.slice(-2), 16) | 0x80).toString(16);
}
