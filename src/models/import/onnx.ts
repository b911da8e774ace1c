/**
 * Reader of the parts of an ONNX file that carry weights: initializers and the nodes that use them. The file is
 * walked field by field; tensor payloads are skipped and read later, on demand.
 *
 * Field numbers are those of onnx.proto: ModelProto.graph 7; GraphProto.node 1, initializer 5; NodeProto.input 1,
 * output 2, name 3, op_type 4; TensorProto.dims 1, data_type 2, float_data 4, int32_data 5, name 8, raw_data 9,
 * external_data 13, data_location 14.
 *
 * @module models/import/onnx
 */

import { InputError } from '../../base/index.ts';
import type { ByteSource } from '../types.ts';
import { describe } from './json.ts';
import { damaged, fieldAt, fields, readVarint, type WireField } from './protobuf.ts';

/** TensorProto.DataType numbers that are understood. */
export const ONNX_TYPE = { float: 1, uint8: 2, int8: 3 } as const;
const TYPE_BYTES: ReadonlyMap<number, number> = new Map([
  [ONNX_TYPE.float, 4],
  [ONNX_TYPE.uint8, 1],
  [ONNX_TYPE.int8, 1],
]);

/** Protobuf cannot carry more than 2 GiB; larger models keep their weights in other files. */
const MAX_FILE_BYTES = 2 ** 31;
const MAX_NODES = 200_000;
const MAX_INITIALIZERS = 100_000;
/** A node larger than this holds an embedded constant; the nodes that are looked for are far below. */
const MAX_NODE_BYTES = 1024 * 1024;
/** Everything of a tensor but its raw data: names, dims and the small typed lists. */
const MAX_TENSOR_HEADER = 64 * 1024;
const WINDOW = 256 * 1024;

export interface OnnxNode {
  readonly name: string;
  readonly op: string;
  readonly inputs: readonly string[];
  readonly outputs: readonly string[];
}

export interface OnnxTensor {
  readonly name: string;
  readonly dims: readonly number[];
  /** TensorProto.DataType. */
  readonly type: number;
  /** Where raw_data lies, or null when the values stand in `inline`. */
  readonly raw: { readonly offset: number; readonly bytes: number } | null;
  /** Values of float_data or int32_data (scales, zero points). */
  readonly inline: readonly number[];
}

export interface OnnxGraph {
  readonly source: ByteSource;
  readonly nodes: readonly OnnxNode[];
  readonly initializers: ReadonlyMap<string, OnnxTensor>;
}

/**
 * @throws InputError `onnx_damaged` for bytes that are no ONNX model, `onnx_limit` beyond the reader's limits,
 *   `onnx_external` when weights lie in another file
 */
export async function readOnnx(source: ByteSource, signal?: AbortSignal): Promise<OnnxGraph> {
  if (source.size > MAX_FILE_BYTES) {
    throw new InputError(
      'onnx_limit',
      `The ONNX file has ${source.size} bytes; at most ${MAX_FILE_BYTES} are read.`,
    );
  }
  const window = new Window(source, signal);
  const nodes: OnnxNode[] = [];
  const initializers = new Map<string, OnnxTensor>();
  let graphs = 0;
  await window.walk(0, source.size, async (field) => {
    if (field.number !== 7 || field.wire !== 2) return;
    if (++graphs > 1) throw damaged('it has more than one graph');
    await window.walk(field.start, field.start + field.length, async (inner) => {
      if (inner.wire !== 2) return;
      if (inner.number === 1 && inner.length <= MAX_NODE_BYTES) {
        if (nodes.length >= MAX_NODES) throw limit('nodes', MAX_NODES);
        nodes.push(parseNode(await window.bytes(inner.start, inner.length)));
      } else if (inner.number === 5) {
        if (initializers.size >= MAX_INITIALIZERS) throw limit('initializers', MAX_INITIALIZERS);
        const tensor = await parseTensor(window, inner.start, inner.start + inner.length);
        initializers.set(tensor.name, tensor);
      }
    });
  });
  if (graphs === 0) throw damaged('it has no graph');
  return { source, nodes, initializers };
}

function limit(what: string, most: number): InputError {
  return new InputError('onnx_limit', `The ONNX graph has more than ${most} ${what}.`);
}

const utf8 = new TextDecoder();

function parseNode(bytes: Uint8Array): OnnxNode {
  const node = { name: '', op: '', inputs: [] as string[], outputs: [] as string[] };
  for (const field of fields(bytes)) {
    if (field.wire !== 2 || field.number > 4) continue;
    const text = utf8.decode(bytes.subarray(field.start, field.start + field.length));
    if (field.number === 1) node.inputs.push(text);
    else if (field.number === 2) node.outputs.push(text);
    else if (field.number === 3) node.name = text;
    else node.op = text;
  }
  return node;
}

