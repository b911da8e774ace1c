import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fc } from '../../../test/property.ts';
import { decodeCbor, encodeCbor } from '../../base/cbor.ts';
import { type CborMap, KithError } from '../../base/index.ts';
import { ACTIVATION_TYPES } from '../types.ts';
import { decodeControl } from './control.ts';
import {
  decodeOpening,
  decodeRows,
  decodeStep,
  encodeOpening,
  encodeRows,
  encodeStep,
  type Opening,
} from './messages.ts';

const WIDTH = 5;
const moved = (metadata: CborMap) => decodeCbor(encodeCbor(metadata)) as CborMap;

const part = fc
  .record({
    start: fc.nat(100),
    count: fc.integer({ min: 1, max: 6 }),
    after: fc.integer({ min: -1, max: 100 }),
    outputs: fc.constantFrom('none' as const, 'last' as const, 'all' as const, 'each' as const),
  })
  .map((one) => ({ ...one, cells: Int32Array.from({ length: one.count }, (_, i) => one.start + i) }));

test('a step is read as it was written, in each type of hidden states', () => {
  const step = fc.record({
    n: fc.integer({ min: 1, max: 2 ** 40 }),
    replay: fc.boolean(),
    parts: fc.array(part, { minLength: 1, maxLength: 5 }),
    type: fc.constantFrom(...ACTIVATION_TYPES),
  });
  fc.assert(
    fc.property(step, ({ n, replay, parts, type }) => {
      const rows = parts.reduce((sum, { count }) => sum + count, 0);
      // Numbers that every type holds exactly.
      const hidden = Float32Array.from({ length: rows * WIDTH }, (_, i) => (i % WIDTH === 0 ? 127 : i % 100));
      const { metadata, payload } = encodeStep({ n, replay, parts, hidden }, WIDTH, {
        prefill: type,
        decode: type,
      });
      const back = decodeStep({ metadata: moved(metadata), payload }, WIDTH);
      assert.deepEqual(back, { n, replay, parts, hidden });
    }),
  );
});

test('values that the type cannot hold travel as they are', () => {
  const rows = Float32Array.of(1e9, 1, 2, 3, 4);
  for (const type of ACTIVATION_TYPES) {
    const { metadata, payload } = encodeRows({ n: 7, rows, ms: 1.5 }, WIDTH, type);
    assert.equal(metadata.t, 'f32');
    assert.deepEqual(
      decodeRows({ metadata: moved(metadata), payload }, WIDTH, () => 1),
      { n: 7, rows, ms: 1.5 },
    );
  }
});

test('an opening is read as it was written', () => {
  const opening: Opening = {
    model: '0f'.repeat(32),
    from: 2,
    to: 9,
    cells: 512,
    session: new Uint8Array(16).fill(7),
    feeder: null,
    donor: 'someone',
    last: true,
    types: { prefill: 'i8', decode: 'f16' },
  };
  assert.deepEqual(decodeOpening(moved(encodeOpening(opening))), opening);
  for (const change of [
    { to: 2 },
    { cells: 0 },
    { model: 'x' },
    { types: ['f8', 'f32'] },
    { types: ['f32'] },
    { donor: 7 },
    { more: 1 },
    { session: 1 },
  ])
    assert.throws(() => decodeOpening({ ...encodeOpening(opening), ...change } as CborMap), {
      code: 'shard_malformed',
    });
});

test('anything else is refused with a typed error', () => {
  const value = fc.oneof(
    fc.integer(),
    fc.double({ noNaN: true }),
    fc.string({ maxLength: 20 }),
    fc.boolean(),
    fc.constant(null),
    fc.uint8Array({ maxLength: 20 }),
    fc.array(fc.array(fc.integer({ min: -3, max: 5000 }), { maxLength: 5 }), { maxLength: 5 }),
  );
  const keys = [
    'k',
    'n',
    't',
    'p',
    'ms',
    'id',
    'peer',
    'session',
    'replay',
    'from',
    'addresses',
    'types',
    'rows',
    'seen',
    'done',
    'cells',
  ];
  const kinds = [
    'step',
    'rows',
    'next',
    'ping',
    'pong',
    'fail',
    'ready',
    'linked',
    'feeder',
    'types',
    'move',
    'moved',
    'unmoved',
    'leaving',
    'x',
  ];
  const metadata = fc
    .tuple(fc.dictionary(fc.constantFrom(...keys), value), fc.constantFrom(...kinds), fc.boolean())
    .map(([map, k, sound]) => (sound ? { ...map, k, t: 'f16', n: 1 } : { ...map, k }) as CborMap);
  fc.assert(
    fc.property(metadata, fc.uint8Array({ maxLength: 200 }), (map, payload) => {
      for (const read of [
        () => decodeStep({ metadata: map, payload }, WIDTH),
        () => decodeRows({ metadata: map, payload }, WIDTH, () => 2),
        () => decodeControl(map),
        () => decodeOpening(map),
      ])
        try {
          read();
        } catch (error) {
          assert.ok(error instanceof KithError, String(error));
        }
    }),
    { numRuns: 2000 },
  );
});
