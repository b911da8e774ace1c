import assert from 'node:assert/strict';
import { createHash, createHmac, hkdfSync } from 'node:crypto';
import { test } from 'node:test';
import { inspect } from 'node:util';
import { privateKeyFromRaw } from '@libp2p/crypto/keys';
import { fc } from '../../../test/property.ts';
import { fromHex } from '../../base/index.ts';
import type { SigningPurpose } from '../types.ts';
import { createIdentity, mayBind, publicKeyOfSeed, verify, verifyJws, verifyProof } from './sign.ts';

const seed = fromHex('7e0830617c4a7de83925dfb2694556b12936c477a0e1feb2e148ec9da60fee7d');
const me = createIdentity(seed);
const bytes = new TextEncoder().encode('a record');
const purposes: readonly SigningPurpose[] = [
  'announcement',
  'rotation',
  'message',
  'lease',
  'receipt',
  'work-receipt',
  'knowledge-grant',
  'vault-grant',
  'vault-grant-file',
  'vault-head',
  'governance',
  'challenge',
];
/** The same key as libp2p has it. */
const theirs = privateKeyFromRaw(Buffer.concat([seed, me.publicKey]));
const L = 2n ** 252n + 27742317777372353535851937790883648493n;

/** The identity point as R and zero as S: holds for every message under the identity point as key, where that passes. */
const forged = new Uint8Array(64);
forged[0] = 1;

test('the keys of RFC 8032, 7.1 are derived from their seeds', () => {
  for (const [secret, key] of [
    [
      '9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60',
      'd75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a',
    ],
    [
      '4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb',
      '3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c',
    ],
  ])
    assert.deepEqual(publicKeyOfSeed(fromHex(secret!)), fromHex(key!));
});

test('what is signed for a purpose verifies for it and for no other', () => {
  for (const purpose of purposes) {
    const signature = me.sign(purpose, bytes);
    assert.equal(signature.length, 64);
    for (const other of purposes)
      assert.equal(verify(me.publicKey, other, bytes, signature), other === purpose);
  }
});

test('a signature is plain Ed25519 over the prefix, a zero byte and the bytes', () => {
  const message = Buffer.concat([Buffer.from('kith-announcement-v1\0'), bytes]);
  assert.deepEqual(me.sign('announcement', bytes), new Uint8Array(theirs.sign(message) as Uint8Array));
});

test('a changed message, signature or key does not verify', () => {
  fc.assert(
    fc.property(
      fc.uint8Array({ maxLength: 200 }),
      fc.nat(),
      fc.integer({ min: 0, max: 7 }),
      (text, at, bit) => {
        const signature = me.sign('message', text);
        assert.ok(verify(me.publicKey, 'message', text, signature));
        assert.ok(!verify(me.publicKey, 'message', text, flipped(signature, at, bit)));
        assert.ok(!verify(flipped(me.publicKey, at, bit), 'message', text, signature));
        if (text.length > 0) assert.ok(!verify(me.publicKey, 'message', flipped(text, at, bit), signature));
        assert.ok(!verify(me.publicKey, 'message', Uint8Array.of(...text, 0), signature));
      },
    ),
    { numRuns: 60 },
  );
});

test('bytes of a wrong length do not verify, and nothing throws', () => {
  const signature = me.sign('message', bytes);
  for (const length of [0, 1, 31, 33, 63, 65, 128]) {
    const other = new Uint8Array(length).fill(7);
    assert.equal(verify(other, 'message', bytes, signature), false);
    assert.equal(verify(me.publicKey, 'message', bytes, other), false);
  }
});

test('a signature with S of L or more does not verify, though it is the same modulo L', () => {
  const signature = me.sign('message', bytes);
  const s = toNumber(signature.subarray(32));
  for (const moved of [s + L, L, L + 1n, 2n ** 256n - 1n]) {
    const other = Uint8Array.of(...signature.subarray(0, 32), ...toBytes(moved));
    assert.equal(mayBind(me.publicKey, other), false);
    assert.equal(verify(me.publicKey, 'message', bytes, other), false);
  }
  assert.ok(mayBind(me.publicKey, signature));
});

test('the forged signature under each of the low-order keys is refused, as is a low-order R under an honest key', () => {
  for (const hex of [
    '0000000000000000000000000000000000000000000000000000000000000000',
    '0100000000000000000000000000000000000000000000000000000000000000',
    '26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05',
    'c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a',
    'ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f',
    'edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f',
    'eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f',
  ]) {
    for (const sign of [0, 0x80]) {
      const weak = fromHex(hex);
      weak[31]! |= sign;
      const withR = new Uint8Array(64);
      withR.set(weak);
      for (const [key, signature] of [
        [weak, forged],
        [weak, withR],
        [me.publicKey, withR],
      ] as const) {
        assert.equal(mayBind(key, signature), false);
        assert.equal(verify(key, 'message', bytes, signature), false);
        assert.equal(verifyProof(key, new Uint8Array(64), signature), false);
        assert.equal(verifyJws(key, 'eyJhbGciOiJFZDI1NTE5In0.e30', signature), false);
      }
    }
  }
});

