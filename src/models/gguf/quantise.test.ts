import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { after, describe, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import koffi from 'koffi';
import { fromBF16, fromF16, toBF16, toF16 } from './float16.ts';
import { CODEC_TYPES, type CodecType, codecBytes, dequantise, quantise } from './quantise.ts';
import { removedTensorType, tensorType, tensorTypeNamed, tensorTypes } from './types-table.ts';

/** The native reference: only on Linux x64, where its package is always installed. */
const path = fileURLToPath(
  new URL('../../../node_modules/@node-llama-cpp/linux-x64/bins/linux-x64/libggml-base.so', import.meta.url),
);
const present = process.platform === 'linux' && process.arch === 'x64' && existsSync(path);
const skip = present
  ? false
  : `the reference library is only compared on Linux x64 (this is ${process.platform} ${process.arch})`;

/** Deterministic 32-bit generator (mulberry32). */
function generator(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return (t ^ (t >>> 14)) >>> 0;
  };
}

/** Rows at very different magnitudes, with zeros, ties, subnormals and equal extremes of both signs. */
function hardRows(seed: number, elements: number): Float32Array {
  const next = generator(seed);
  const values = new Float32Array(elements);
  for (let start = 0; start < elements; start += 32) {
    const kind = next() % 8;
    const magnitude = 2 ** ((next() % 53) - 45);
    for (let i = start; i < start + 32; i++) {
      const unit = next() / 2 ** 31 - 1;
      if (kind === 0) values[i] = 0;
      else if (kind === 1) values[i] = Math.round(unit * 8) * magnitude;
      else if (kind === 2) values[i] = (Math.round(unit * 127) + 0.5) * magnitude;
      else if (kind === 3) values[i] = (next() & 1 ? 1 : -1) * magnitude;
      else if (kind === 4) values[i] = unit * 2 ** -130;
      else values[i] = unit * magnitude;
    }
  }
  return values;
}

describe('against the native library', { skip }, () => {
  const library = present ? koffi.load(path) : undefined;
  after(() => library?.unload());
  const call = (signature: string) => library!.func(signature);

  test('every tensor type has the block and byte size that ggml gives it', () => {
    const block = call('int64_t ggml_blck_size(int)');
    const bytes = call('size_t ggml_type_size(int)');
    const name = call('const char* ggml_type_name(int)');
    const known = tensorTypes.map((type) => type.number);
    // 43 is GGML_TYPE_COUNT of the pinned release; asking beyond it reads past the table.
    for (let number = 0; number < 43; number++) {
      const type = tensorType(number);
      const native = { block: Number(block(number)), bytes: Number(bytes(number)) };
      if (type === undefined) {
        assert.deepEqual(native, { block: 0, bytes: 0 }, `type ${number}`);
        assert.notEqual(removedTensorType(number), undefined, `type ${number}`);
        continue;
      }
      assert.deepEqual({ block: type.block, bytes: type.bytes }, native, type.name);
      assert.equal(type.name, String(name(number)).toUpperCase());
      assert.equal(tensorTypeNamed(type.name), type);
    }
    assert.ok(known.every((number) => number < 43));
  });

  test('quantising gives the bytes of ggml_quantize_chunk', () => {
    const chunk = call(
      'size_t ggml_quantize_chunk(int type, const float* src, _Out_ uint8_t* dst, int64_t start, int64_t nrows, int64_t n_per_row, const float* imatrix)',
    );
    for (const type of CODEC_TYPES) {
      const number = tensorTypeNamed(type)!.number;
      for (let seed = 1; seed <= 8; seed++) {
        const rows = 16;
        const width = 1024;
        const values = hardRows(seed, rows * width);
        const expected = new Uint8Array(codecBytes(type, values.length));
        if (type === 'F32') continue;
        assert.equal(Number(chunk(number, values, expected, 0, rows, width, null)), expected.length);
        assert.deepEqual(quantise(type, values), expected, `${type}, seed ${seed}`);
      }
    }
  });

  test('dequantising gives the floats of ggml', () => {
    const rowFunctions: Partial<Record<CodecType, string>> = {
      Q8_0: 'dequantize_row_q8_0',
      Q4_0: 'dequantize_row_q4_0',
      F16: 'ggml_fp16_to_fp32_row',
      BF16: 'ggml_bf16_to_fp32_row',
    };
    for (const [type, symbol] of Object.entries(rowFunctions) as [CodecType, string][]) {
      const row = call(`void ${symbol}(const void* x, _Out_ float* y, int64_t k)`);
      const bytes = quantise(type, hardRows(99, 8192));
      const expected = new Float32Array(8192);
      row(bytes, expected, 8192);
      assert.deepEqual(new Uint8Array(dequantise(type, bytes).buffer), new Uint8Array(expected.buffer), type);
      const shifted = new Uint8Array(bytes.length + 1);
      shifted.set(bytes, 1);
      assert.deepEqual(dequantise(type, shifted.subarray(1)), expected, `${type} at an odd address`);
    }
  });

  test('halves equal those of ggml over random floats of every class', () => {
    const toHalf = call('uint16_t ggml_fp32_to_fp16(float x)');
    const next = generator(7);
    const word = new Uint32Array(1);
    const float = new Float32Array(word.buffer);
    for (let i = 0; i < 100_000; i++) {
      // Two in three samples lie where halves are subnormal, normal or just overflow.
      const sign = next() & 0x80000000;
      word[0] = i % 3 === 0 ? next() : sign | (0x32000000 + (next() % 0x16000000));
      assert.equal(toF16(float[0]!), toHalf(float[0]!), `bits 0x${word[0].toString(16)}`);
    }
  });
});

