import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { GgufValue } from '../types.ts';
import {
  getArray,
  getBool,
  getInteger,
  getNumber,
  getNumbers,
  getPerBlock,
  getString,
  getStrings,
  hasKey,
} from './access.ts';

const metadata = new Map<string, GgufValue>([
  ['u32', { type: 'uint32', value: 7 }],
  ['f32', { type: 'float32', value: 0.5 }],
  ['u64', { type: 'uint64', value: 2n ** 53n - 1n }],
  ['huge', { type: 'uint64', value: 2n ** 53n }],
  ['text', { type: 'string', value: 'hello' }],
  ['yes', { type: 'bool', value: true }],
  ['words', { type: 'array', value: { type: 'string', values: ['a', 'b'] } }],
  ['none', { type: 'array', value: { type: 'int32', values: new Int32Array(0) } }],
  ['ints', { type: 'array', value: { type: 'int32', values: Int32Array.of(4, 8, 16) } }],
  ['longs', { type: 'array', value: { type: 'int64', values: BigInt64Array.of(-1n, 2n) } }],
  ['far', { type: 'array', value: { type: 'uint64', values: BigUint64Array.of(2n ** 60n) } }],
  ['flags', { type: 'array', value: { type: 'bool', values: [true, false] } }],
]);
const gguf = { metadata };

test('values of the right type are returned as they are, 64-bit integers as numbers when they are safe', () => {
  assert.equal(getNumber(gguf, 'u32'), 7);
  assert.equal(getNumber(gguf, 'u64'), Number.MAX_SAFE_INTEGER);
  assert.equal(getNumber(gguf, 'f32'), 0.5);
  assert.equal(getString(gguf, 'text'), 'hello');
  assert.equal(getBool(gguf, 'yes'), true);
  assert.deepEqual(getStrings(gguf, 'words'), ['a', 'b']);
  assert.deepEqual(getStrings(gguf, 'none'), []);
  assert.deepEqual(getNumbers(gguf, 'ints'), Int32Array.of(4, 8, 16));
  assert.deepEqual(getNumbers(gguf, 'longs'), [-1, 2]);
  assert.deepEqual(getNumbers(gguf, 'flags'), [1, 0]);
  assert.equal(getArray(gguf, 'words').type, 'string');
  assert.equal(hasKey(gguf, 'yes'), true);
  assert.equal(hasKey(gguf, 'no'), false);
});

test('an absent key takes the fallback, even a falsy one, and without a fallback is an error that names it', () => {
  assert.equal(getNumber(gguf, 'no', 0), 0);
  assert.equal(getString(gguf, 'no', ''), '');
  assert.equal(getBool(gguf, 'no', false), false);
  assert.deepEqual(getNumbers(gguf, 'no', [1]), [1]);
  assert.deepEqual(getStrings(gguf, 'no', []), []);
  assert.equal(getInteger(gguf, 'no', { fallback: 3 }), 3);
  const expected = { name: 'InputError', code: 'gguf_key_missing', message: /"no"/ };
  for (const get of [getNumber, getInteger, getString, getBool, getNumbers, getStrings, getArray]) {
    assert.throws(() => get(gguf, 'no'), expected);
  }
});

test('a value of another type is an error that a fallback does not hide', () => {
  const expected = { name: 'InputError', code: 'gguf_key_type' };
  assert.throws(() => getNumber(gguf, 'text', 1), {
    ...expected,
    message: /"text" must be a number, but is string/,
  });
  assert.throws(() => getNumber(gguf, 'huge', 1), { ...expected, message: /9007199254740992/ });
  assert.throws(() => getNumber(gguf, 'yes', 1), expected);
  assert.throws(() => getString(gguf, 'u32', ''), expected);
  assert.throws(() => getBool(gguf, 'u32', true), expected);
  assert.throws(() => getStrings(gguf, 'ints', []), { ...expected, message: /array of int32/ });
  assert.throws(() => getStrings(gguf, 'text', []), expected);
  assert.throws(() => getNumbers(gguf, 'words', []), expected);
  assert.throws(() => getNumbers(gguf, 'far', []), expected);
  assert.throws(() => getNumbers(gguf, 'u32', []), expected);
  assert.throws(() => getArray(gguf, 'u32'), expected);
});

test('an integer is held to its range', () => {
  assert.equal(getInteger(gguf, 'u32', { min: 7, max: 7 }), 7);
  for (const range of [{ min: 8 }, { max: 6 }]) {
    assert.throws(() => getInteger(gguf, 'u32', range), {
      code: 'gguf_key_type',
      message: /but is uint32 7/,
    });
  }
  assert.throws(() => getInteger(gguf, 'f32'), { code: 'gguf_key_type' });
});

test('a value per block comes from one number or from an array that is long enough', () => {
  assert.deepEqual(getPerBlock(gguf, 'u32', 3), [7, 7, 7]);
  assert.deepEqual(getPerBlock(gguf, 'ints', 2), [4, 8]);
  assert.deepEqual(getPerBlock(gguf, 'no', 2, 5), [5, 5]);
  assert.throws(() => getPerBlock(gguf, 'ints', 4), { code: 'gguf_key_type', message: /each of 4 blocks/ });
  assert.throws(() => getPerBlock(gguf, 'no', 4), { code: 'gguf_key_missing' });
});