test('a signature made with a low-order R is refused, though its equation holds', () => {
  // R = the identity point, S = h·a: the owner of a key can make one for any message, and many verifiers accept it.
  const message = Buffer.concat([Buffer.from('kith-message-v1\0'), bytes]);
  const secret = createHash('sha512').update(seed).digest().subarray(0, 32);
  secret[0]! &= 0xf8;
  secret[31] = (secret[31]! & 0x7f) | 0x40;
  const r = forged.slice(0, 32);
  const h = createHash('sha512').update(r).update(me.publicKey).update(message).digest();
  const signature = Uint8Array.of(...r, ...toBytes((toNumber(h) * toNumber(secret)) % L));
  // Node looks at R itself since 24.19; the check has to be ours on every runtime.
  assert.equal(mayBind(me.publicKey, signature), false);
  assert.equal(verify(me.publicKey, 'message', bytes, signature), false);
});

test('a key that is no point on the curve does not verify, and nothing throws', () => {
  const noPoint = new Uint8Array(32).fill(2);
  assert.equal(verify(noPoint, 'message', bytes, me.sign('message', bytes)), false);
});

test('proofs sign 64 bytes and nothing else', () => {
  const hash = new Uint8Array(64).fill(9);
  const signature = me.signProof(hash);
  assert.ok(verifyProof(me.publicKey, hash, signature));
  assert.deepEqual(signature, new Uint8Array(theirs.sign(hash) as Uint8Array));
  assert.ok(!verifyProof(me.publicKey, hash.slice(1), signature));
  assert.throws(() => me.signProof(new Uint8Array(32)), TypeError);
  assert.throws(() => me.signProof(new Uint8Array(65)), TypeError);
});

test('a JWS signing input is signed, other text is not', () => {
  const input = 'eyJhbGciOiJFZDI1NTE5In0.eyJhIjoxfQ';
  assert.ok(verifyJws(me.publicKey, input, me.signJws(input)));
  assert.ok(!verifyJws(me.publicKey, `${input}A`, me.signJws(input)));
  for (const text of ['', 'a.b', input.replace('.', ''), `${input}.x`, 'kith-message-v1\0a', `${input}\n`])
    assert.throws(() => me.signJws(text), TypeError);
});

test('derived bytes are HKDF-SHA256 of the seed, apart for each use', () => {
  const prk = createHmac('sha256', 'kith-derive-v1').update(seed).digest();
  const first = createHmac('sha256', prk).update('vault/index').update(Uint8Array.of(1)).digest();
  assert.deepEqual(me.derive('vault/index', 32), new Uint8Array(first));
  assert.deepEqual(
    me.derive('vault/index', 100),
    new Uint8Array(hkdfSync('sha256', seed, 'kith-derive-v1', 'vault/index', 100)),
  );
  assert.notDeepEqual(me.derive('vault/index', 32), me.derive('vault/indey', 32));
  for (const [use, length] of [
    ['', 32],
    ['a b', 32],
    ['/x', 32],
    ['x'.repeat(201), 32],
    ['vault', 0],
    ['vault', 8161],
    ['vault', 1.5],
  ] as const)
    assert.throws(() => me.derive(use, length), TypeError);
});

test('nobody changes an identity from outside, and printing it shows no seed', () => {
  const own = Uint8Array.from(seed);
  const mine = createIdentity(own);
  const before = mine.did;
  own.fill(0);
  mine.networkSeed().fill(0);
  mine.publicKey.fill(0);
  assert.deepEqual(mine.networkSeed(), seed);
  assert.equal(mine.did, before);
  assert.ok(verify(mine.publicKey, 'lease', bytes, mine.sign('lease', bytes)));
  const shown = inspect(mine, { depth: 10, showHidden: true }) + JSON.stringify(mine);
  for (const secret of [
    Buffer.from(seed).toString('hex'),
    Buffer.from(seed).toString('base64'),
    [...seed].join(', '),
  ])
    assert.ok(!shown.includes(secret));
});

test('a seed of another length is refused', () => {
  for (const length of [0, 31, 33, 64])
    assert.throws(() => createIdentity(new Uint8Array(length)), { code: 'private_key_invalid' });
});

test('many keys in turn verify, beyond what is kept of them', () => {
  const others = Array.from({ length: 1_030 }, (_, i) => {
    const own = new Uint8Array(32);
    new DataView(own.buffer).setUint32(0, i + 1);
    return createIdentity(own);
  });
  const signed = others.map((each) => each.sign('receipt', bytes));
  for (const [i, each] of [...others.entries(), [0, others[0]!] as const])
    assert.ok(verify(each.publicKey, 'receipt', bytes, signed[i]!), `key ${i}`);
  assert.ok(!verify(others[0]!.publicKey, 'receipt', bytes, signed[1]!));
});

function flipped(source: Uint8Array, at: number, bit: number): Uint8Array {
  const copy = Uint8Array.from(source);
  copy[at % copy.length]! ^= 1 << bit;
  return copy;
}

/** Little-endian, as Ed25519 writes numbers. */
function toNumber(source: Uint8Array): bigint {
  return source.reduceRight((sum, byte) => sum * 256n + BigInt(byte), 0n);
}

function toBytes(value: bigint): Uint8Array {
  return Uint8Array.from({ length: 32 }, (_, i) => Number((value >> BigInt(8 * i)) & 0xffn));
}
