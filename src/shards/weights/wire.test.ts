import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fc } from '../../../test/property.ts';
import { decodeCbor, encodeCbor, toHex } from '../../base/index.ts';
import {
  checkData,
  decodeHave,
  decodeModel,
  decodeQuestion,
  encodeHave,
  encodeQuestion,
  WEIGHT_BOUNDS,
} from './wire.ts';

/** `{ k: 'get', n: 7, s: 3, at: 262144, length: 1000 }`. */
const GET = 'a5616b63676574616e076173036261741a00040000666c656e6774681903e8';
const CBOR = { maxBytes: 4096, maxDepth: 8, maxItems: 100 };

test('what is there of a list comes back as it was, whatever its length', () => {
  fc.assert(
    fc.property(fc.array(fc.boolean(), { maxLength: 300 }), (has) => {
      const have = { root: 'ab'.repeat(32), has };
      const { metadata, payload } = encodeHave(have);
      assert.deepEqual(decodeHave(metadata, payload), have);
      assert.throws(() => decodeHave(metadata, new Uint8Array(payload.length + 1)), {
        code: 'weights_malformed',
      });
    }),
  );
});

test('the bytes of questions and answers are these', () => {
  const get = encodeQuestion({ k: 'get', n: 7, section: 3, at: 262_144, length: 1000 });
  assert.deepEqual(decodeQuestion(get), { k: 'get', n: 7, section: 3, at: 262_144, length: 1000 });
  assert.deepEqual(decodeQuestion(encodeQuestion({ k: 'list' })), { k: 'list' });
  const { metadata, payload } = encodeHave({ root: '00'.repeat(32), has: [true, false, true] });
  assert.equal(toHex(payload), '05');
  assert.equal(toHex(encodeCbor(get)), GET);
  assert.deepEqual(decodeCbor(encodeCbor(metadata), CBOR), metadata);
});

test('questions and answers out of bounds are refused', () => {
  const good = { k: 'get', n: 1, s: 0, at: 0, length: 1 };
  for (const wrong of [
    { length: 0 },
    { length: WEIGHT_BOUNDS.chunkBytes + 1 },
    { s: WEIGHT_BOUNDS.sections },
    { at: -1 },
    { n: 1.5 },
    { k: 'put' },
    { more: true },
  ])
    assert.throws(() => decodeQuestion({ ...good, ...wrong }), { code: 'weights_malformed' });
  for (const model of ['', 'AB'.repeat(32), '../'.repeat(21).padEnd(64, 'x')])
    assert.throws(() => decodeModel({ model }), { code: 'weights_malformed' });
  const data = { k: 'data', n: 2 };
  checkData(data, new Uint8Array(5), 2, 5);
  assert.throws(() => checkData(data, new Uint8Array(5), 3, 5), { code: 'weights_malformed' });
  assert.throws(() => checkData(data, new Uint8Array(4), 2, 5), { code: 'weights_malformed' });
});
