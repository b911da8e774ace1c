/**
 * Passes of an encoder: token rows of similar length in, what its graph gives of them out. Embeddings and relevance are made
 * of them in files of their own.
 *
 * Rows are sorted by length and cut into passes of texts of similar length, so little is computed for padding, and
 * attention works per text.
 *
 * @module engine/runner/encoder
 */
import { KithError } from '../../base/index.ts';
import { type ByteSource, type Gguf, getNumber, getString } from '../../models/index.ts';
import {
  bertGraph,
  bertTensors,
  type EncoderHyperparameters,
  rankGraph,
  rankTensors,
  readBert,
} from '../arch/bert.ts';
import type { Graph, SchedulerHandle, Tensor } from '../ggml/api.ts';
import type { Compute } from '../ggml/compute.ts';
import { GGML_TYPE } from '../ggml/ops.ts';
import { openWorkspace } from '../ggml/workspace.ts';
import { createGraphCache, type KeptGraph } from './graph-cache.ts';
import { loadWeights, type WeightRequest, type Weights } from './weights.ts';

export interface EncoderInfo {
  readonly architecture: string;
  /** Width of a token's vector. */
  readonly dimension: number;
  readonly blocks: number;
  readonly vocab: number;
  /** Tokens one text may have, specials included. */
  readonly context: number;
  readonly device: string;
  readonly weightBytes: number;
}

/** Token ids of a text with the specials the model wants; tokens from `second` on are of its second part. */
export interface EncoderRow {
  readonly tokens: Int32Array;
  readonly second: number;
}

export interface Encoder extends AsyncDisposable {
  readonly info: EncoderInfo;
  readonly hyper: EncoderHyperparameters;
  /**
   * Computes one pass of rows padded to `length` and hands what came of it to `take`, which must not keep it: hidden states of
   * every token, texts × length × dimension; of a reranker one number a text.
   *
   * @throws KithError `runner_closed`, `compute_failed`
   */
  pass(rows: readonly EncoderRow[], length: number, take: (values: Float32Array) => void): Promise<void>;
}

/** Tokens per pass: enough to fill the matrix kernels, small enough to let a decode step in between. */
const PASS_TOKENS = 512;
const GRAPHS_KEPT = 8;
/** Bytes of intermediate results that graphs at rest may hold together. */
const BYTES_KEPT = 24 << 20;
/** Tensors one block may need in a graph, generously. */
const NODES_PER_BLOCK = 64;
const NODES_EXTRA = 64;
const HIDDEN = 0xfc00;

interface EncoderGraph extends KeptGraph {
  readonly texts: number;
  readonly length: number;
  readonly graph: Graph;
  readonly scheduler: SchedulerHandle;
  readonly ids: Tensor;
  readonly positions: Tensor;
  readonly mask: Tensor;
  readonly pair: { readonly segments: Tensor | null; readonly firsts: Tensor; readonly rows: Tensor } | null;
  readonly output: Tensor;
}

export interface OpenEncoder {
  readonly gguf: Gguf;
  readonly source: ByteSource;
  readonly onProgress?: (done: number, total: number) => void;
}

export function isEncoder(gguf: Gguf): boolean {
  return getString(gguf, 'general.architecture', '') === 'bert';
}

export async function openEncoder(compute: Compute, options: OpenEncoder): Promise<Encoder> {
  const { gguf } = options;
  const hyper = readBert(gguf);
  const ranks = hyper.pooling === 'rank';
  const types =
    gguf.tensors.get('token_types.weight')?.dims[1] ?? getNumber(gguf, 'tokenizer.ggml.token_type_count', 1);
  const onGpu = compute.gpu !== null;
  // 1.6x more texts a second; cosines of all-MiniLM move by 0.0005 (measured), against 0.003 for Q8_0.
  const bf16 = !onGpu && compute.ggml.cpuFeatures.has('AVX512_BF16');
  const needs = bertTensors(hyper, types).map((need): WeightRequest => {
    const isTypes = need.name === 'token_types.weight';
    const table = need.name === 'token_embd.weight' || need.name === 'position_embd.weight';
    const use =
      table || (isTypes && ranks) ? 'lookup' : need.dims.length === 1 || isTypes ? 'vector' : 'matrix';
    return { ...need, use, onGpu, asBf16: use === 'matrix' && bf16 };
  });
  const head = ranks ? rankTensors(hyper) : [];
  // The rows of its matrices are looked up, for that makes F32 of any type.
  const headNeeds = head.map(
    (need): WeightRequest => ({
      ...need,
      use: need.name.endsWith('.weight') ? 'lookup' : 'vector',
      onGpu,
    }),
  );
  const requests = [...needs, ...headNeeds];
  for (const name of gguf.tensors.keys()) {
    if (!requests.some((request) => request.name === name)) {
      throw new KithError('architecture_unsupported', `The bert graph has no place for the tensor ${name}.`, {
        status: 422,
      });
    }
  }
  const weights = await loadWeights(compute, gguf, options.source, requests, options.onProgress);
  return createEncoder(compute, hyper, weights, types);
}

