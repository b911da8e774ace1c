import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { fc } from '../../../test/property.ts';
import { isKithError } from '../../base/index.ts';
import { bufferSource, fileSource, toBF16, toF16 } from '../gguf/index.ts';
import type { ByteSource } from '../types.ts';
import {
  MAX_SAFETENSORS_HEADER,
  openSharded,
  readRows,
  readSafetensors,
  type SafeTensor,
} from './safetensors.ts';

type Entry = { dtype: string; shape: number[]; data_offsets: number[] };

function file(header: unknown, data = new Uint8Array(0)): Uint8Array {
  const json = new TextEncoder().encode(typeof header === 'string' ? header : JSON.stringify(header));
  const out = new Uint8Array(8 + json.length + data.length);
  new DataView(out.buffer).setBigUint64(0, BigInt(json.length), true);
  out.set(json, 8);
  out.set(data, 8 + json.length);
  return out;
}

const read = (bytes: Uint8Array): Promise<Map<string, SafeTensor>> => readSafetensors(bufferSource(bytes));

function sample(): Uint8Array {
  const data = new Uint8Array(36);
  new Float32Array(data.buffer, 0, 6).set([1, -2, 3.5, 0, 1e-3, 7]);
  data.set(new Uint8Array(Uint16Array.from([1, -0.5], toF16).buffer), 24);
  data.set(new Uint8Array(Uint16Array.from([3, -4], toBF16).buffer), 28);
  return file(
    {
      __metadata__: { format: 'pt' },
      a: { dtype: 'F32', shape: [2, 3], data_offsets: [0, 24] },
      half: { dtype: 'F16', shape: [2], data_offsets: [24, 28] },
      brain: { dtype: 'BF16', shape: [1, 2], data_offsets: [28, 32] },
      ids: { dtype: 'I32', shape: [], data_offsets: [32, 36] },
    } satisfies Record<string, Entry | object>,
    data,
  );
}

test('rows of every float type come back as float32, in any span', async () => {
  const tensors = await read(sample());
  assert.deepEqual([...tensors.keys()], ['a', 'half', 'brain', 'ids']);
  assert.deepEqual([...(await readRows(tensors.get('a')!, 0, 2))], [1, -2, 3.5, 0, Math.fround(1e-3), 7]);
  assert.deepEqual([...(await readRows(tensors.get('a')!, 1, 1))], [0, Math.fround(1e-3), 7]);
  assert.deepEqual([...(await readRows(tensors.get('half')!, 0, 1))], [1, -0.5]);
  assert.deepEqual([...(await readRows(tensors.get('brain')!, 0, 1))], [3, -4]);
});

test('what readRows gives is a copy, so that changing it cannot reach the file buffer', async () => {
  const bytes = sample();
  const tensor = (await read(bytes)).get('a')!;
  (await readRows(tensor, 0, 2)).fill(9);
  assert.deepEqual([...(await readRows(tensor, 0, 1))], [1, -2, 3.5]);
});

test('an integer tensor may stand in the file, but reading it as weights is refused by name', async () => {
  const tensor = (await read(sample())).get('ids')!;
  await assert.rejects(readRows(tensor, 0, 1), (error: Error) => {
    assert.equal((error as { code?: string }).code, 'safetensors_dtype');
    assert.match(error.message, /"ids" is I32/);
    return true;
  });
});

test('rows outside a tensor are refused', async () => {
  const tensor = (await read(sample())).get('a')!;
  for (const [from, count] of [
    [0, 3],
    [2, 1],
    [-1, 1],
  ] as const) {
    await assert.rejects(readRows(tensor, from, count), { code: 'safetensors_bounds' });
  }
});

const entry = (change: Partial<Record<keyof Entry, unknown>>): unknown => ({
  w: { dtype: 'F32', shape: [2], data_offsets: [0, 8], ...change },
});

const refusals: [name: string, bytes: Uint8Array, code: string][] = [
  ['an empty file', new Uint8Array(0), 'safetensors_short'],
  ['a header longer than the file', file({ a: 1 }).subarray(0, 12), 'safetensors_short'],
  ['a header that is no JSON', file('{"a":'), 'safetensors_header'],
  ['a header that is a list', file('[]'), 'safetensors_header'],
  [
    'a header that is no UTF-8',
    (() => {
      const b = file('{"a":1}');
      b[10] = 0xff;
      return b;
    })(),
    'safetensors_header',
  ],
  ['an entry that is no object', file({ w: 3 }), 'safetensors_entry'],
  ['an unknown dtype', file(entry({ dtype: 'F7' }), new Uint8Array(8)), 'safetensors_dtype'],
  ['a negative dimension', file(entry({ shape: [-2] }), new Uint8Array(8)), 'safetensors_entry'],
  ['a fractional dimension', file(entry({ shape: [1.5] }), new Uint8Array(8)), 'safetensors_entry'],
  [
    'nine dimensions',
    file(entry({ shape: [1, 1, 1, 1, 1, 1, 1, 1, 2] }), new Uint8Array(8)),
    'safetensors_entry',
  ],
  ['one offset', file(entry({ data_offsets: [0] }), new Uint8Array(8)), 'safetensors_entry'],
  ['offsets in reverse', file(entry({ data_offsets: [8, 0] }), new Uint8Array(8)), 'safetensors_bounds'],
  ['data beyond the end', file(entry({}), new Uint8Array(7)), 'safetensors_bounds'],
  [
    'a shape that does not fill its bytes',
    file(entry({ shape: [3] }), new Uint8Array(8)),
    'safetensors_bounds',
  ],
  [
    'a shape whose product overflows',
    file(entry({ shape: [2 ** 40, 2 ** 40] }), new Uint8Array(8)),
    'safetensors_bounds',
  ],
  [
    'two tensors that overlap',
    file(
      {
        a: { dtype: 'F32', shape: [2], data_offsets: [0, 8] },
        b: { dtype: 'F32', shape: [1], data_offsets: [4, 8] },
      },
      new Uint8Array(8),
    ),
    'safetensors_overlap',
  ],
];

