/**
 * A Llama-layout model exported to ONNX and quantised dynamically to 8 bits (or left in float): the linear layers
 * are found by the names of their MatMulInteger (or MatMul) nodes, which the exporter takes from the module tree.
 *
 * @module models/import/onnx-llama
 */

import { InputError } from '../../base/index.ts';
import { dequantise } from '../gguf/index.ts';
import type { ByteSource } from '../types.ts';
import { type DecoderShape, decoderMetadata, decoderShape } from './hf-config.ts';
import { describe, type JsonObject } from './json.ts';
import { ONNX_TYPE, type OnnxGraph, type OnnxTensor, rawData, readOnnx, scalar } from './onnx.ts';
import {
  type ConversionPlan,
  expectShape,
  GGML,
  interleavedRows,
  type PlannedTensor,
  type Quantisation,
  type RowReader,
  weightType,
} from './plan.ts';
import type { TokenizerFiles } from './special-tokens.ts';
import { tokenizerMetadata } from './tokenizer-json.ts';

/** The source stays the caller's to close. @throws InputError `onnx_*`, `import_*`, `tokenizer_*` */
export async function planOnnxLlama(
  source: ByteSource,
  config: JsonObject,
  files: TokenizerFiles,
  options: { quantisation: Quantisation; name: string; signal?: AbortSignal | undefined },
): Promise<ConversionPlan> {
  const shape = decoderShape(config);
  if (shape.architecture !== 'llama' || shape.scaling?.kind === 'llama3') {
    throw new InputError(
      'import_unsupported',
      'Only plain Llama-layout models can be imported from ONNX; use the safetensors of this model.',
    );
  }
  const graph = await readOnnx(source, options.signal);
  return {
    architecture: 'llama',
    metadata: [
      ...decoderMetadata(shape, options.quantisation, options.name),
      ...tokenizerMetadata(files, shape.vocab),
    ],
    tensors: await llamaTensors(graph, shape, options.quantisation, options.signal),
    close: async () => {},
  };
}

async function llamaTensors(
  graph: OnnxGraph,
  shape: DecoderShape,
  quantisation: Quantisation,
  signal: AbortSignal | undefined,
): Promise<PlannedTensor[]> {
  const { embedding, heads, kvHeads, headSize, ffn, vocab } = shape;
  const layers = linearLayers(graph);
  const linear = async (
    target: string,
    module: string,
    rows: number,
    columns: number,
    rotate = false,
  ): Promise<PlannedTensor> => {
    const layer = layers.get(module);
    if (layer === undefined) {
      throw new InputError(
        'import_missing_tensor',
        `The ONNX graph has no linear layer ${describe(module)}, which config.json asks for.`,
      );
    }
    // ONNX multiplies x * W: its weights are [in, out].
    expectShape(module, layer.weight.dims, [columns, rows]);
    const read = transposed(await matrixReader(graph, layer, signal), rows, columns);
    return {
      name: target,
      dims: [columns, rows],
      type: weightType(quantisation, columns),
      rows: rotate ? interleavedRows(read, headSize, columns) : read,
    };
  };
  const norm = (target: string, name: string): PlannedTensor => {
    const tensor = graph.initializers.get(name);
    if (tensor === undefined || tensor.type !== ONNX_TYPE.float) {
      throw new InputError('import_missing_tensor', `The ONNX graph has no float tensor ${describe(name)}.`);
    }
    expectShape(name, tensor.dims, [embedding]);
    return {
      name: target,
      dims: [embedding],
      type: GGML.F32,
      rows: async (_from, _count, abort) => dequantise('F32', await rawData(graph, tensor, abort)),
    };
  };
  const out = [await embeddingTensor(graph, shape, quantisation, signal)];
  for (let i = 0; i < shape.blocks; i++) {
    const from = `/model/layers.${i}`;
    const to = `blk.${i}`;
    out.push(
      norm(`${to}.attn_norm.weight`, `model.layers.${i}.input_layernorm.weight`),
      await linear(`${to}.attn_q.weight`, `${from}/self_attn/q_proj`, heads * headSize, embedding, true),
      await linear(`${to}.attn_k.weight`, `${from}/self_attn/k_proj`, kvHeads * headSize, embedding, true),
      await linear(`${to}.attn_v.weight`, `${from}/self_attn/v_proj`, kvHeads * headSize, embedding),
      await linear(`${to}.attn_output.weight`, `${from}/self_attn/o_proj`, embedding, heads * headSize),
      norm(`${to}.ffn_norm.weight`, `model.layers.${i}.post_attention_layernorm.weight`),
      await linear(`${to}.ffn_gate.weight`, `${from}/mlp/gate_proj`, ffn, embedding),
      await linear(`${to}.ffn_up.weight`, `${from}/mlp/up_proj`, ffn, embedding),
      await linear(`${to}.ffn_down.weight`, `${from}/mlp/down_proj`, embedding, ffn),
    );
  }
  out.push(norm('output_norm.weight', 'model.norm.weight'));
  // The exporter quantises a tied head on its own, so it is no longer the embedding.
  if (layers.has('/lm_head') || !shape.tied)
    out.push(await linear('output.weight', '/lm_head', vocab, embedding));
  return out;
}

