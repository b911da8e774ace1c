import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import koffi from 'koffi';
import { fc } from '../../../test/property.ts';
import type { GgufArray, GgufValue } from '../types.ts';
import { encodeGgufHeader } from './encode.ts';
import { parseGgufHeader } from './header.ts';
import { readGguf } from './read.ts';
import { bufferSource, fileSource } from './source.ts';
import { tensorBytes, tensorType } from './types-table.ts';
import { type ByteSink, type GgufInput, type GgufTensorInput, writeGguf } from './write.ts';

let folder = '';
before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'kith-gguf-'));
});
after(async () => {
  await rm(folder, { recursive: true });
});

function memorySink(): ByteSink & { bytes(): Buffer } {
  const pieces: Buffer[] = [];
  return {
    async write(piece) {
      pieces.push(Buffer.from(piece));
    },
    bytes: () => Buffer.concat(pieces),
  };
}

/** Any text, with bytes that are not UTF-8 among it (as escapes that do not happen to form valid UTF-8). */
const anyText = fc.oneof(
  fc.string({ unit: 'binary', maxLength: 20 }),
  fc.string({ unit: 'grapheme', maxLength: 20 }),
  fc.string({ maxLength: 5 }).map((text) => `${text}\udcff${text}`),
);
const range = (bits: number, signed: boolean): fc.Arbitrary<number> =>
  fc.integer(signed ? { min: -(2 ** (bits - 1)), max: 2 ** (bits - 1) - 1 } : { min: 0, max: 2 ** bits - 1 });
const float32 = fc.float();
const double = fc.double();
const u64 = fc.oneof(
  fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }),
  fc.constantFrom(0n, 2n ** 64n - 1n, 2n ** 63n),
);
const i64 = fc.oneof(
  fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }),
  fc.constantFrom(-(2n ** 63n), 2n ** 63n - 1n, -1n),
);
const scalar = (type: Exclude<GgufValue['type'], 'array'>, value: fc.Arbitrary<GgufValue['value']>) =>
  value.map((v) => ({ type, value: v }) as GgufValue);
const list = <T>(type: GgufArray['type'], item: fc.Arbitrary<T>, make: (items: T[]) => GgufArray['values']) =>
  fc.array(item, { maxLength: 8 }).map((items): GgufArray => ({ type, values: make(items) }));

const plainArray: fc.Arbitrary<GgufArray> = fc.oneof(
  list('uint8', range(8, false), (v) => Uint8Array.from(v)),
  list('int8', range(8, true), (v) => Int8Array.from(v)),
  list('uint16', range(16, false), (v) => Uint16Array.from(v)),
  list('int16', range(16, true), (v) => Int16Array.from(v)),
  list('uint32', range(32, false), (v) => Uint32Array.from(v)),
  list('int32', range(32, true), (v) => Int32Array.from(v)),
  list('float32', float32, (v) => Float32Array.from(v)),
  list('float64', double, (v) => Float64Array.from(v)),
  list('uint64', u64, (v) => BigUint64Array.from(v)),
  list('int64', i64, (v) => BigInt64Array.from(v)),
  list('bool', fc.boolean(), (v) => v),
  list('string', anyText, (v) => v),
);
const anyArray: fc.Arbitrary<GgufArray> = fc.oneof(
  plainArray,
  list('array', plainArray, (v) => v),
  list(
    'array',
    list('array', plainArray, (v) => v),
    (v) => v,
  ),
);
const anyValue: fc.Arbitrary<GgufValue> = fc.oneof(
  scalar('uint8', range(8, false)),
  scalar('int8', range(8, true)),
  scalar('uint16', range(16, false)),
  scalar('int16', range(16, true)),
  scalar('uint32', range(32, false)),
  scalar('int32', range(32, true)),
  scalar('uint64', u64),
  scalar('int64', i64),
  scalar('float32', float32),
  scalar('float64', double),
  scalar('bool', fc.boolean()),
  scalar('string', anyText),
  anyArray.map((value): GgufValue => ({ type: 'array', value })),
);
const anyName = fc
  .string({ unit: 'grapheme', minLength: 1, maxLength: 8 })
  .filter((name) => !name.includes('\0'));