for (const [name, bytes, code] of refusals) {
  test(`${name} is refused with ${code}`, () => assert.rejects(read(bytes), { code }));
}

test('a header length above the limit is refused before anything is read', async () => {
  const reads: number[] = [];
  const head = new Uint8Array(8);
  new DataView(head.buffer).setBigUint64(0, BigInt(MAX_SAFETENSORS_HEADER) + 1n, true);
  const source: ByteSource = {
    size: 2 ** 40,
    read: async (_offset, length) => {
      reads.push(length);
      return head;
    },
  };
  await assert.rejects(readSafetensors(source), { code: 'safetensors_header' });
  assert.deepEqual(reads, [8]);
});

test('any mutation of a file gives tensors inside the file or a typed error', async () => {
  const original = sample();
  let refused = 0;
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.tuple(fc.nat(original.length - 1), fc.nat(255)), { minLength: 1, maxLength: 4 }),
      fc.nat(original.length),
      fc.boolean(),
      async (edits, length, cut) => {
        const bytes = original.slice(0, cut ? length : original.length);
        for (const [at, value] of edits) if (at < bytes.length) bytes[at] = value;
        try {
          for (const tensor of (await read(bytes)).values()) {
            assert.ok(tensor.offset >= 8 && tensor.offset + tensor.bytes <= bytes.length);
          }
        } catch (error) {
          if (!isKithError(error)) throw error;
          assert.match(error.code, /^safetensors_/);
          refused++;
        }
      },
    ),
    { numRuns: 20_000 },
  );
  assert.ok(refused > 10_000, `${refused} mutations were refused`);
});

test('headers of arbitrary JSON give a typed error or tensors inside the file', async () => {
  const loose = fc.record(
    {
      dtype: fc.constantFrom('F32', 'F16', 'I8', 'X', 3, null),
      shape: fc.oneof(
        fc.array(fc.oneof(fc.integer(), fc.double(), fc.constant('2')), { maxLength: 3 }),
        fc.string(),
      ),
      data_offsets: fc.oneof(fc.array(fc.integer({ min: -4, max: 40 }), { maxLength: 3 }), fc.constant(null)),
    },
    { requiredKeys: [] },
  );
  await fc.assert(
    fc.asyncProperty(fc.dictionary(fc.string(), fc.oneof(loose, fc.anything())), async (header) => {
      const json = JSON.stringify(header, (_key, value) =>
        typeof value === 'bigint' ? String(value) : value,
      );
      const bytes = file(json, new Uint8Array(16));
      const result = await read(bytes).catch((error: unknown) => error);
      if (result instanceof Map) {
        for (const tensor of result.values()) assert.ok(tensor.offset + tensor.bytes <= bytes.length);
      } else assert.ok(isKithError(result), String(result));
    }),
    { numRuns: 3_000 },
  );
});

test('shards are read through their index, and an index may not point outside the folder', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'kith-shards-'));
  try {
    const shard = (value: number) =>
      file(
        { [`w${value}`]: { dtype: 'F32', shape: [1], data_offsets: [0, 4] } },
        new Uint8Array(Float32Array.of(value).buffer),
      );
    await writeFile(join(folder, 'a-1.safetensors'), shard(1));
    await writeFile(join(folder, 'a-2.safetensors'), shard(2));
    const index = join(folder, 'model.safetensors.index.json');
    const open = async (map: unknown) => {
      await writeFile(index, JSON.stringify({ weight_map: map }));
      return openSharded(index, fileSource);
    };
    const good = await open({ w1: 'a-1.safetensors', w2: 'a-2.safetensors' });
    assert.deepEqual([...(await readRows(good.tensors.get('w2')!, 0, 1))], [2]);
    await good.close();
    await assert.rejects(open({ w1: 'a-2.safetensors' }), { code: 'safetensors_index' });
    await assert.rejects(open({ w1: 'absent.safetensors' }), { code: 'source_unreadable' });
    for (const path of [
      '../a-1.safetensors',
      '/etc/x.safetensors',
      '..\\a.safetensors',
      '.a.safetensors',
      7,
    ]) {
      await assert.rejects(open({ w1: path }), { code: 'safetensors_index' });
    }
    await assert.rejects(open([]), { code: 'safetensors_index' });
    await assert.rejects(open({}), { code: 'safetensors_index' });
  } finally {
    await rm(folder, { recursive: true });
  }
});
