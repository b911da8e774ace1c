import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fc } from '../../../test/property.ts';
import { ACTIVATION_TYPES, type ActivationType } from '../types.ts';
import { activationBytes, overflows, readActivations, SCALE_BLOCK, writeActivations } from './activations.ts';

const there = (type: ActivationType, values: Float32Array, width: number, at = 0): Float32Array => {
  const rows = values.length / width;
  const bytes = new Uint8Array(at + activationBytes(type, rows, width));
  writeActivations(type, values, width, bytes, at);
  // As a message holds them: not at the start of a buffer, nor at an even place.
  const moved = new Uint8Array(bytes.length + 1);
  moved.set(bytes, 1);
  return readActivations(type, rows, width, moved.subarray(1), at);
};

const rows = fc
  .tuple(fc.integer({ min: 1, max: 70 }), fc.integer({ min: 0, max: 3 }))
  .chain(([width, count]) =>
    fc.tuple(
      fc.constant(width),
      fc.array(fc.float({ min: -60_000, max: 60_000, noNaN: true }), {
        minLength: width * count,
        maxLength: width * count,
      }),
    ),
  );

test('f32 gives the values back, f16 their nearest halves, i8 each within half a step of its block', () => {
  fc.assert(
    fc.property(rows, ([width, list]) => {
      const values = Float32Array.from(list);
      assert.deepEqual(there('f32', values, width, 8), values);
      assert.deepEqual(there('f16', values, width, 8), Float32Array.from(new Float16Array(values)));
      const back = there('i8', values, width, 8);
      for (let row = 0; row * width < values.length; row++)
        for (let from = row * width; from < (row + 1) * width; from += SCALE_BLOCK) {
          const to = Math.min(from + SCALE_BLOCK, (row + 1) * width);
          const block = values.subarray(from, to);
          const most = Math.max(...block.map(Math.abs));
          // Scales are halves themselves: 2^-11 of the largest, and below 2^-14 in steps of 2^-24.
          const step = (most / 127) * (1 + 2 ** -10) + 2 ** -24;
          for (let i = from; i < to; i++)
            assert.ok(Math.abs(back[i]! - values[i]!) <= step * 0.5 + most * 2 ** -10 + 127 * 2 ** -24);
        }
    }),
  );
});

test('what a type cannot hold is found before it is written', () => {
  assert.equal(overflows(Float32Array.of(65_504), 'f16'), false);
  assert.equal(overflows(Float32Array.of(1, -65_536), 'f16'), true);
  assert.equal(overflows(Float32Array.of(65_536), 'i8'), false);
  assert.equal(overflows(Float32Array.of(1e8), 'i8'), true);
  assert.equal(overflows(Float32Array.of(1e30), 'f32'), false);
});

test('the bytes of a row are these', () => {
  const values = Float32Array.of(1, -2, 0.5, 127);
  const hex = (type: ActivationType) => {
    const bytes = new Uint8Array(activationBytes(type, 1, 4));
    writeActivations(type, values, 4, bytes, 0);
    return Buffer.from(bytes).toString('hex');
  };
  assert.deepEqual(
    ACTIVATION_TYPES.map((type) => hex(type)),
    ['0000803f000000c00000003f0000fe42', '003c00c00038f057', '003c01fe017f'],
  );
});