const anyTensor: fc.Arbitrary<GgufTensorInput> = fc
  .record({
    name: anyName,
    type: fc.constantFrom(0, 1, 2, 8, 12, 16, 24, 30),
    rows: fc.array(fc.integer({ min: 1, max: 3 }), { maxLength: 3 }),
    blocks: fc.integer({ min: 1, max: 3 }),
    fill: fc.integer({ min: 0, max: 255 }),
  })
  .map(({ name, type, rows, blocks, fill }) => {
    const dims = [blocks * tensorType(type)!.block, ...rows];
    return { name, type, dims, data: new Uint8Array(tensorBytes(tensorType(type)!, dims)!).fill(fill) };
  });
const anyInput: fc.Arbitrary<GgufInput> = fc.record({
  metadata: fc.uniqueArray(fc.tuple(anyName, anyValue), { selector: ([key]) => key, maxLength: 12 }),
  tensors: fc.uniqueArray(anyTensor, { selector: ({ name }) => name, maxLength: 5 }),
  alignment: fc.constantFrom(8, 32, 64, 4096),
  version: fc.constantFrom(2 as const, 3 as const),
});

test('what is written reads back equal, value for value and byte for byte', async () => {
  await fc.assert(
    fc.asyncProperty(anyInput, async (input) => {
      const sink = memorySink();
      const written = await writeGguf(sink, input);
      const bytes = sink.bytes();
      assert.equal(written.bytes, bytes.length);
      assert.equal(written.sha256, createHash('sha256').update(bytes).digest('hex'));
      const gguf = await readGguf(bufferSource(bytes), { firstRead: 50 });
      assert.deepEqual(gguf, written.gguf);
      assert.equal(gguf.alignment, input.alignment);
      assert.deepEqual([...gguf.metadata].slice(0, [...input.metadata].length), [...input.metadata]);
      for (const { name, data, dims, type } of input.tensors) {
        const tensor = gguf.tensors.get(name)!;
        assert.deepEqual([tensor.dims, tensor.type], [dims, type]);
        assert.deepEqual(new Uint8Array(bytes.subarray(tensor.offset, tensor.offset + tensor.bytes)), data);
      }
      // Writing what was read gives the same file.
      const again = memorySink();
      const tensors = [...gguf.tensors.values()].map((tensor) => ({
        ...tensor,
        data: async () => bytes.subarray(tensor.offset, tensor.offset + tensor.bytes),
      }));
      await writeGguf(again, { metadata: gguf.metadata, tensors, version: gguf.version as 2 | 3 });
      assert.ok(again.bytes().equals(bytes));
    }),
    { numRuns: 300 },
  );
});

const small: GgufInput = {
  metadata: [
    ['general.architecture', { type: 'string', value: 'llama' }],
    ['n', { type: 'uint64', value: 7n }],
    ['list', { type: 'array', value: { type: 'string', values: ['a', 'Ω'] } }],
    ['scores', { type: 'array', value: { type: 'float32', values: Float32Array.of(-1, 0.5) } }],
  ],
  tensors: [
    { name: 'blk.0.w', dims: [32, 2], type: 8, data: new Uint8Array(68).fill(1) },
    { name: 'norm', dims: [3], type: 0, data: new Uint8Array(12).fill(2) },
  ],
};

const library = fileURLToPath(
  new URL('../../../node_modules/@node-llama-cpp/linux-x64/bins/linux-x64/libggml-base.so', import.meta.url),
);
const present = process.platform === 'linux' && process.arch === 'x64' && existsSync(library);
const skip = present
  ? false
  : `the reference library is only compared on Linux x64 (this is ${process.platform} ${process.arch})`;

