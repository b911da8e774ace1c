import assert from 'node:assert/strict';
import { createDecipheriv, scryptSync } from 'node:crypto';
import { before, test } from 'node:test';
import { fc } from '../../../test/property.ts';
import { createSeededRandom, fromHex, toHex } from '../../base/index.ts';
import { looksLikeKeyFile, readKeyFile, writeKeyFile } from './key-file.ts';
import { writePrivateKey } from './private-forms.ts';

const seed = fromHex('7e0830617c4a7de83925dfb2694556b12936c477a0e1feb2e148ec9da60fee7d');
const peerId = '12D3KooWBtg3aaRMjxwedh83aGiUkwSxDwUZkzuJcfaqUmo7R3pq';
const passphrase = 'five grey herons – früh';
const random = createSeededRandom(7);
const nobody = async () => null;
const bytesOf = (text: string) => new TextEncoder().encode(text);
const change = (bytes: Uint8Array, edit: (json: Record<string, unknown>) => void): Uint8Array => {
  const json = JSON.parse(Buffer.from(bytes).toString());
  edit(json);
  return bytesOf(JSON.stringify(json));
};

/** A protected file as it lies on disks, with the least cost that is read. */
const golden = bytesOf(
  JSON.stringify({
    v: 1,
    peerId,
    sealed: {
      kdf: 'scrypt',
      n: 16_384,
      r: 8,
      p: 1,
      salt: 'AAECAwQFBgcICQoLDA0ODw',
      cipher: 'aes-256-gcm',
      iv: 'EBESExQVFhcYGRob',
      tag: 'Skfpp4heeSvP24U43li0Yw',
      data: 'PfoRtW5ZozXvhWddIHuH_hk6P9_yLMdHNzjnNv-k6Ws',
    },
  }),
);

let plain: Uint8Array;
let sealed: Uint8Array;
before(async () => {
  plain = await writeKeyFile(seed, null, random);
  sealed = await writeKeyFile(seed, passphrase, random);
});

test('a plain file is this text, and opens without a passphrase', async () => {
  assert.equal(
    Buffer.from(plain).toString(),
    `{\n  "v": 1,\n  "peerId": "${peerId}",\n  "seed": "${Buffer.from(seed).toString('base64url')}"\n}\n`,
  );
  const file = readKeyFile(plain, 'key.json');
  assert.equal(file.peerId, peerId);
  assert.equal(file.isProtected, false);
  assert.deepEqual(await file.open(nobody), seed);
});

test('a protected file holds nothing of the seed and opens with its passphrase alone', async () => {
  const text = Buffer.from(sealed).toString();
  for (const form of [toHex(seed), Buffer.from(seed).toString('base64url').slice(0, 20)])
    assert.ok(!text.includes(form));
  const file = readKeyFile(golden, 'key.json');
  assert.equal(file.peerId, peerId);
  assert.equal(file.isProtected, true);
  assert.deepEqual(await file.open(async () => passphrase), seed);
  // The same passphrase as another keyboard composes it.
  assert.deepEqual(await file.open(async () => passphrase.normalize('NFD')), seed);
  await assert.rejects(
    file.open(async () => 'five grey herons'),
    { code: 'passphrase_wrong' },
  );
  await assert.rejects(file.open(nobody), { code: 'passphrase_missing' });
});

test('sealing is scrypt with N = 2^17, r = 8, p = 1 and AES-256-GCM with the PeerId as additional data', () => {
  const { sealed: held } = JSON.parse(Buffer.from(sealed).toString());
  assert.deepEqual([held.kdf, held.n, held.r, held.p, held.cipher], ['scrypt', 131_072, 8, 1, 'aes-256-gcm']);
  const bytes = (name: string) => Buffer.from(held[name], 'base64url');
  const key = scryptSync(passphrase.normalize('NFC'), bytes('salt'), 32, {
    N: 131_072,
    r: 8,
    p: 1,
    maxmem: 2 ** 28,
  });
  const cipher = createDecipheriv('aes-256-gcm', key, bytes('iv')).setAAD(Buffer.from(peerId));
  cipher.setAuthTag(bytes('tag'));
  assert.deepEqual(Buffer.concat([cipher.update(bytes('data')), cipher.final()]), Buffer.from(seed));
});

test('two sealings of one seed share neither salt nor nonce', async () => {
  const again = JSON.parse(Buffer.from(await writeKeyFile(seed, passphrase, random)).toString()).sealed;
  const first = JSON.parse(Buffer.from(sealed).toString()).sealed;
  for (const name of ['salt', 'iv', 'data', 'tag']) assert.notEqual(again[name], first[name]);
});

test('a short passphrase is refused', async () => {
  await assert.rejects(writeKeyFile(seed, 'seven77', random), { code: 'passphrase_invalid' });
});

test('a plain file cut off at any byte is damaged', () => {
  // The last byte is the line break, which JSON does without.
  for (let length = 0; length < plain.length - 1; length++)
    assert.throws(() => readKeyFile(plain.subarray(0, length), 'key.json'), { code: 'key_file_damaged' });
});

