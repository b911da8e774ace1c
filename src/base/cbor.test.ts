import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { Decoder } from 'cbor-x/decode';
import { Encoder } from 'cbor-x/encode';
import { fc } from '../../test/property.ts';
import { type CborValue, decodeCbor, encodeCbor } from './cbor.ts';

const hex = (bytes: Uint8Array) => Buffer.from(bytes).toString('hex');
const unhex = (text: string) => new Uint8Array(Buffer.from(text, 'hex'));
const refused = (what: RegExp) => ({ name: 'InputError', code: 'cbor_invalid', message: what });

/** RFC 8949 appendix A, those of its examples whose values exist here. */
const EXAMPLES: [CborValue, string][] = [
  [0, '00'],
  [1, '01'],
  [10, '0a'],
  [23, '17'],
  [24, '1818'],
  [25, '1819'],
  [100, '1864'],
  [1000, '1903e8'],
  [1_000_000, '1a000f4240'],
  [1_000_000_000_000, '1b000000e8d4a51000'],
  [18446744073709551615n, '1bffffffffffffffff'],
  [-18446744073709551616n, '3bffffffffffffffff'],
  [-1, '20'],
  [-10, '29'],
  [-100, '3863'],
  [-1000, '3903e7'],
  [1.1, 'fb3ff199999999999a'],
  [1.5, 'f93e00'],
  [3.4028234663852886e38, 'fa7f7fffff'],
  [1.0e300, 'fb7e37e43c8800759c'],
  [2 ** -24, 'f90001'],
  [0.00006103515625, 'f90400'],
  [-4.1, 'fbc010666666666666'],
  [false, 'f4'],
  [true, 'f5'],
  [null, 'f6'],
  [new Uint8Array(0), '40'],
  [new Uint8Array([1, 2, 3, 4]), '4401020304'],
  ['', '60'],
  ['a', '6161'],
  ['IETF', '6449455446'],
  ['"\\', '62225c'],
  ['\u00fc', '62c3bc'],
  ['\u6c34', '63e6b0b4'],
  ['\ud800\udd51', '64f0908591'],
  [[], '80'],
  [[1, 2, 3], '83010203'],
  [[1, [2, 3], [4, 5]], '8301820203820405'],
  [
    Array.from({ length: 25 }, (_, index) => index + 1),
    '98190102030405060708090a0b0c0d0e0f101112131415161718181819',
  ],
  [{}, 'a0'],
  [{ a: 1, b: [2, 3] }, 'a26161016162820203'],
  [['a', { b: 'c' }], '826161a161626163'],
  [{ a: 'A', b: 'B', c: 'C', d: 'D', e: 'E' }, 'a56161614161626142616361436164614461656145'],
];

/** Values as they come back: negative zero is zero, small bigints are numbers. */
const scalar = fc.oneof(
  fc.constant(null),
  fc.boolean(),
  fc.integer(),
  fc.maxSafeInteger(),
  fc.bigInt({ min: 2n ** 53n, max: 2n ** 64n - 1n }),
  fc.bigInt({ min: -(2n ** 64n), max: -(2n ** 53n) }),
  fc.float({ noNaN: true, noDefaultInfinity: true }).map((value) => value + 0),
  fc.double({ noNaN: true, noDefaultInfinity: true }).map((value) => value + 0),
  fc.string({ unit: 'grapheme' }),
  fc.uint8Array({ maxLength: 40 }),
);
const value: fc.Arbitrary<CborValue> = fc.letrec<{ value: CborValue }>((tie) => ({
  value: fc.oneof(
    { maxDepth: 4 },
    scalar,
    fc.array(tie('value'), { maxLength: 6 }),
    fc.dictionary(fc.string({ unit: 'grapheme', maxLength: 30 }), tie('value'), {
      maxKeys: 6,
      noNullPrototype: true,
    }),
  ),
})).value;