test('decoding a half and encoding it again gives the same half, for all but NaN', () => {
  for (let half = 0; half < 65536; half++) {
    const value = fromF16(half);
    if (Number.isNaN(value)) {
      assert.ok((half & 0x7c00) === 0x7c00 && (half & 0x3ff) !== 0);
      continue;
    }
    assert.equal(toF16(value), half);
  }
});

test('halves round to nearest with ties to even', () => {
  assert.equal(toF16(1 + 2 ** -11), 0x3c00);
  assert.equal(toF16(1 + 3 * 2 ** -11), 0x3c02);
  assert.equal(toF16(65519.99609375), 0x7bff);
  assert.equal(toF16(65520), 0x7c00);
  assert.equal(toF16(2 ** -25), 0);
  assert.equal(toF16(2 ** -25 * 1.0001), 1);
  assert.equal(toF16(-0), 0x8000);
  assert.equal(toF16(Number.NaN) & 0x7fff, 0x7e00);
  assert.equal(fromF16(1), 2 ** -24);
  assert.equal(toBF16(1 + 2 ** -8), 0x3f80);
  assert.equal(toBF16(1 + 3 * 2 ** -8), 0x3f82);
  assert.equal(fromBF16(0xff80), Number.NEGATIVE_INFINITY);
  assert.ok(Number.isNaN(fromBF16(toBF16(Number.NaN))));
});

test('block types refuse NaN, infinity and values beyond their scale, and name the place', () => {
  for (const type of ['Q8_0', 'Q4_0'] as const) {
    for (const bad of [Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, 3e38]) {
      for (const at of [0, 1, 31]) {
        const values = new Float32Array(64).fill(0.5);
        values[32 + at] = bad;
        assert.throws(() => quantise(type, values), {
          code: 'tensor_values',
          details: { type, element: 32 },
        });
      }
    }
  }
});

test('lengths that are not whole blocks are refused', () => {
  assert.throws(() => quantise('Q8_0', new Float32Array(33)), { code: 'tensor_shape' });
  assert.throws(() => dequantise('Q4_0', new Uint8Array(19)), { code: 'tensor_shape' });
  assert.throws(() => dequantise('F16', new Uint8Array(3)), { code: 'tensor_shape' });
});

test('the error of a block type stays within half a step', () => {
  const values = hardRows(5, 4096);
  for (const [type, steps] of [
    ['Q8_0', 127],
    ['Q4_0', 8],
  ] as const) {
    const back = dequantise(type, quantise(type, values));
    for (let start = 0; start < values.length; start += 32) {
      const block = values.subarray(start, start + 32);
      const most = Math.max(...block.map(Math.abs));
      // The scale itself is rounded to a half: relative 2^-11, or 2^-25 where halves are subnormal.
      const scaleError = most * 2 ** -11 + steps * 2 ** -25;
      // Q4_0 reaches only +7 steps on the side opposite the extreme.
      const bound = (most / steps) * (type === 'Q4_0' ? 1 : 0.5) + scaleError * 1.01;
      for (let i = 0; i < 32; i++) {
        assert.ok(Math.abs(block[i]! - back[start + i]!) <= bound * 1.0001, `${type} element ${start + i}`);
      }
    }
  }
});
