/**
 * Text embeddings from an encoder model: batches of token rows in, L2-normalised vectors out.
 *
 * Rows are sorted by length and cut into passes of texts of similar length, so little is computed for padding, and
 * attention works per text.
 *
 * @module engine/runner/embedder
 */
import { KithError } from '../../base/index.ts';
import { type ByteSource, type Gguf, getNumber, getString } from '../../models/index.ts';
import { bertGraph, bertTensors, type EncoderHyperparameters, readBert } from '../arch/bert.ts';
import type { Graph, SchedulerHandle, Tensor } from '../ggml/api.ts';
import type { Compute } from '../ggml/compute.ts';
import { GGML_TYPE } from '../ggml/ops.ts';
import { openWorkspace } from '../ggml/workspace.ts';
import { createGraphCache, type KeptGraph } from './graph-cache.ts';
import { loadWeights, type WeightRequest, type Weights } from './weights.ts';

export interface EmbedderInfo {
  readonly architecture: string;
  readonly dimension: number;
  readonly blocks: number;
  readonly vocab: number;
  /** Tokens one text may have, specials included. */
  readonly context: number;
  readonly device: string;
  readonly weightBytes: number;
}

export interface Embedder extends AsyncDisposable {
  readonly info: EmbedderInfo;
  /**
   * @param rows token ids with the specials the model wants ([CLS] ... [SEP]), 1 to `context` each.
   * @returns row-major rows.length × dimension, each row L2-normalised.
   * @throws KithError `forward_invalid`, `vectors_invalid`
   */
  embed(rows: readonly Int32Array[]): Promise<{ vectors: Float32Array; dimension: number }>;
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
  readonly output: Tensor;
}

export function isEncoder(gguf: Gguf): boolean {
  return getString(gguf, 'general.architecture', '') === 'bert';
}

export async function openEmbedder(
  compute: Compute,
  options: { gguf: Gguf; source: ByteSource; onProgress?: (done: number, total: number) => void },
): Promise<Embedder> {
  const { gguf } = options;
  const hyper = readBert(gguf);
  const types =
    gguf.tensors.get('token_types.weight')?.dims[1] ?? getNumber(gguf, 'tokenizer.ggml.token_type_count', 1);
  const onGpu = compute.gpu !== null;
  // 1.6x more texts a second; cosines of all-MiniLM move by 0.0005 (measured), against 0.003 for Q8_0.
  const bf16 = !onGpu && compute.ggml.cpuFeatures.has('AVX512_BF16');
  const requests = bertTensors(hyper, types).map((need): WeightRequest => {
    const table = need.name === 'token_embd.weight' || need.name === 'position_embd.weight';
    const use = table
      ? 'lookup'
      : need.dims.length === 1 || need.name === 'token_types.weight'
        ? 'vector'
        : 'matrix';
    return { ...need, use, onGpu, asBf16: use === 'matrix' && bf16 };
  });
  for (const name of gguf.tensors.keys()) {
    if (!requests.some((request) => request.name === name)) {
      throw new KithError('architecture_unsupported', `The bert graph has no place for the tensor ${name}.`, {
        status: 422,
      });
    }
  }
  const weights = await loadWeights(compute, gguf, options.source, requests, options.onProgress);
  return createEmbedder(compute, hyper, weights);
}

function createEmbedder(compute: Compute, hyper: EncoderHyperparameters, weights: Weights): Embedder {
  const { call } = compute.ggml;
  const graphs = createGraphCache<EncoderGraph>({ graphs: GRAPHS_KEPT, bytes: BYTES_KEPT });
  let disposed = false;
  /** Hidden states of a pass; passes run one at a time. */
  let hiddenScratch = new Float32Array(0);
  const info: EmbedderInfo = {
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

  /** Computes one pass and hands its hidden states to `take`, which must not keep them. */
  async function pass(
    rows: readonly Int32Array[],
    length: number,
    take: (hidden: Float32Array) => void,
  ): Promise<void> {
    const texts = rows.length;
    const ids = new Int32Array(texts * length);
    const positions = new Int32Array(texts * length);
    const mask = new Uint16Array(texts * length * length).fill(HIDDEN);
    rows.forEach((row, text) => {
      ids.set(row, text * length);
      for (let i = 0; i < length; i++) {
        positions[text * length + i] = i;
        const at = (text * length + i) * length;
        // Padding rows see the text too: a row that sees nothing would divide zero by zero.
        mask.fill(0, at, at + row.length);
      }
    });
    return compute.exclusive(async () => {
      if (disposed) throw new KithError('runner_closed', 'The model was unloaded.', { status: 503 });
      const graph = graphFor(texts, length);
      const set = (tensor: Tensor, data: ArrayBufferView) =>
        call.ggml_backend_tensor_set(tensor, data, 0, data.byteLength);
      set(graph.ids, ids);
      set(graph.positions, positions);
      set(graph.mask, mask);
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
      const size = texts * length * hyper.embedding;
      if (hiddenScratch.length < size) hiddenScratch = new Float32Array(size);
      const hidden = hiddenScratch.subarray(0, size);
      call.ggml_backend_tensor_get(graph.output, hidden, 0, hidden.byteLength);
      take(hidden);
    });
  }

  return {
    info,
    async embed(rows) {
      checkRows(rows, info);
      const e = hyper.embedding;
      const vectors = new Float32Array(rows.length * e);
      for (const { indices, length } of planPasses(rows)) {
        const texts = indices.map((index) => rows[index]!);
        await pass(texts, length, (hidden) => {
          for (const [text, index] of indices.entries()) {
            const own = hidden.subarray(text * length * e, (text + 1) * length * e);
            pool(own, rows[index]!.length, e, hyper.pooling, vectors.subarray(index * e, (index + 1) * e));
          }
        });
      }
      return { vectors, dimension: e };
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

function checkRows(rows: readonly Int32Array[], info: EmbedderInfo): void {
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
export function planPasses(rows: readonly Int32Array[]): { indices: number[]; length: number }[] {
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

/** Mean over the text's own tokens, or its first or last token; then divided by its L2 norm. */
function pool(hidden: Float32Array, tokens: number, e: number, pooling: string, out: Float32Array): void {
  if (pooling === 'mean') {
    for (let t = 0; t < tokens; t++) for (let i = 0; i < e; i++) out[i]! += hidden[t * e + i]!;
  } else {
    const at = pooling === 'cls' ? 0 : (tokens - 1) * e;
    out.set(hidden.subarray(at, at + e));
  }
  let square = 0;
  for (let i = 0; i < e; i++) square += out[i]! * out[i]!;
  if (!Number.isFinite(square)) {
    throw new KithError(
      'vectors_invalid',
      'The model computed a vector that is not finite: its file is damaged or of a variant that is not supported.',
      { status: 500 },
    );
  }
  const scale = square > 0 ? 1 / Math.sqrt(square) : 0;
  for (let i = 0; i < e; i++) out[i]! *= scale;
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
  const ids = ops.input(GGML_TYPE.i32, [texts * length]);
  const positions = ops.input(GGML_TYPE.i32, [texts * length]);
  const mask = ops.input(GGML_TYPE.f16, [length, length, 1, texts]);
  const output = bertGraph(ops, hyper, (name) => weights.get(name), { ids, positions, mask, texts, length });
  workspace.finish(output, texts * length);
  const dispose = () => workspace[Symbol.dispose]();
  const bytes = workspace.bytes();
  return { bytes, texts, length, graph, scheduler, ids, positions, mask, output, [Symbol.dispose]: dispose };
}
