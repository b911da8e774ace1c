import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import type { GgufArray, GgufValue } from '../types.ts';
import { encodeGgufHeader, type GgufTensorLayout } from './encode.ts';
import { parseGgufHeader } from './header.ts';
import { GGUF_LIMITS } from './limits.ts';

setFlagsFromString('--expose-gc');
const collect = runInNewContext('gc') as () => void;

async function liveBytes(): Promise<number> {
  // Array buffers are released by a task after the collection that finds them.
  for (let i = 0; i < 4; i++) {
    collect();
    await new Promise((resolve) => setImmediate(resolve));
  }
  const { heapUsed, arrayBuffers } = process.memoryUsage();
  return heapUsed + arrayBuffers;
}

/** Headers that turn few bytes into many objects, and headers that carry much. */
const shapes: readonly [name: string, metadata: () => [string, GgufValue][], tensors?: GgufTensorLayout[]][] =
  [
    ['empty strings', () => [array('k', { type: 'string', values: new Array<string>(100_000).fill('') })]],
    [
      'short strings',
      () => [
        array(
          'k',
          strings((i) => `${i}`),
        ),
      ],
    ],
    [
      'two-byte strings',
      () => [
        array(
          'k',
          strings((i) => `▁слово${i}`),
        ),
      ],
    ],
    [
      'broken strings',
      () => [
        array(
          'k',
          strings((i) => `${i}${'\udcff'.repeat(40)}`),
        ),
      ],
    ],
    ['bools', () => [array('k', { type: 'bool', values: new Array<boolean>(400_000).fill(true) })]],
    [
      'empty arrays',
      () => [
        array(
          'k',
          nested(() => ({ type: 'uint8', values: new Uint8Array(0) })),
        ),
      ],
    ],
    [
      'arrays of one',
      () => [
        array(
          'k',
          nested(() => ({ type: 'int64', values: BigInt64Array.of(1n) })),
        ),
      ],
    ],
    [
      'empty lists',
      () => [
        array(
          'k',
          nested(() => ({ type: 'string', values: [] })),
        ),
      ],
    ],
    ['numbers', () => [array('k', { type: 'float32', values: new Float32Array(1_000_000) })]],
    [
      'entries',
      () => Array.from({ length: 60_000 }, (_, i) => [`${i}`, { type: 'int64', value: -(2n ** 63n) }]),
    ],
    ['floats', () => Array.from({ length: 60_000 }, (_, i) => [`${i}`, { type: 'float64', value: i + 0.1 }])],
    [
      'tensors',
      () => [],
      Array.from({ length: 60_000 }, (_, i) => ({ name: `${i}`, dims: [1, 1, 1, 1], type: 24 })),
    ],
  ];

function array(key: string, value: GgufArray): [string, GgufValue] {
  return [key, { type: 'array', value }];
}
function strings(make: (i: number) => string): GgufArray {
  return { type: 'string', values: Array.from({ length: 50_000 }, (_, i) => make(i)) };
}
function nested(make: () => GgufArray): GgufArray {
  return { type: 'array', values: Array.from({ length: 30_000 }, make) };
}

for (const [name, metadata, tensors] of shapes) {
  test(`the memory that a header of many ${name} keeps is less than what was charged for it`, async () => {
    const { bytes, gguf } = encodeGgufHeader({ metadata: metadata(), tensors: tensors ?? [] });
    const { fileBytes } = gguf;
    const before = await liveBytes();
    const parsed = parseGgufHeader(bytes, fileBytes);
    const kept = (await liveBytes()) - before;
    assert.ok(!('need' in parsed) && parsed.metadata.size + parsed.tensors.size > 0);
    assert.ok(kept > 500_000, `kept ${kept}`);
    // A budget of what is kept is not enough: the charge is an upper bound. (16 KiB for the measuring itself.)
    const limits = { ...GGUF_LIMITS, memoryBytes: kept - 16_384 };
    assert.throws(() => parseGgufHeader(bytes, fileBytes, limits), {
      code: 'gguf_limit',
      message: /memoryBytes/,
    });
    // And it is not far above, or real models would meet the limit.
    assert.doesNotThrow(() => parseGgufHeader(bytes, fileBytes, { ...GGUF_LIMITS, memoryBytes: kept * 6 }));
  });
}
