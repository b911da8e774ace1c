import assert from 'node:assert/strict';
import { createPrivateKey } from 'node:crypto';
import { test } from 'node:test';
import { privateKeyFromProtobuf, privateKeyToProtobuf } from '@libp2p/crypto/keys';
import { exportJWK, importJWK, importPKCS8 } from 'jose';
import { fc } from '../../../test/property.ts';
import { vector } from '../../../test/vectors.ts';
import { fromHex, toHex } from '../../base/index.ts';
import { PRIVATE_FORMS, readPrivateKey, writePrivateKey } from './private-forms.ts';
import { publicKeyOfSeed } from './sign.ts';

const seed = fromHex('7e0830617c4a7de83925dfb2694556b12936c477a0e1feb2e148ec9da60fee7d');
const publicKey = publicKeyOfSeed(seed);
const other = publicKeyOfSeed(new Uint8Array(32));
const seeds = fc.uint8Array({ minLength: 32, maxLength: 32 });
const bytesOf = (text: string) => new TextEncoder().encode(text);
const jwk = (change: object = {}) =>
  bytesOf(JSON.stringify({ ...JSON.parse(Buffer.from(writePrivateKey(seed, 'jwk')).toString()), ...change }));
const secondVersion = (key: Uint8Array) =>
  Uint8Array.of(...fromHex('3051020101300506032b657004220420'), ...seed, ...fromHex('812100'), ...key);
const pem = (der: Uint8Array) =>
  `-----BEGIN PRIVATE KEY-----\n${Buffer.from(der).toString('base64')}\n-----END PRIVATE KEY-----\n`;

test('the private key that libp2p publishes is read and written', () => {
  const hex = `08011240${toHex(seed)}1ed1e8fae2c4a144b8be8fd4b47bf3d3b34b871c3cacf6010f0e42d474fce27e`;
  assert.deepEqual(readPrivateKey(fromHex(hex)), { seed, form: 'libp2p' });
  assert.equal(toHex(writePrivateKey(seed, 'libp2p')), hex);
});

const libp2p = vector('libp2p/ed25519-peer-id.json');
test('the private key of the libp2p vectors is read and written', { skip: libp2p.skip }, () => {
  const vectors = libp2p.json<{ privateKeyProtobufHex: string; derived: { seedHex: string } }>();
  const read = readPrivateKey(fromHex(vectors.privateKeyProtobufHex)).seed;
  assert.equal(toHex(read), vectors.derived.seedHex);
  assert.equal(toHex(writePrivateKey(read, 'libp2p')), vectors.privateKeyProtobufHex);
});

test('every form goes round', () => {
  fc.assert(
    fc.property(seeds, fc.constantFrom(...PRIVATE_FORMS), (own, form) => {
      assert.deepEqual(readPrivateKey(writePrivateKey(own, form)), { seed: own, form });
    }),
    { numRuns: 100 },
  );
});

test('other programs read what is written, and what they write is read', async () => {
  const theirs = privateKeyFromProtobuf(writePrivateKey(seed, 'libp2p'));
  assert.deepEqual(new Uint8Array(theirs.publicKey.raw), publicKey);
  assert.deepEqual(readPrivateKey(privateKeyToProtobuf(theirs)).seed, seed);

  const pkcs8 = Buffer.from(writePrivateKey(seed, 'pkcs8')).toString();
  const key = createPrivateKey(pkcs8);
  assert.deepEqual(readPrivateKey(key.export({ format: 'der', type: 'pkcs8' })).seed, seed);
  assert.deepEqual(
    readPrivateKey(bytesOf(key.export({ format: 'pem', type: 'pkcs8' }) as string)).seed,
    seed,
  );
  assert.equal((await importPKCS8(pkcs8, 'Ed25519')).type, 'private');

  const written = JSON.parse(Buffer.from(writePrivateKey(seed, 'jwk')).toString());
  const imported = await importJWK({ ...written, ext: true }, 'Ed25519', { extractable: true });
  assert.deepEqual(readPrivateKey(bytesOf(JSON.stringify(await exportJWK(imported)))).seed, seed);
});

test('older and longer forms are read: libp2p with the public key twice, PKCS#8 version 2, base64, CRLF', () => {
  const old = Uint8Array.of(8, 1, 0x12, 0x60, ...seed, ...publicKey, ...publicKey);
  const base64 = Buffer.from(writePrivateKey(seed, 'libp2p')).toString('base64');
  for (const bytes of [
    old,
    secondVersion(publicKey),
    bytesOf(pem(secondVersion(publicKey))),
    bytesOf(`${base64}\n`),
    bytesOf(Buffer.from(writePrivateKey(seed, 'pkcs8')).toString().replaceAll('\n', '\r\n')),
    jwk({ alg: 'EdDSA', use: 'sig', kid: 'x', key_ops: ['sign'] }),
  ])
    assert.deepEqual(readPrivateKey(bytes).seed, seed);
});

