import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fc } from '../../../test/property.ts';
import { type CborMap, decodeCbor, encodeCbor, KithError, toHex } from '../../base/index.ts';
import { type Accounting, decodeAccounting, encodeAccounting, isAccounting } from './account.ts';

const bytes = (length: number) => fc.uint8Array({ minLength: length, maxLength: length });
const message: fc.Arbitrary<Accounting> = fc.oneof(
  fc.record({
    k: fc.constant('account' as const),
    receipt: fc.uint8Array({ maxLength: 1024 }),
    signature: bytes(64),
  }),
  fc.record({ k: fc.constant('signed' as const), name: bytes(32), signature: bytes(64) }),
  fc.record({ k: fc.constant('disputed' as const), name: bytes(32), what: fc.string({ maxLength: 200 }) }),
  fc.record({ k: fc.constantFrom('settle' as const, 'settled' as const) }),
);

test('what is said about work is read as it was written', () => {
  fc.assert(
    fc.property(message, (one) => {
      const moved = decodeCbor(encodeCbor(encodeAccounting(one))) as CborMap;
      assert.ok(isAccounting(moved));
      assert.deepEqual(decodeAccounting(moved), { ...one });
    }),
  );
});

test('the bytes of an answer are these', () => {
  const signed = encodeAccounting({
    ...{ k: 'signed', name: new Uint8Array(32).fill(1), signature: new Uint8Array(64).fill(2) },
  });
  assert.equal(
    toHex(encodeCbor(signed)),
    `a361675840${'02'.repeat(64)}61685820${'01'.repeat(32)}616b66${Buffer.from('signed').toString('hex')}`,
  );
});

test('anything else is refused with a typed error, and a reason is never longer than it may be', () => {
  const value = fc.oneof(
    fc.integer(),
    fc.string({ maxLength: 300 }),
    fc.uint8Array({ maxLength: 100 }),
    fc.constant(null),
    fc.constant([]),
  );
  const kinds = ['account', 'signed', 'disputed', 'settle', 'settled', 'rows'];
  const metadata = fc
    .tuple(fc.dictionary(fc.constantFrom('r', 'g', 'h', 'what', 'more'), value), fc.constantFrom(...kinds))
    .map(([map, k]) => ({ ...map, k }) as CborMap);
  fc.assert(
    fc.property(metadata, (map) => {
      try {
        const { k } = decodeAccounting(map);
        assert.ok(k !== 'account' || (map.r as Uint8Array).length <= 1024);
      } catch (error) {
        assert.ok(error instanceof KithError, String(error));
      }
    }),
    { numRuns: 1000 },
  );
  const long = encodeAccounting({ k: 'disputed', name: new Uint8Array(32), what: 'x'.repeat(5000) });
  assert.equal((decodeAccounting(long) as { what: string }).what.length, 200);
  assert.ok(!isAccounting({ k: 'step' }));
});
