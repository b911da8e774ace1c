/**
 * Feeds broken GGUF headers to the parser: a few valid headers that hold every value and tensor type, damaged in the
 * ways that find holes in parsers. Everything follows from the seed.
 *
 * @module test/gguf-mutations
 */

import assert from 'node:assert/strict';
import { getHeapStatistics } from 'node:v8';
import { InputError } from '../src/base/errors.ts';
import { encodeGgufHeader } from '../src/models/gguf/encode.ts';
import { parseGgufHeader } from '../src/models/gguf/header.ts';
import { GGUF_LIMITS } from '../src/models/gguf/limits.ts';
import { tensorBytes, tensorType, tensorTypes } from '../src/models/gguf/types-table.ts';
import type { Gguf, GgufArray, GgufValue } from '../src/models/types.ts';

export interface FuzzReport {
  readonly mutations: number;
  /** Outcomes by name: `valid`, `need` (the header goes on) or the error's code. */
  readonly outcomes: ReadonlyMap<string, number>;
  /** Largest growth of heap and array buffers seen over one parse, bytes. */
  readonly largestGrowth: number;
}

/** Memory one parse of a header of a few KiB may take, whatever its counts claim. */
const GROWTH_BOUND = 4 * 1024 * 1024;

type Random = (below: number) => number;

/** xorshift32: fast and the same everywhere. */
function randomFrom(seed: number): Random {
  let state = seed | 1;
  return (below) => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return (state >>> 0) % below;
  };
}

const scalars: readonly GgufValue[] = [
  { type: 'uint8', value: 200 },
  { type: 'int8', value: -3 },
  { type: 'uint16', value: 60_000 },
  { type: 'int16', value: -30_000 },
  { type: 'uint32', value: 4_000_000_000 },
  { type: 'int32', value: -2_000_000_000 },
  { type: 'float32', value: 0.5 },
  { type: 'bool', value: true },
  { type: 'string', value: 'text, żółw, 😀, \udcff' },
  { type: 'uint64', value: 2n ** 64n - 1n },
  { type: 'int64', value: -(2n ** 63n) },
  { type: 'float64', value: Number.NaN },
];
const arrays: readonly GgufArray[] = [
  { type: 'uint8', values: Uint8Array.of(1, 2, 3) },
  { type: 'int8', values: Int8Array.of(-1) },
  { type: 'uint16', values: Uint16Array.of(1, 2) },
  { type: 'int16', values: Int16Array.of(-1, 2) },
  { type: 'uint32', values: Uint32Array.of(1) },
  { type: 'int32', values: Int32Array.of(-1, 2, 3) },
  { type: 'float32', values: Float32Array.of(1, Number.NaN) },
  { type: 'bool', values: [true, false] },
  { type: 'string', values: ['a', '', '▁the'] },
  { type: 'uint64', values: BigUint64Array.of(1n) },
  { type: 'int64', values: BigInt64Array.of(-1n) },
  { type: 'float64', values: Float64Array.of(0.1) },
];

function seeds(): Buffer[] {
  const nested: GgufArray = { type: 'array', values: [{ type: 'array', values: arrays }, arrays[0]!] };
  const layouts = [
    { metadata: scalars.map((value): [string, GgufValue] => [`k.${value.type}`, value]), tensors: [] },
    {
      metadata: arrays.map((value): [string, GgufValue] => [`a.${value.type}`, { type: 'array', value }]),
      tensors: [],
    },
    {
      metadata: [['nested', { type: 'array', value: nested }]] as [string, GgufValue][],
      tensors: [{ name: 'blk.0.w', dims: [256, 2, 1, 3], type: 12 }],
      version: 2 as const,
    },
    {
      metadata: [['general.architecture', { type: 'string', value: 'llama' }]] as [string, GgufValue][],
      tensors: tensorTypes.map(({ name, number, block }) => ({ name, dims: [block, 2], type: number })),
      alignment: 64,
    },
    {
      metadata: [
        ['general.architecture', { type: 'string', value: 'llama' }],
        ['llama.block_count', { type: 'uint32', value: 2 }],
      ] as [string, GgufValue][],
      tensors: ['token_embd.weight', 'blk.0.w', 'blk.1.w'].map((name) => ({ name, dims: [32, 4], type: 8 })),
    },
  ];
  return layouts.map((layout) => {
    const { bytes, gguf } = encodeGgufHeader(layout);
    const file = Buffer.alloc(gguf.fileBytes);
    file.set(bytes);
    return file;
  });
}