async function parseTensor(window: Window, start: number, end: number): Promise<OnnxTensor> {
  const tensor = {
    name: '',
    dims: [] as number[],
    type: 0,
    raw: null as OnnxTensor['raw'],
    inline: [] as number[],
  };
  let external = false;
  await window.walk(start, end, async (field) => {
    if (field.number === 9 && field.wire === 2) {
      tensor.raw = { offset: field.start, bytes: field.length };
    } else if (field.number === 2) {
      tensor.type = field.value;
    } else if (field.number === 1 && field.wire === 0) {
      tensor.dims.push(field.value);
    } else if (field.number === 13 || (field.number === 14 && field.value !== 0)) {
      external = true;
    } else if ([1, 4, 5, 8].includes(field.number)) {
      // A list this long is no scale or zero point; weights of that kind are written as raw data.
      if (field.length > MAX_TENSOR_HEADER) return;
      const bytes = await window.bytes(field.start, field.length);
      if (field.number === 8) tensor.name = utf8.decode(bytes);
      else if (field.number === 4) tensor.inline.push(...floats(bytes));
      else if (field.number === 5 && field.wire === 0) tensor.inline.push(field.value);
      else if (field.number === 5) tensor.inline.push(...varints(bytes));
      else tensor.dims.push(...varints(bytes));
    }
    if (tensor.dims.length > 8 || tensor.inline.length > MAX_TENSOR_HEADER)
      throw damaged('a tensor has too many dimensions');
  });
  if (external) {
    throw new InputError(
      'onnx_external',
      `The weights of ${describe(tensor.name)} lie in a second file; only ONNX files that hold their weights can be imported.`,
    );
  }
  if (!tensor.dims.every((dim) => dim >= 0 && dim <= MAX_FILE_BYTES))
    throw damaged(`tensor ${describe(tensor.name)} has no valid shape`);
  return tensor;
}

function floats(bytes: Uint8Array): number[] {
  if (bytes.length % 4 !== 0) throw damaged('a list of floats is cut off');
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  return Array.from({ length: bytes.length / 4 }, (_, i) => view.getFloat32(i * 4, true));
}

function varints(bytes: Uint8Array): number[] {
  const values: number[] = [];
  for (let at = 0; at < bytes.length; ) {
    const { value, next } = readVarint(bytes, at, bytes.length);
    values.push(value);
    at = next;
  }
  return values;
}

/** Raw bytes of an initializer, checked against its shape. @throws InputError `onnx_tensor` */
export async function rawData(
  graph: OnnxGraph,
  tensor: OnnxTensor,
  signal?: AbortSignal,
): Promise<Uint8Array> {
  const size = TYPE_BYTES.get(tensor.type);
  if (size === undefined) {
    throw new InputError(
      'onnx_tensor',
      `Tensor ${describe(tensor.name)} has the ONNX type ${tensor.type}; float, int8 and uint8 can be imported.`,
    );
  }
  const count = tensor.dims.reduce((product, dim) => product * dim, 1);
  if (tensor.raw === null || tensor.raw.bytes !== count * size) {
    throw new InputError(
      'onnx_tensor',
      `Tensor ${describe(tensor.name)} of shape [${tensor.dims.join(', ')}] has ${tensor.raw?.bytes ?? 0} bytes of raw data instead of ${count * size}.`,
    );
  }
  return graph.source.read(tensor.raw.offset, tensor.raw.bytes, signal);
}

/** The one value of a scalar initializer. @throws InputError `onnx_tensor` */
export async function scalar(graph: OnnxGraph, name: string, signal?: AbortSignal): Promise<number> {
  const tensor = graph.initializers.get(name);
  const count = tensor?.dims.reduce((product, dim) => product * dim, 1);
  if (!tensor || count !== 1) {
    throw new InputError(
      'onnx_tensor',
      `${describe(name)} is no single number: only per-tensor quantisation can be imported.`,
    );
  }
  if (tensor.raw === null) {
    // A scalar zero point of 0 may be left out entirely, as protobuf does with defaults.
    return tensor.inline[0] ?? 0;
  }
  const bytes = await rawData(graph, tensor, signal);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (tensor.type === ONNX_TYPE.float) return view.getFloat32(0, true);
  return tensor.type === ONNX_TYPE.int8 ? view.getInt8(0) : view.getUint8(0);
}

/** A buffered view of the source: small fields come from one read of 256 KB, large payloads are never read. */
class Window {
  readonly #source: ByteSource;
  readonly #signal: AbortSignal | undefined;
  #buffer: Uint8Array = new Uint8Array(0);
  #start = 0;

  constructor(source: ByteSource, signal: AbortSignal | undefined) {
    this.#source = source;
    this.#signal = signal;
  }

  /** `length` bytes at an absolute offset; valid until the next call. */
  async bytes(offset: number, length: number): Promise<Uint8Array> {
    if (offset < this.#start || offset + length > this.#start + this.#buffer.length) {
      const size = Math.min(Math.max(length, WINDOW), this.#source.size - offset);
      if (size < length) throw damaged('a field runs past the end of the file');
      this.#buffer = await this.#source.read(offset, size, this.#signal);
      this.#start = offset;
    }
    const at = offset - this.#start;
    return this.#buffer.subarray(at, at + length);
  }

  /** Calls `visit` for every field of the message in [start, end) of the file; offsets are absolute. */
  async walk(start: number, end: number, visit: (field: WireField) => Promise<void>): Promise<void> {
    let at = start;
    while (at < end) {
      // A tag and a length are at most ten bytes each.
      const head = await this.bytes(at, Math.min(20, end - at));
      const field = fieldAt(head, 0, head.length);
      const absolute = { ...field, start: at + field.start };
      if (absolute.start + field.length > end) {
        throw damaged(`field ${field.number} claims ${field.length} bytes, ${end - absolute.start} are left`);
      }
      await visit(absolute);
      at = absolute.start + field.length;
    }
  }
}