test('a key whose public half belongs to another seed is refused in every form that has one', () => {
  for (const bytes of [
    Uint8Array.of(8, 1, 0x12, 0x40, ...seed, ...other),
    Uint8Array.of(8, 1, 0x12, 0x60, ...seed, ...publicKey, ...other),
    Uint8Array.of(8, 1, 0x12, 0x60, ...seed, ...other, ...publicKey),
    secondVersion(other),
    jwk({ x: Buffer.from(other).toString('base64url') }),
  ])
    assert.throws(() => readPrivateKey(bytes), { code: 'private_key_mismatch' });
});

test('what is no such key is refused, and the error shows nothing of it', () => {
  const secret = Buffer.from(seed).toString('base64url');
  const cases: Uint8Array[] = [
    new Uint8Array(),
    seed,
    Uint8Array.of(8, 1, 0x12, 0x40, ...seed),
    Uint8Array.of(8, 1, 0x12, 0x40, ...seed, ...publicKey, 0),
    // Type RSA and type Secp256k1.
    Uint8Array.of(8, 0, 0x12, 0x40, ...seed, ...publicKey),
    Uint8Array.of(8, 2, 0x12, 0x40, ...seed, ...publicKey),
    secondVersion(publicKey).slice(0, 60),
    bytesOf(`{"kty":"OKP","crv":"Ed25519","d":"${secret}`),
    bytesOf(`[${secret}]`),
    bytesOf('CAES****'),
    bytesOf(`CAES${secret}`),
    bytesOf('-----BEGIN ENCRYPTED PRIVATE KEY-----\nAAAA\n-----END ENCRYPTED PRIVATE KEY-----\n'),
    bytesOf('-----BEGIN EC PRIVATE KEY-----\nAAAA\n-----END EC PRIVATE KEY-----\n'),
    bytesOf(pem(writePrivateKey(seed, 'libp2p'))),
    bytesOf(Buffer.from(writePrivateKey(seed, 'pkcs8')).toString().repeat(2)),
    jwk({ crv: 'X25519' }),
    jwk({ kty: 'EC' }),
    jwk({ d: undefined }),
    jwk({ x: undefined }),
    jwk({ d: secret.slice(0, -1) }),
    jwk({ d: `${secret}=` }),
    jwk({ alg: 'ES256' }),
    jwk({ use: 'enc' }),
    new Uint8Array(20_000).fill(0x20),
    Uint8Array.of(0x7b, 0xff, 0xfe),
  ];
  for (const [i, bytes] of cases.entries()) {
    assert.throws(
      () => readPrivateKey(bytes),
      (error: Error & { code: string }) => {
        assert.equal(error.code, 'private_key_invalid', `case ${i}`);
        assert.ok(!error.message.includes(secret.slice(0, 12)), error.message);
        return true;
      },
    );
  }
});

test('base64url with spare bits set is refused', () => {
  const text = Buffer.from(seed).toString('base64url');
  const last = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_'.indexOf(text.at(-1)!);
  const spare =
    text.slice(0, -1) + 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_'[last + 1];
  assert.deepEqual(Buffer.from(spare, 'base64url'), Buffer.from(seed));
  assert.throws(() => readPrivateKey(jwk({ d: spare })), { code: 'private_key_invalid' });
});

test('a changed byte of a key with both halves never gives another key', () => {
  const bytes = writePrivateKey(seed, 'libp2p');
  for (let at = 0; at < bytes.length; at++) {
    const changed = Uint8Array.from(bytes);
    changed[at]! ^= 0x40;
    assert.throws(() => readPrivateKey(changed), { code: /^private_key_(invalid|mismatch)$/ }, `byte ${at}`);
  }
});

test('random bytes are refused without another error', () => {
  fc.assert(
    fc.property(
      fc.oneof(
        fc.uint8Array({ maxLength: 200 }),
        fc.string({ maxLength: 200 }).map(bytesOf),
        fc.json().map(bytesOf),
      ),
      (bytes) => {
        assert.throws(() => readPrivateKey(bytes), { code: 'private_key_invalid' });
      },
    ),
    { numRuns: 300 },
  );
});