const EXTREMES = [
  0n,
  1n,
  0x7fn,
  0xffffn,
  0x7fff_ffffn,
  0xffff_ffffn,
  0x1_0000_0000n,
  2n ** 53n - 1n,
  2n ** 53n,
  2n ** 63n - 1n,
  2n ** 63n,
  2n ** 64n - 1n,
];

/** Where a little 64-bit number seems to stand: counts, lengths, dimensions, offsets. */
function lengthFields(bytes: Buffer): number[] {
  const places: number[] = [];
  for (let at = 8; at + 8 <= bytes.length; at++) {
    if (bytes.readUInt32LE(at + 4) === 0 && bytes.readUInt32LE(at) < 4096 && bytes[at] !== 0) places.push(at);
  }
  return places;
}

/** Where a small 32-bit number seems to stand: value types, tensor types, ranks. */
function typeFields(bytes: Buffer): number[] {
  const places: number[] = [];
  for (let at = 4; at + 4 <= bytes.length; at++) if (bytes.readUInt32LE(at) < 64) places.push(at);
  return places;
}

interface Seed {
  readonly bytes: Buffer;
  readonly lengths: readonly number[];
  readonly types: readonly number[];
}

function mutate(seed: Seed, all: readonly Seed[], scratch: Buffer, random: Random): Buffer {
  const { bytes } = seed;
  scratch.set(bytes);
  let out = scratch.subarray(0, bytes.length);
  for (let rounds = 1 + random(3); rounds > 0 && out.length >= 8; rounds--) {
    const at = random(out.length);
    switch (random(9)) {
      case 0:
        out[at]! ^= 1 << random(8);
        break;
      case 1:
        out[at] = random(256);
        break;
      case 2:
      case 3: {
        const place = Math.min(seed.lengths[random(seed.lengths.length)]!, out.length - 8);
        const near = BigInt(out.length - place + random(17) - 8);
        const value = random(3) === 0 ? near : EXTREMES[random(EXTREMES.length)]!;
        out.writeBigUInt64LE(BigInt.asUintN(64, value), place);
        break;
      }
      case 4: {
        const place = Math.min(seed.types[random(seed.types.length)]!, out.length - 4);
        out.writeUInt32LE(random(4) === 0 ? random(2 ** 32 - 1) : random(48), place);
        break;
      }
      case 5:
        out = out.subarray(0, at);
        break;
      case 6: {
        const other = all[random(all.length)]!.bytes;
        const from = random(other.length);
        const length = Math.min(1 + random(64), other.length - from, out.length - at);
        out.set(other.subarray(from, from + length), at);
        break;
      }
      case 7: {
        const length = Math.min(1 + random(16), out.length - at);
        out.copyWithin(at, at + length);
        out = out.subarray(0, out.length - length);
        break;
      }
      default: {
        const length = Math.min(1 + random(16), scratch.length - out.length);
        const grown = scratch.subarray(0, out.length + length);
        grown.copyWithin(at + length, at, out.length);
        out = grown;
      }
    }
  }
  return out;
}