describe('encodeCbor', () => {
  test('gives the encodings of RFC 8949 appendix A, and reads them back', () => {
    for (const [example, expected] of EXAMPLES) {
      assert.equal(hex(encodeCbor(example)), expected);
      assert.deepEqual(decodeCbor(unhex(expected)), example);
    }
  });

  test('orders the keys of a map by their encodings, however the object was made', () => {
    assert.equal(hex(encodeCbor({ aa: 3, z: 2, a: 1 })), 'a3616101617a0262616103');
    assert.deepEqual(encodeCbor({ b: 1, a: 2 }), encodeCbor({ a: 2, b: 1 }));
  });

  test('writes the two ends of the safe range as integers and what lies beyond as bigint says', () => {
    for (const number of [2 ** 53 - 1, -(2 ** 53 - 1)]) assert.equal(decodeCbor(encodeCbor(number)), number);
    assert.equal(decodeCbor(encodeCbor(2n ** 53n)), 2n ** 53n);
    assert.equal(decodeCbor(encodeCbor(-(2n ** 53n))), -(2n ** 53n));
    assert.equal(decodeCbor(encodeCbor(5n)), 5);
    assert.equal(decodeCbor(encodeCbor(2 ** 53)), 2 ** 53);
    assert.equal(hex(encodeCbor(-0)), '00');
  });

  test('gives another decoder the same value', () => {
    const other = new Decoder({ mapsAsObjects: true, useRecords: false, int64AsType: 'auto' } as object);
    // The other decoder reads 64-bit integers as numbers where they fit and has its own way with large negative ones.
    const plain = fc.letrec<{ value: CborValue }>((tie) => ({
      value: fc.oneof(
        { maxDepth: 4 },
        fc.oneof(fc.constant(null), fc.boolean(), fc.integer(), fc.string({ unit: 'grapheme' })),
        fc.double({ noNaN: true, noDefaultInfinity: true }).map((number) => number + 0),
        fc.array(tie('value'), { maxLength: 6 }),
        fc.dictionary(
          fc.string({ maxLength: 20 }).filter((key) => key !== '__proto__'),
          tie('value'),
          { maxKeys: 6, noNullPrototype: true },
        ),
      ),
    })).value;
    fc.assert(fc.property(plain, (input) => assert.deepEqual(other.decode(encodeCbor(input)), input)));
  });

  test('refuses what has no encoding', () => {
    for (const bad of [
      undefined,
      Number.NaN,
      Number.POSITIVE_INFINITY,
      () => 1,
      Symbol('x'),
      new Date(0),
      new Map(),
    ])
      assert.throws(() => encodeCbor(bad as CborValue), refused(/./));
    assert.throws(() => encodeCbor({ a: undefined } as never), refused(/undefined/));
    assert.throws(() => encodeCbor(2n ** 64n), refused(/64 bits/));
    assert.throws(() => encodeCbor('\ud800'), refused(/surrogate/));
    assert.throws(() => encodeCbor({ '\udc00': 1 }), refused(/surrogate/));
  });

  test('stops at each limit', () => {
    assert.throws(() => encodeCbor([[[]]], { maxDepth: 2 }), refused(/deeper/));
    assert.throws(() => encodeCbor([1, 2, 3], { maxItems: 3 }), refused(/items/));
    assert.throws(() => encodeCbor(new Uint8Array(100), { maxBytes: 50 }), refused(/50 bytes/));
    assert.throws(() => encodeCbor('x'.repeat(100), { maxBytes: 50 }), refused(/50 bytes/));
    const cycle: unknown[] = [];
    cycle.push(cycle);
    assert.throws(() => encodeCbor(cycle as never), refused(/deeper/));
  });
});

