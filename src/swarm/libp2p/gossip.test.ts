import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fc } from '../../../test/property.ts';
import { copyNameOf, type GossipFields } from './gossip.ts';

const bytes = fc.uint8Array({ maxLength: 8 });
const fields = fc.record(
  {
    from: bytes,
    data: bytes,
    seqno: bytes,
    topic: fc.string({ maxLength: 4 }),
    signature: bytes,
    key: bytes,
  },
  { requiredKeys: ['topic'] },
) as fc.Arbitrary<GossipFields>;
const plain = (one: GossipFields) =>
  JSON.stringify(
    (['from', 'data', 'seqno', 'topic', 'signature', 'key'] as const).map((name) => {
      const value = one[name];
      return value === undefined ? null : [...(typeof value === 'string' ? Buffer.from(value) : value)];
    }),
  );

test('two messages of gossip are taken for one only when every byte of every field is the same', () => {
  fc.assert(
    fc.property(fields, fields, (one, other) => {
      assert.equal(copyNameOf(one), copyNameOf({ ...one }));
      assert.equal(copyNameOf(one) === copyNameOf(other), plain(one) === plain(other));
    }),
  );
  const moved = { topic: 't', from: Uint8Array.of(1, 2), data: Uint8Array.of(3) };
  assert.notEqual(
    copyNameOf(moved),
    copyNameOf({ topic: 't', from: Uint8Array.of(1), data: Uint8Array.of(2, 3) }),
  );
  assert.notEqual(copyNameOf({ topic: 't' }), copyNameOf({ topic: 't', data: new Uint8Array(0) }));
});