test('a protected file cut off at any byte is damaged', () => {
  for (let length = 0; length < sealed.length - 1; length++)
    assert.throws(() => readKeyFile(sealed.subarray(0, length), 'key.json'), { code: 'key_file_damaged' });
});

test('a flipped bit of a plain file never gives another key', async () => {
  for (let at = 0; at < plain.length; at++) {
    for (const bit of [at % 8, 0]) {
      const flipped = Uint8Array.from(plain);
      flipped[at]! ^= 1 << bit;
      let opened: Uint8Array | null = null;
      try {
        opened = await readKeyFile(flipped, 'key.json').open(nobody);
      } catch (error) {
        assert.match((error as { code: string }).code, /^key_file_(damaged|version)$/, `byte ${at}`);
      }
      // White space may change without harm.
      if (opened !== null) assert.deepEqual(opened, seed);
    }
  }
});

test('a seed under the name of another key is damaged, and so is any field too many or too few', () => {
  const other = '12D3KooWK99VoVxNE7XzyBwXEzW7xhK7Gpv85r9F3V3fyKSUKPH5';
  const edits: ((json: Record<string, unknown>) => void)[] = [
    (json) => (json.peerId = other),
    (json) => (json.peerId = 'did:key:z6MkgXZvRh65tcAdLJTKdEvyqEv7ZBhn9C5BM68jw4cESKtH'),
    (json) => (json.peerId = 'bafzaajaiaejcahwr5d5ofrfbis4l5d6uwr57hu5tjodrypfm6yaq6dsc2r2pzyt6'),
    (json) => (json.more = 1),
    (json) => delete json.seed,
    (json) => delete json.v,
    (json) => (json.v = '1'),
    (json) => (json.v = 0),
    (json) => (json.seed = `${json.seed}=`),
    (json) => (json.seed = ''),
    (json) => (json.sealed = JSON.parse(Buffer.from(sealed).toString()).sealed),
  ];
  for (const [i, edit] of edits.entries())
    assert.throws(
      () => readKeyFile(change(plain, edit), 'key.json'),
      { code: 'key_file_damaged' },
      `edit ${i}`,
    );
  for (const text of ['null', '[]', '1', '"x"', '{}', '\ufeff{}', ' '.repeat(20_000)])
    assert.throws(
      () => readKeyFile(bytesOf(text), 'key.json'),
      { code: 'key_file_damaged' },
      text.slice(0, 9),
    );
});

test('a file of a newer version is told apart from a damaged one', () => {
  assert.throws(
    () =>
      readKeyFile(
        change(plain, (json) => (json.v = 2)),
        'key.json',
      ),
    {
      code: 'key_file_version',
    },
  );
});

test('parameters beyond the bounds are refused before anything is computed', () => {
  for (const [name, value] of [
    ['n', 2 ** 21],
    ['n', 2 ** 13],
    ['n', 2 ** 17 + 1],
    ['n', 1e300],
    ['r', 64],
    ['r', 0],
    ['p', 5],
    ['p', 0],
    ['p', 1.5],
    ['kdf', 'pbkdf2'],
    ['cipher', 'aes-256-cbc'],
    ['salt', ''],
    ['salt', 'A'.repeat(1000)],
    ['iv', 'AAAA'],
    ['tag', 'AAAA'],
    ['data', 'AAAA'],
    ['more', 1],
  ] as const) {
    const bytes = change(sealed, (json) => ((json.sealed as Record<string, unknown>)[name] = value));
    assert.throws(() => readKeyFile(bytes, 'key.json'), { code: 'key_file_damaged' }, `${name} ${value}`);
  }
});

test('a sealed seed under the name of another key does not open', async () => {
  const moved = change(golden, (json) => {
    json.peerId = '12D3KooWK99VoVxNE7XzyBwXEzW7xhK7Gpv85r9F3V3fyKSUKPH5';
  });
  await assert.rejects(
    readKeyFile(moved, 'key.json').open(async () => passphrase),
    { code: 'passphrase_wrong' },
  );
});

test('errors show nothing of the file', () => {
  const secret = Buffer.from(seed).toString('base64url');
  for (const bytes of [
    plain.subarray(0, -3),
    bytesOf(`{"v":1,"peerId":"x","seed":"${secret}"}`),
    bytesOf(`${secret}`),
  ])
    assert.throws(
      () => readKeyFile(bytes, 'key.json'),
      (error: Error) => !`${error.message}${error.stack}${error.cause}`.includes(secret.slice(0, 10)),
    );
});

test('anything else is refused as damaged', () => {
  fc.assert(
    fc.property(fc.oneof(fc.uint8Array({ maxLength: 300 }), fc.json().map(bytesOf)), (bytes) => {
      assert.throws(() => readKeyFile(bytes, 'key.json'), { code: 'key_file_damaged' });
    }),
    { numRuns: 200 },
  );
});

test('a key file is told from a JWK', () => {
  assert.ok(looksLikeKeyFile(plain) && looksLikeKeyFile(sealed));
  assert.ok(!looksLikeKeyFile(writePrivateKey(seed, 'jwk')));
  assert.ok(!looksLikeKeyFile(writePrivateKey(seed, 'pkcs8')));
});