describe('decodeCbor', () => {
  test('reads back every value', () => {
    fc.assert(fc.property(value, (input) => assert.deepEqual(decodeCbor(encodeCbor(input)), input)));
  });

  test('reads what another encoder writes only where that is deterministic', () => {
    const other = new Encoder({ useRecords: false, mapsAsObjects: true });
    assert.deepEqual(decodeCbor(other.encode([1, 'a', null])), [1, 'a', null]);
    // It writes map lengths in 16 bits always.
    assert.throws(() => decodeCbor(other.encode({ a: 1 })), refused(/shortest/));
  });

  test('takes no second encoding of a value', () => {
    const bad: [string, RegExp][] = [
      ['1817', /shortest/],
      ['190018', /shortest/],
      ['1a00000001', /shortest/],
      ['1b0000000000000001', /shortest/],
      ['3800', /shortest/],
      ['5801ff', /shortest/],
      ['f90000', /integer/],
      ['f98000', /integer/],
      ['f93c00', /integer/],
      ['fa47c35000', /integer/],
      ['fa3fc00000', /shortest/],
      ['fb3ff8000000000000', /shortest/],
      ['f97c00', /finite/],
      ['f97e00', /finite/],
      ['fa7f800000', /finite/],
      ['fb7ff0000000000001', /finite/],
      ['9fff', /indefinite/],
      ['bfff', /indefinite/],
      ['5f4101ff', /indefinite/],
      ['7f6161ff', /indefinite/],
      ['ff', /simple value 31/],
      ['a2616201616101', /order/],
      ['a2616101616102', /order/],
      ['a26261610161 7a01'.replace(' ', ''), /order/],
      ['a10101', /not a string/],
      ['f7', /simple/],
      ['e0', /simple/],
      ['f820', /simple/],
      ['c11a514b67b0', /tags/],
      ['1c', /reserved/],
      ['61ff', /UTF-8/],
      ['63eda080', /UTF-8/],
      ['0000', /follow/],
      ['', /ends/],
      ['19', /ends/],
      ['6261', /beyond/],
      ['9bffffffffffffffff', /beyond/],
      ['9a00ffffff', /beyond/],
      ['bb7fffffffffffffff', /beyond/],
      ['5a7fffffff', /beyond/],
    ];
    for (const [bytes, what] of bad) assert.throws(() => decodeCbor(unhex(bytes)), refused(what), bytes);
  });

  test('never crashes, and what it takes is the one encoding of what it gives', () => {
    const near = fc
      .tuple(value, fc.array(fc.tuple(fc.nat(), fc.nat(255)), { maxLength: 3 }))
      .map(([input, edits]) => {
        const bytes = encodeCbor(input);
        for (const [at, byte] of edits) bytes[at % bytes.length] = byte;
        return bytes;
      });
    const check = (bytes: Uint8Array) => {
      let out: CborValue;
      try {
        out = decodeCbor(bytes);
      } catch (error) {
        assert.equal((error as { code?: string }).code, 'cbor_invalid');
        return;
      }
      assert.equal(hex(encodeCbor(out)), hex(bytes));
    };
    fc.assert(fc.property(near, check), { numRuns: 5000 });
    fc.assert(fc.property(fc.uint8Array({ maxLength: 64 }), check), { numRuns: 5000 });
  });

  test('stops at each limit before it makes anything', () => {
    assert.throws(() => decodeCbor(unhex(`${'81'.repeat(17)}00`)), refused(/deeper than 16/));
    assert.deepEqual(decodeCbor(unhex('818100'), { maxDepth: 2 }), [[0]]);
    assert.throws(() => decodeCbor(unhex('8300000000'), { maxItems: 3 }), refused(/3 items/));
    assert.throws(() => decodeCbor(unhex('a1616100'), { maxItems: 2 }), refused(/2 items/));
    assert.throws(() => decodeCbor(new Uint8Array(65_537)), refused(/65537 bytes/));
    assert.throws(() => decodeCbor(unhex('00'), { maxDepth: 0, maxBytes: 0 }), refused(/1 bytes/));
  });

  test('keeps keys that mean something to objects as plain properties', () => {
    const read = decodeCbor(unhex('a1695f5f70726f746f5f5fa16161 01'.replace(' ', ''))) as Record<
      string,
      unknown
    >;
    assert.deepEqual(Object.keys(read), ['__proto__']);
    assert.equal(Object.getPrototypeOf(read), Object.prototype);
    assert.equal(hex(encodeCbor(read as never)), 'a1695f5f70726f746f5f5fa1616101');
  });

  test('gives bytes of its own', () => {
    const bytes = Buffer.from('4401020304', 'hex');
    const read = decodeCbor(bytes) as Uint8Array;
    bytes.fill(0);
    assert.deepEqual(read, new Uint8Array([1, 2, 3, 4]));
    assert.equal(Object.getPrototypeOf(read), Uint8Array.prototype);
  });
});