interface Quantised {
  readonly weight: OnnxTensor;
  /** Names of the scalar initializers, or null for float weights. */
  readonly scale: string | null;
  readonly zeroPoint: string | null;
}

/** Module path -> weights, from nodes named `<module>/MatMul` or `<module>/MatMul_quant`. */
function linearLayers(graph: OnnxGraph): Map<string, Quantised> {
  const layers = new Map<string, Quantised>();
  for (const node of graph.nodes) {
    const module = /^(.*)\/MatMul(_quant)?$/.exec(node.name)?.[1];
    const weight = graph.initializers.get(node.inputs[1] ?? '');
    if (module === undefined || weight === undefined) continue;
    if (node.op === 'MatMulInteger') {
      layers.set(module, { weight, scale: scaleName(weight.name), zeroPoint: node.inputs[3] || null });
    } else if (node.op === 'MatMul') {
      layers.set(module, { weight, scale: null, zeroPoint: null });
    }
  }
  return layers;
}

/** onnxruntime's quantiser names the scale after the weight; the node itself does not mention it. */
function scaleName(weight: string): string {
  return `${weight.replace(/_quantized$/, '')}_scale`;
}

async function embeddingTensor(
  graph: OnnxGraph,
  shape: DecoderShape,
  quantisation: Quantisation,
  signal: AbortSignal | undefined,
): Promise<PlannedTensor> {
  const gather = graph.nodes.find(
    (node) => node.op === 'Gather' && node.name.endsWith('/embed_tokens/Gather'),
  );
  const weight = graph.initializers.get(gather?.inputs[0] ?? '');
  if (gather === undefined || weight === undefined) {
    throw new InputError(
      'import_missing_tensor',
      'The ONNX graph has no embedding (a Gather node of embed_tokens).',
    );
  }
  const decode = graph.nodes.find(
    (node) => node.op === 'DequantizeLinear' && node.inputs[0] === gather.outputs[0],
  );
  expectShape(weight.name, weight.dims, [shape.vocab, shape.embedding]);
  const layer: Quantised = decode
    ? { weight, scale: decode.inputs[1] ?? null, zeroPoint: decode.inputs[2] || null }
    : { weight, scale: null, zeroPoint: null };
  const whole = await matrixReader(graph, layer, signal);
  return {
    name: 'token_embd.weight',
    dims: [shape.embedding, shape.vocab],
    type: weightType(quantisation, shape.embedding),
    rows: async (from, count, abort) => {
      const { at, scale, zero } = await whole(abort);
      const values = new Float32Array(count * shape.embedding);
      for (let i = 0; i < values.length; i++)
        values[i] = ((at[from * shape.embedding + i] as number) - zero) * scale;
      return values;
    },
  };
}

/** Raw integers (or floats) of a matrix and how to read them: value = (raw - zero) * scale. */
type MatrixReader = (signal?: AbortSignal) => Promise<{
  readonly at: Int8Array | Uint8Array | Float32Array;
  readonly scale: number;
  readonly zero: number;
}>;

async function matrixReader(
  graph: OnnxGraph,
  layer: Quantised,
  signal: AbortSignal | undefined,
): Promise<MatrixReader> {
  const { weight } = layer;
  if (layer.scale === null) {
    if (weight.type !== ONNX_TYPE.float) {
      throw new InputError(
        'onnx_tensor',
        `Tensor ${describe(weight.name)} is used as float but has the ONNX type ${weight.type}.`,
      );
    }
    return async (abort) => ({
      at: dequantise('F32', await rawData(graph, weight, abort)),
      scale: 1,
      zero: 0,
    });
  }
  if (weight.type !== ONNX_TYPE.int8 && weight.type !== ONNX_TYPE.uint8) {
    throw new InputError(
      'onnx_tensor',
      `Tensor ${describe(weight.name)} has the ONNX type ${weight.type}; int8 and uint8 are known.`,
    );
  }
  const scale = await scalar(graph, layer.scale, signal);
  const zero = layer.zeroPoint === null ? 0 : await scalar(graph, layer.zeroPoint, signal);
  if (!(scale > 0) || !Number.isFinite(scale)) {
    throw new InputError(
      'onnx_tensor',
      `The scale of ${describe(weight.name)} is ${scale}; a number above 0 is needed.`,
    );
  }
  return async (abort) => {
    const bytes = await rawData(graph, weight, abort);
    const at =
      weight.type === ONNX_TYPE.int8 ? new Int8Array(bytes.buffer, bytes.byteOffset, bytes.length) : bytes;
    return { at, scale, zero };
  };
}

/** Rows of the transpose of a [columns, rows] matrix. */
function transposed(matrix: MatrixReader, rows: number, columns: number): RowReader {
  return async (from, count, signal) => {
    const { at, scale, zero } = await matrix(signal);
    const out = new Float32Array(count * columns);
    for (let c = 0; c < columns; c++) {
      for (let r = 0; r < count; r++)
        out[r * columns + c] = ((at[c * rows + from + r] as number) - zero) * scale;
    }
    return out;
  };
}