/** What the caller of the parser relies on. */
function checkValid(gguf: Gguf, fileBytes: number): void {
  assert.ok(gguf.version === 2 || gguf.version === 3);
  assert.equal(gguf.fileBytes, fileBytes);
  assert.equal(gguf.dataOffset % gguf.alignment, 0);
  for (const [name, tensor] of gguf.tensors) {
    assert.equal(tensor.name, name);
    assert.ok(name.length > 0 && name.isWellFormed());
    const type = tensorType(tensor.type)!;
    assert.equal(tensor.dims[0]! % type.block, 0);
    assert.ok(tensor.dims.every((dim) => Number.isSafeInteger(dim) && dim > 0) && tensor.dims.length <= 4);
    assert.equal(tensor.bytes, tensorBytes(type, tensor.dims));
    assert.ok(tensor.offset >= gguf.dataOffset && tensor.offset + tensor.bytes <= fileBytes);
    assert.equal(tensor.offset % gguf.alignment, 0);
  }
  for (const [key, { type, value }] of gguf.metadata) {
    assert.ok(key.length > 0 && key.isWellFormed() && type !== undefined && value !== undefined);
  }
}

/** Runs `mutations` damaged headers; throws on anything but a valid header, a wish for more, or an `InputError`. */
export function fuzzGguf(mutations: number, seed: number): FuzzReport {
  const random = randomFrom(seed);
  const all: Seed[] = seeds().map((bytes) => ({
    bytes,
    lengths: lengthFields(bytes),
    types: typeFields(bytes),
  }));
  const scratch = Buffer.alloc(Math.max(...all.map(({ bytes }) => bytes.length)) + 256);
  const outcomes = new Map<string, number>();
  let largestGrowth = 0;
  for (let i = 0; i < mutations; i++) {
    const bytes = mutate(all[random(all.length)]!, all, scratch, random);
    // One in four claims to be the start of a file of up to 2^53 bytes, so that the size does not stop a count.
    const fileBytes = random(4) === 0 ? bytes.length + 2 ** random(53) : bytes.length;
    const before = liveBytes();
    const outcome = run(bytes, fileBytes, `mutation ${i} of seed ${seed}`);
    largestGrowth = Math.max(largestGrowth, liveBytes() - before);
    outcomes.set(outcome, (outcomes.get(outcome) ?? 0) + 1);
    assert.ok(largestGrowth < GROWTH_BOUND, `mutation ${i} of seed ${seed} took ${largestGrowth} bytes`);
  }
  return { mutations, outcomes, largestGrowth };
}

function liveBytes(): number {
  const { used_heap_size, external_memory } = getHeapStatistics();
  return used_heap_size + external_memory;
}

function run(bytes: Buffer, fileBytes: number, name: string): string {
  try {
    const result = parseGgufHeader(bytes, fileBytes);
    if ('need' in result) {
      assert.ok(
        result.need > bytes.length && result.need <= Math.min(fileBytes, GGUF_LIMITS.headerBytes),
        name,
      );
      return 'need';
    }
    checkValid(result, fileBytes);
    return 'valid';
  } catch (error) {
    if (error instanceof InputError && error.code.startsWith('gguf_')) return error.code;
    throw new Error(`${name}: ${bytes.toString('hex')}`, { cause: error });
  }
}

/** Outcomes that a run must meet, or it did not look where it should. */
export const EXPECTED_OUTCOMES: readonly string[] = [
  'valid',
  'need',
  'gguf_magic',
  'gguf_version',
  'gguf_truncated',
  'gguf_limit',
  'gguf_name',
  'gguf_duplicate',
  'gguf_value',
  'gguf_alignment',
  'gguf_tensor_type',
  'gguf_tensor_shape',
  'gguf_tensor_offset',
  'gguf_tensor_overlap',
];

/** One line per outcome, most frequent first. */
export function describeReport(report: FuzzReport): string {
  const lines = [...report.outcomes].sort((a, b) => b[1] - a[1]).map(([name, count]) => `  ${name} ${count}`);
  return [
    `${report.mutations} damaged headers, largest growth ${Math.ceil(report.largestGrowth / 1024)} KiB`,
    ...lines,
  ].join('\n');
}