function createEncoder(
  compute: Compute,
  hyper: EncoderHyperparameters,
  weights: Weights,
  types: number,
): Encoder {
  const { call } = compute.ggml;
  const graphs = createGraphCache<EncoderGraph>({ graphs: GRAPHS_KEPT, bytes: BYTES_KEPT });
  const dense = Int32Array.from({ length: hyper.embedding }, (_, row) => row);
  let disposed = false;
  /** What a pass gives; passes run one at a time. */
  let scratch = new Float32Array(0);
  const info: EncoderInfo = {
    architecture: hyper.architecture,
    dimension: hyper.embedding,
    blocks: hyper.blocks,
    vocab: hyper.vocab,
    context: hyper.context,
    device: compute.deviceName,
    weightBytes: weights.bytes,
  };

  function graphFor(texts: number, length: number): EncoderGraph {
    return graphs.get(
      (graph) => graph.texts === texts && graph.length === length,
      () => build(compute, hyper, weights, texts, length),
    );
  }

  return {
    info,
    hyper,
    async pass(rows, length, take) {
      const texts = rows.length;
      const ids = new Int32Array(texts * length);
      const positions = new Int32Array(texts * length);
      const segments = new Int32Array(texts * length);
      const mask = new Uint16Array(texts * length * length).fill(HIDDEN);
      for (const [text, { tokens, second }] of rows.entries()) {
        ids.set(tokens, text * length);
        if (types > 1) segments.fill(1, text * length + second, text * length + tokens.length);
        for (let i = 0; i < length; i++) {
          positions[text * length + i] = i;
          const at = (text * length + i) * length;
          // Padding rows see the text too: a row that sees nothing would divide zero by zero.
          mask.fill(0, at, at + tokens.length);
        }
      }
      const firsts = Int32Array.from(rows, (_, text) => text * length);
      return compute.exclusive(async () => {
        if (disposed) throw new KithError('runner_closed', 'The model was unloaded.', { status: 503 });
        const graph = graphFor(texts, length);
        const set = (tensor: Tensor, data: ArrayBufferView) =>
          call.ggml_backend_tensor_set(tensor, data, 0, data.byteLength);
        set(graph.ids, ids);
        set(graph.positions, positions);
        set(graph.mask, mask);
        if (graph.pair !== null) {
          if (graph.pair.segments !== null) set(graph.pair.segments, segments);
          set(graph.pair.firsts, firsts);
          set(graph.pair.rows, dense);
        }
        const status = await compute.ggml.async(
          'ggml_backend_sched_graph_compute',
          graph.scheduler,
          graph.graph,
        );
        if (status !== 0) {
          throw new KithError('compute_failed', `The engine's device failed with status ${String(status)}.`, {
            status: 500,
          });
        }
        const size = graph.pair === null ? texts * length * hyper.embedding : texts;
        if (scratch.length < size) scratch = new Float32Array(size);
        const values = scratch.subarray(0, size);
        call.ggml_backend_tensor_get(graph.output, values, 0, values.byteLength);
        take(values);
      });
    },
    async [Symbol.asyncDispose]() {
      if (disposed) return;
      disposed = true;
      await compute.exclusive(async () => {
        graphs[Symbol.dispose]();
        weights[Symbol.dispose]();
      });
    },
  };
}

/** @throws KithError `forward_invalid` for rows of no or too many tokens, and tokens that there are not */
export function checkRows(rows: readonly Int32Array[], info: EncoderInfo): void {
  const invalid = (message: string) => new KithError('forward_invalid', message, { status: 400 });
  rows.forEach((row, index) => {
    if (row.length < 1 || row.length > info.context) {
      throw invalid(`Input ${index} has ${row.length} tokens; the model takes 1 to ${info.context}.`);
    }
    for (const token of row) {
      if (token < 0 || token >= info.vocab)
        throw invalid(`Token ${token} is outside the vocabulary of ${info.vocab}.`);
    }
  });
}

/** Groups rows of similar length: padded tokens per pass stay under PASS_TOKENS (one long row is a pass alone). */
export function planPasses(
  rows: readonly { readonly length: number }[],
): { indices: number[]; length: number }[] {
  const order = rows.map((_, index) => index).sort((a, b) => rows[a]!.length - rows[b]!.length || a - b);
  const passes: { indices: number[]; length: number }[] = [];
  let current: { indices: number[]; length: number } | null = null;
  for (const index of order) {
    const { length } = rows[index]!;
    if (current !== null && (current.indices.length + 1) * length <= PASS_TOKENS) {
      current.indices.push(index);
      current.length = length; // ascending order: the newest is the longest
    } else {
      current = { indices: [index], length };
      passes.push(current);
    }
  }
  return passes;
}

function build(
  compute: Compute,
  hyper: EncoderHyperparameters,
  weights: Weights,
  texts: number,
  length: number,
): EncoderGraph {
  const workspace = openWorkspace(compute, hyper.blocks * NODES_PER_BLOCK + NODES_EXTRA);
  const { ops, graph, scheduler } = workspace;
  const weight = (name: string) => weights.get(name);
  const ids = ops.input(GGML_TYPE.i32, [texts * length]);
  const positions = ops.input(GGML_TYPE.i32, [texts * length]);
  const mask = ops.input(GGML_TYPE.f16, [length, length, 1, texts]);
  const pair =
    hyper.pooling !== 'rank'
      ? null
      : {
          // An input that nothing reads would get no memory.
          segments:
            weight('token_types.weight') === undefined ? null : ops.input(GGML_TYPE.i32, [texts * length]),
          firsts: ops.input(GGML_TYPE.i32, [texts]),
          rows: ops.input(GGML_TYPE.i32, [hyper.embedding]),
        };
  const inputs = { ids, positions, mask, texts, length, ...(pair === null ? {} : { pair }) };
  const states = bertGraph(ops, hyper, weight, inputs);
  const output = pair === null ? states : rankGraph(ops, weight, states, pair);
  workspace.finish(output, texts * length);
  const dispose = () => workspace[Symbol.dispose]();
  const bytes = workspace.bytes();
  return {
    bytes,
    texts,
    length,
    graph,
    scheduler,
    ids,
    positions,
    mask,
    pair,
    output,
    [Symbol.dispose]: dispose,
  };
}
