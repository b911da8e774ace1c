import assert from 'node:assert/strict';
import { test } from 'node:test';
import { gzipSync } from 'node:zlib';
import { fc } from '../../../test/property.ts';
import { vector } from '../../../test/vectors.ts';
import { canonicalBytes } from '../../base/index.ts';
import { formatDateTime, type JsonObject } from '../proof/document.ts';
import { proveDocument } from '../proof/eddsa-jcs-2022.ts';
import { identityOf } from '../testing/credentials.ts';
import { verifyElsewhere } from '../testing/digitalbazaar.ts';
import {
  bitAt,
  decodeBits,
  encodeBits,
  STATUS_LIST_ENTRIES,
  STATUS_LIST_MAX_BYTES,
  setBit,
} from './bitstring.ts';
import { readStatusList, signStatusList } from './list.ts';

const issuer = identityOf('issuer');
const id = 'https://issuer.example/status/1';
const start = Date.UTC(2026, 10, 21);
const empty = () => new Uint8Array(STATUS_LIST_ENTRIES / 8);
const example = vector('bitstring-status-list/spec-example.json');

function bitsOf(encoded: string): Uint8Array {
  const bits = decodeBits(encoded);
  assert.ok(!('fault' in bits), 'fault' in bits ? bits.fault : '');
  return bits;
}

test("the specification's example list reproduces", { skip: example.skip }, () => {
  const { encodedList, expected } = example.json<{
    encodedList: string;
    expected: { uncompressedBytes: number; entries: number };
  }>();
  const bits = bitsOf(encodedList);
  assert.equal(bits.length, expected.uncompressedBytes);
  assert.equal(bits.length * 8, expected.entries);
  assert.ok(bits.every((byte) => byte === 0));
  assert.deepEqual(bitsOf(encodeBits(empty())), bits);
});

test('index 0 is the most significant bit of the first byte', () => {
  const bits = empty();
  setBit(bits, 0);
  setBit(bits, 9);
  assert.equal(bits[0], 0x80);
  assert.equal(bits[1], 0x40);
  assert.equal(bitAt(bits, STATUS_LIST_ENTRIES), null);
});

test('the bits that were set come back, and no others', () => {
  fc.assert(
    fc.property(fc.uniqueArray(fc.nat(STATUS_LIST_ENTRIES - 1), { maxLength: 200 }), (indexes) => {
      const bits = empty();
      for (const index of indexes) setBit(bits, index);
      const read = bitsOf(encodeBits(bits));
      assert.deepEqual(Buffer.from(read), Buffer.from(bits));
      assert.ok(indexes.every((index) => bitAt(read, index) === true));
    }),
    { numRuns: 50 },
  );
});

test('a text that is no list, too short or a bomb is refused', () => {
  const packed = (bytes: number) => `u${gzipSync(new Uint8Array(bytes)).toString('base64url')}`;
  const cases = {
    z123: /base64url/,
    'uH4sI=': /base64url/,
    uAAAA: /not gzip/,
    [packed(STATUS_LIST_ENTRIES / 8 - 1)]: /fewest/,
    [packed(STATUS_LIST_MAX_BYTES + 1)]: /more than/,
    [packed(500 * STATUS_LIST_MAX_BYTES)]: /more than/,
  };
  for (const [encoded, why] of Object.entries(cases)) {
    const bits = decodeBits(encoded);
    assert.match('fault' in bits ? bits.fault : 'accepted', why);
  }
});

test('a signed list reads as it was signed, also elsewhere', async () => {
  const bits = empty();
  setBit(bits, 94_567);
  const bytes = signStatusList(issuer, { id, bits, validFrom: start });
  const list = readStatusList(bytes);
  assert.ok(!('fault' in list));
  assert.deepEqual(
    { ...list, bits: bitAt(list.bits, 94_567) },
    {
      id,
      issuer: issuer.did,
      validFrom: start,
      validUntil: start + 7 * 86_400_000,
      ttl: 3_600_000,
      bits: true,
    },
  );
  assert.equal(await verifyElsewhere(JSON.parse(Buffer.from(bytes).toString()) as JsonObject), true);
});

test('each thing that is wrong with a list refuses it', () => {
  const good = JSON.parse(
    Buffer.from(signStatusList(issuer, { id, bits: empty(), validFrom: start })).toString(),
  ) as JsonObject;
  const subject = good.credentialSubject as JsonObject;
  const sign = (changes: JsonObject, by = issuer) =>
    canonicalBytes(
      proveDocument({ ...good, ...changes }, by, { purpose: 'assertionMethod', created: start }),
    );
  const cases: readonly (readonly [Uint8Array, RegExp])[] = [
    [sign({ issuer: identityOf('other').did }), /owner of the key/],
    [sign({ credentialSubject: { ...subject, statusPurpose: 'suspension' } }), /revocation/],
    [sign({ credentialSubject: { ...subject, statusSize: 2 } }), /statusSize/],
    [sign({ credentialSubject: { ...subject, encodedList: 'uAAAA' } }), /gzip/],
    [sign({ type: ['VerifiableCredential'] }), /type/],
    [sign({ '@context': ['https://www.w3.org/2018/credentials/v1'] }), /@context/],
    [canonicalBytes({ ...good, validFrom: formatDateTime(start + 1000) }), /signature/],
    [canonicalBytes({ ...good, proof: undefined === good.proof ? {} : [good.proof] }), /list of proofs/],
    [Buffer.from(JSON.stringify(good, null, 1)), /canonical/],
    [new Uint8Array(2_000_000), /bytes/],
  ];
  for (const [bytes, why] of cases) {
    const list = readStatusList(bytes);
    assert.match('fault' in list ? list.fault : 'accepted', why);
  }
});

test('a list that wants to count for longer than seven days is cut to them', () => {
  const good = JSON.parse(
    Buffer.from(signStatusList(issuer, { id, bits: empty(), validFrom: start })).toString(),
  ) as JsonObject;
  for (const validUntil of [formatDateTime(start + 365 * 86_400_000), undefined]) {
    const { validUntil: _, ...rest } = good;
    const document = validUntil === undefined ? rest : { ...rest, validUntil };
    const list = readStatusList(
      canonicalBytes(proveDocument(document, issuer, { purpose: 'assertionMethod', created: start })),
    );
    assert.ok(!('fault' in list));
    assert.equal(list.validUntil, start + 7 * 86_400_000);
  }
});
