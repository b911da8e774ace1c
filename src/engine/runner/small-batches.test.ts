import assert from 'node:assert/strict';
import { test } from 'node:test';
import { quantise } from '../../models/index.ts';
import { loadGgml, type Tensor } from '../ggml/api.ts';
import { createCompute } from '../ggml/compute.ts';
import { GGML_TYPE } from '../ggml/ops.ts';
import { openWorkspace } from '../ggml/workspace.ts';
import { multiplyRows, smallBatchWay } from './small-batches.ts';

test('one row and eight rows are always one product', () => {
  for (const type of [GGML_TYPE.q8_0, GGML_TYPE.f16, 16, 12]) {
    assert.equal(smallBatchWay(type, 1), 'plain');
    assert.equal(smallBatchWay(type, 8), 'plain');
  }
});

test('every way gives the product', () => {
  const ggml = loadGgml();
  using compute = createCompute(ggml, { threads: 1, device: 'cpu' });
  const { call } = ggml;
  const [width, height] = [64, 48];
  const values = Float32Array.from({ length: width * height }, (_, i) => Math.sin(i * 1.7));
  using workspace = openWorkspace(compute, 128);
  const { ops, graph, scheduler } = workspace;
  const q8 = ops.input(GGML_TYPE.q8_0, [width, height]);
  const f32 = ops.input(GGML_TYPE.f32, [width, height]);
  const rows = 6;
  const x = ops.input(GGML_TYPE.f32, [width, rows]);
  // The table is asked by type: the F32 matrix takes the plain and, under the number of an IQ type, the padded way.
  const products = [
    { out: multiplyRows(ops, q8, x, { type: GGML_TYPE.q8_0, width, height, rows }), bound: 0.05 },
    { out: multiplyRows(ops, f32, x, { type: GGML_TYPE.f32, width, height, rows }), bound: 1e-4 },
    { out: ops.cont(multiplyRows(ops, f32, x, { type: 16, width, height, rows })), bound: 1e-4 },
  ];
  for (const { out } of products) {
    call.ggml_set_output(out);
    ops.expand(out);
  }
  workspace.finish(null, rows);
  const set = (tensor: Tensor, data: Uint8Array | Float32Array) =>
    call.ggml_backend_tensor_set(tensor, data, 0, data.byteLength);
  const input = Float32Array.from({ length: width * rows }, (_, i) => Math.cos(i * 0.9));
  set(q8, quantise('Q8_0', values));
  set(f32, values);
  set(x, input);
  assert.equal(call.ggml_backend_sched_graph_compute(scheduler, graph), 0);
  for (const { out, bound } of products) {
    const actual = new Float32Array(height * rows);
    call.ggml_backend_tensor_get(out, actual, 0, actual.byteLength);
    for (let row = 0; row < rows; row++) {
      for (let h = 0; h < height; h++) {
        let expected = 0;
        for (let w = 0; w < width; w++) expected += values[h * width + w]! * input[row * width + w]!;
        assert.ok(Math.abs(actual[row * height + h]! - expected) < bound * Math.sqrt(width), `${row}, ${h}`);
      }
    }
  }
});