test('the native GGUF reader reads a written file the same way', { skip }, async () => {
  const native = koffi.load(library);
  const call = (signature: string) => native.func(signature);
  const parameters = koffi.struct({ no_alloc: 'bool', ctx: 'void *' });
  const context = koffi.opaque();
  koffi.alias('GgufContext', koffi.pointer(context));
  const open = native.func('gguf_init_from_file', 'GgufContext', ['str', parameters]);
  const path = join(folder, 'native.gguf');
  const { gguf } = await writeGguf(path, { ...small, alignment: 64 });
  const file = open(path, { no_alloc: true, ctx: null });
  assert.ok(file !== null);
  const key = (name: string): number => Number(call('int64_t gguf_find_key(GgufContext, str)')(file, name));
  assert.equal(Number(call('size_t gguf_get_alignment(GgufContext)')(file)), 64);
  assert.equal(Number(call('size_t gguf_get_data_offset(GgufContext)')(file)), gguf.dataOffset);
  assert.equal(Number(call('int64_t gguf_get_n_kv(GgufContext)')(file)), 5);
  assert.equal(
    call('str gguf_get_val_str(GgufContext, int64_t)')(file, key('general.architecture')),
    'llama',
  );
  assert.equal(Number(call('uint64_t gguf_get_val_u64(GgufContext, int64_t)')(file, key('n'))), 7);
  assert.equal(call('str gguf_get_arr_str(GgufContext, int64_t, size_t)')(file, key('list'), 1), 'Ω');
  assert.equal(Number(call('int64_t gguf_get_n_tensors(GgufContext)')(file)), 2);
  for (const [index, tensor] of [...gguf.tensors.values()].entries()) {
    assert.equal(call('str gguf_get_tensor_name(GgufContext, int64_t)')(file, index), tensor.name);
    assert.equal(Number(call('int gguf_get_tensor_type(GgufContext, int64_t)')(file, index)), tensor.type);
    const offset = Number(call('size_t gguf_get_tensor_offset(GgufContext, int64_t)')(file, index));
    assert.equal(offset + gguf.dataOffset, tensor.offset);
    assert.equal(
      Number(call('size_t gguf_get_tensor_size(GgufContext, int64_t)')(file, index)),
      tensor.bytes,
    );
  }
  call('void gguf_free(GgufContext)')(file);
});

test('the three forms of data give the same file, and the sink sees it piece by piece', async () => {
  const [weights, norm] = small.tensors as [GgufTensorInput, GgufTensorInput];
  const bytes = weights.data as Uint8Array;
  const forms: GgufTensorInput['data'][] = [
    bytes,
    async () => bytes,
    (async function* () {
      for (let at = 0; at < bytes.length; at += 10) yield bytes.subarray(at, at + 10);
    })(),
  ];
  const made: string[] = [];
  for (const data of forms) {
    const sink = memorySink();
    const progress: number[] = [];
    const totals = new Set<number>();
    const onProgress = (done: number, total: number): void => {
      progress.push(done);
      totals.add(total);
    };
    made.push(
      (await writeGguf(sink, { ...small, tensors: [{ ...weights, data }, norm] }, { onProgress })).sha256,
    );
    assert.deepEqual([...totals], [sink.bytes().length]);
    assert.equal(progress.at(-1), sink.bytes().length);
    assert.deepEqual(
      progress,
      progress.toSorted((a, b) => a - b),
    );
  }
  assert.equal(new Set(made).size, 1);
});

test('data is asked for only when its turn comes', async () => {
  const order: string[] = [];
  const tensors = ['a', 'b'].map((name) => ({
    name,
    dims: [4],
    type: 0,
    data: async () => {
      order.push(`make ${name}`);
      return new Uint8Array(16);
    },
  }));
  await writeGguf(
    { write: async (piece) => void order.push(`write ${piece.length}`) },
    { metadata: [], tensors },
  );
  assert.deepEqual(order, ['write 96', 'make a', 'write 16', 'write 16', 'make b', 'write 16', 'write 16']);
});

test('a failed write leaves the old file and nothing else', async () => {
  const place = await mkdtemp(join(folder, 'atomic-'));
  const path = join(place, 'model.gguf');
  await writeFile(path, 'old');
  const [weights, norm] = small.tensors as [GgufTensorInput, GgufTensorInput];
  const broken = (data: GgufTensorInput['data']): GgufInput => ({
    ...small,
    tensors: [weights, { ...norm, data }],
  });
  await assert.rejects(writeGguf(path, broken(new Uint8Array(11))), { code: 'gguf_tensor_data' });
  await assert.rejects(writeGguf(path, broken(new Uint8Array(13))), { code: 'gguf_tensor_data' });
  const gone = new Error('the download stopped');
  await assert.rejects(
    writeGguf(
      path,
      broken(async () => {
        throw gone;
      }),
    ),
    gone,
  );
  const controller = new AbortController();
  const stop = async (): Promise<Uint8Array> => {
    controller.abort();
    return new Uint8Array(12);
  };
  await assert.rejects(writeGguf(path, broken(stop), { signal: controller.signal }), { code: 'aborted' });
  assert.deepEqual(await readdir(place), ['model.gguf']);
  assert.equal(await readFile(path, 'utf8'), 'old');

  const { bytes } = await writeGguf(path, small);
  assert.deepEqual(await readdir(place), ['model.gguf']);
  await using source = await fileSource(path);
  assert.equal(source.size, bytes);
  assert.equal((await readGguf(source)).tensors.size, 2);
});

