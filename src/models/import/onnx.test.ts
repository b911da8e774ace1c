import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fc } from '../../../test/property.ts';
import { isKithError } from '../../base/index.ts';
import { bufferSource } from '../gguf/index.ts';
import { ONNX_TYPE, rawData, readOnnx, scalar } from './onnx.ts';

/** A protobuf writer of the test's own, so that the reader is not tested against itself. */
function varint(value: number): number[] {
  const out: number[] = [];
  let rest = value;
  while (rest > 127) {
    out.push((rest % 128) + 128);
    rest = Math.floor(rest / 128);
  }
  return [...out, rest];
}
const number = (field: number, value: number): number[] => [...varint(field * 8), ...varint(value)];
const bytes = (field: number, payload: Iterable<number>): number[] => {
  const list = [...payload];
  return [...varint(field * 8 + 2), ...varint(list.length), ...list];
};
const text = (field: number, value: string): number[] => bytes(field, Buffer.from(value));
const tensor = (name: string, dims: number[], type: number, data: number[]): number[] =>
  bytes(5, [...dims.flatMap((dim) => number(1, dim)), ...number(2, type), ...text(8, name), ...data]);
const node = (name: string, op: string, inputs: string[], outputs: string[]): number[] =>
  bytes(1, [
    ...inputs.flatMap((input) => text(1, input)),
    ...outputs.flatMap((output) => text(2, output)),
    ...text(3, name),
    ...text(4, op),
  ]);
const model = (...graph: number[][]): Uint8Array =>
  Uint8Array.from([...number(1, 8), ...bytes(7, graph.flat())]);
const floats = (...values: number[]): Uint8Array => new Uint8Array(Float32Array.from(values).buffer);

function sample(): Uint8Array {
  return model(
    node('/lm_head/MatMul_quant', 'MatMulInteger', ['x', 'w_quantized', 'xz', 'w_zero_point'], ['y']),
    tensor('w_quantized', [2, 3], ONNX_TYPE.int8, bytes(9, [1, 2, 3, 253, 254, 255])),
    tensor('w_scale', [], ONNX_TYPE.float, bytes(4, floats(0.25))),
    tensor('w_zero_point', [], ONNX_TYPE.int8, bytes(5, [])),
    tensor('unpacked', [1], ONNX_TYPE.uint8, number(5, 131)),
    tensor('norm', [2], ONNX_TYPE.float, bytes(9, floats(1, 2))),
  );
}

test('nodes, shapes and raw data are found', async () => {
  const graph = await readOnnx(bufferSource(sample()));
  assert.deepEqual(graph.nodes, [
    {
      name: '/lm_head/MatMul_quant',
      op: 'MatMulInteger',
      inputs: ['x', 'w_quantized', 'xz', 'w_zero_point'],
      outputs: ['y'],
    },
  ]);
  const weight = graph.initializers.get('w_quantized')!;
  assert.deepEqual(weight.dims, [2, 3]);
  assert.deepEqual([...(await rawData(graph, weight))], [1, 2, 3, 253, 254, 255]);
});

test('scalars are read from packed, unpacked, raw and left-out values', async () => {
  const graph = await readOnnx(bufferSource(sample()));
  assert.equal(await scalar(graph, 'w_scale'), 0.25);
  assert.equal(await scalar(graph, 'w_zero_point'), 0);
  assert.equal(await scalar(graph, 'unpacked'), 131);
  await assert.rejects(scalar(graph, 'norm'), { code: 'onnx_tensor' });
  await assert.rejects(scalar(graph, 'absent'), { code: 'onnx_tensor' });
});

test('a negative int8 zero point keeps its sign', async () => {
  // int32_data writes -5 as a ten-byte varint.
  const minusFive = [0xfb, ...new Array<number>(8).fill(0xff), 0x01];
  const raw = await readOnnx(bufferSource(model(tensor('z', [], ONNX_TYPE.int8, bytes(9, [0xfb])))));
  assert.equal(await scalar(raw, 'z'), -5);
  const inline = await readOnnx(bufferSource(model(tensor('z', [], ONNX_TYPE.int8, bytes(5, minusFive)))));
  assert.equal(await scalar(inline, 'z'), -5);
});

test('raw data that does not fill the shape is refused', async () => {
  const graph = await readOnnx(bufferSource(model(tensor('w', [2, 2], ONNX_TYPE.int8, bytes(9, [1, 2, 3])))));
  await assert.rejects(rawData(graph, graph.initializers.get('w')!), { code: 'onnx_tensor' });
});

test('weights in a second file are refused by name', async () => {
  const outside = model(
    tensor('big.weight', [2], ONNX_TYPE.float, [...bytes(13, text(1, 'location')), ...number(14, 1)]),
  );
  await assert.rejects(readOnnx(bufferSource(outside)), (error: Error) => {
    assert.equal((error as { code?: string }).code, 'onnx_external');
    assert.match(error.message, /big\.weight/);
    return true;
  });
});

test('a file without a graph, and a length past the end, are damaged', async () => {
  for (const bad of [
    new Uint8Array(0),
    Uint8Array.of(8, 1),
    sample().subarray(0, 40),
    Uint8Array.of(0x3a, 0xff, 0xff, 0xff, 0xff, 0x0f),
  ]) {
    await assert.rejects(readOnnx(bufferSource(bad)), { code: 'onnx_damaged' });
  }
});

test('large payloads are skipped, not read', async () => {
  const big = new Uint8Array(3 * 1024 * 1024);
  const file = model(
    tensor('w', [big.length], ONNX_TYPE.uint8, [...varint(9 * 8 + 2), ...varint(big.length)]),
  );
  // The payload is put in by hand: the lengths of the enclosing messages have to count it.
  const head = [
    ...number(2, ONNX_TYPE.uint8),
    ...number(1, big.length),
    ...text(8, 'w'),
    ...varint(74),
    ...varint(big.length),
  ];
  const initializer = [...varint(42), ...varint(head.length + big.length), ...head];
  const graph = [...number(1, 8), ...varint(58), ...varint(initializer.length + big.length), ...initializer];
  assert.ok(file.length < 100);
  const whole = new Uint8Array(graph.length + big.length);
  whole.set(graph);
  let most = 0;
  const source = bufferSource(whole);
  const result = await readOnnx({
    size: source.size,
    read: (offset, length) => {
      most = Math.max(most, length);
      return source.read(offset, length);
    },
  });
  assert.deepEqual(result.initializers.get('w')?.raw, { offset: graph.length, bytes: big.length });
  assert.ok(most <= 256 * 1024, `${most} bytes were read at once`);
});

test('any mutation gives a graph or a typed error', async () => {
  const original = sample();
  let refused = 0;
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.tuple(fc.nat(original.length - 1), fc.nat(255)), { minLength: 1, maxLength: 4 }),
      async (edits) => {
        const copy = original.slice();
        for (const [at, value] of edits) copy[at] = value;
        try {
          const graph = await readOnnx(bufferSource(copy));
          for (const tensor of graph.initializers.values()) {
            if (tensor.raw) assert.ok(tensor.raw.offset + tensor.raw.bytes <= copy.length);
            await rawData(graph, tensor);
            await scalar(graph, tensor.name);
          }
        } catch (error) {
          if (!isKithError(error)) throw error;
          assert.match(error.code, /^onnx_/);
          refused++;
        }
      },
    ),
    { numRuns: 10_000 },
  );
  assert.ok(refused > 5_000, `${refused} mutations were refused`);
});