test('a folder that is not there is a typed error that names the path', async () => {
  await assert.rejects(writeGguf(join(folder, 'no', 'm.gguf'), small), {
    code: 'gguf_write_failed',
    message: /no.m\.gguf/,
  });
});

test('values outside their type are refused with their key', () => {
  const bad: [GgufValue['type'], unknown][] = [
    ['uint8', 256],
    ['uint8', -1],
    ['int8', 128],
    ['uint16', 65536],
    ['int16', -32769],
    ['uint32', 2 ** 32],
    ['int32', 1.5],
    ['int32', Number.NaN],
    ['uint32', 1n],
    ['uint64', 1],
    ['uint64', -1n],
    ['uint64', 2n ** 64n],
    ['int64', 2n ** 63n],
    ['string', 1],
    ['string', '\ud800'],
    ['bool', 1],
    ['float32', '1'],
    ['complex' as 'bool', 1],
    ['array', { type: 'uint8', values: [1, 2] }],
    ['array', { type: 'uint8', values: Float32Array.of(1) }],
    ['array', { type: 'string', values: ['a', 1] }],
    ['array', { type: 'bool', values: [0] }],
    ['array', { type: 'string', values: Uint8Array.of(1) }],
  ];
  for (const [type, value] of bad) {
    const metadata = [['the.key', { type, value } as GgufValue]] as const;
    assert.throws(() => encodeGgufHeader({ metadata, tensors: [] }), {
      code: 'gguf_value',
      message: /"the\.key"/,
    });
  }
});

test('a layout that cannot be read is not written', () => {
  const encode = (layout: Partial<GgufInput>) => () =>
    encodeGgufHeader({ metadata: [], tensors: [], ...layout });
  const tensor = { name: 'a', dims: [32], type: 8, data: new Uint8Array(34) };
  const one: GgufValue = { type: 'uint32', value: 1 };
  assert.throws(encode({ tensors: [tensor, tensor] }), { code: 'gguf_duplicate' });
  assert.throws(encode({ tensors: [{ ...tensor, dims: [31] }] }), { code: 'gguf_tensor_shape' });
  assert.throws(encode({ tensors: [{ ...tensor, dims: [] }] }), { code: 'gguf_tensor_shape' });
  assert.throws(encode({ tensors: [{ ...tensor, dims: [32, 1, 1, 1, 1] }] }), { code: 'gguf_tensor_shape' });
  assert.throws(encode({ tensors: [{ ...tensor, type: 4 }] }), { code: 'gguf_tensor_type' });
  assert.throws(encode({ tensors: [{ ...tensor, name: '' }] }), { code: 'gguf_name' });
  assert.throws(encode({ tensors: [{ ...tensor, name: 'x'.repeat(65) }] }), { code: 'gguf_limit' });
  assert.throws(
    encode({
      metadata: [
        ['k', one],
        ['k', one],
      ],
    }),
    { code: 'gguf_duplicate' },
  );
  assert.throws(encode({ alignment: 24 }), { code: 'gguf_alignment' });
  assert.throws(encode({ alignment: 64, metadata: [['general.alignment', { type: 'uint32', value: 32 }]] }), {
    code: 'gguf_alignment',
  });
});

test('the header is the same as one put together by hand', () => {
  const { bytes, gguf } = encodeGgufHeader({
    metadata: [['k', { type: 'uint16', value: 258 }]],
    tensors: [{ name: 't', dims: [2], type: 0 }],
  });
  const expected = [
    '47475546 03000000 0100000000000000 0100000000000000',
    '0100000000000000 6b 02000000 0201',
    '0100000000000000 74 01000000 0200000000000000 00000000 0000000000000000',
  ]
    .join('')
    .replaceAll(' ', '');
  assert.equal(Buffer.from(bytes).toString('hex'), expected.padEnd(96 * 2, '0'));
  assert.deepEqual(parseGgufHeader(bytes, 128), gguf);
});
