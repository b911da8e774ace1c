/**
 * Opens a block range of a GGUF for computation.
 *
 * @module engine/runner/open
 */
import { KithError } from '../../base/index.ts';
import type { ByteSource, Gguf } from '../../models/index.ts';
import { getString } from '../../models/index.ts';
import { type Architecture, architectures, type Hyperparameters, type TensorNeed } from '../arch/index.ts';
import type { Tensor } from '../ggml/api.ts';
import type { Compute } from '../ggml/compute.ts';
import type { RangeModel } from './graph.ts';
import { createKvStore, type KvType, kvBytesPerCell } from './kv-store.ts';
import { createRangeRunner } from './range-runner.ts';
import { createSingleRows } from './single-rows.ts';
import type { Runner, RunnerInfo } from './types.ts';
import { checkTensors, loadWeights, type WeightRequest } from './weights.ts';

export interface BlockRange {
  readonly from: number;
  readonly to: number;
  /** The range starts with token ids. */
  readonly embed: boolean;
  /** The range ends with logits. */
  readonly head: boolean;
}

export interface OpenOptions {
  readonly gguf: Gguf;
  readonly source: ByteSource;
  /** @default all blocks with embedding and head */
  readonly range?: BlockRange;
  readonly kvCells: number;
  readonly kvType: KvType;
  /** Context the model is used with, in tokens: chooses long RoPE factors. */
  readonly context: number;
  /** Rows per pass at most. */
  readonly maxRows: number;
  readonly onProgress?: (doneBytes: number, totalBytes: number) => void;
}

export interface ModelPlan {
  readonly architecture: Architecture;
  readonly hyper: Hyperparameters;
  readonly range: BlockRange;
  /** Bytes of weights of the range in the file. */
  readonly weightBytes: number;
  /** KV bytes for one cell over the blocks of the range. */
  readonly kvBytesPerCell: number;
}

const ROPE_TENSORS = ['rope_freqs.weight', 'rope_factors_long.weight', 'rope_factors_short.weight'];

/**
 * Reads the hyperparameters and checks every tensor of the range, without native code.
 * @throws KithError `architecture_unsupported` when the compatibility path must be used, `model_invalid` when the file
 * contradicts itself.
 */
export function planModel(
  gguf: Gguf,
  range: BlockRange | undefined,
  kvType: KvType,
  context: number | null,
): ModelPlan {
  const name = getString(gguf, 'general.architecture');
  const architecture = architectures.get(name);
  if (architecture === undefined) {
    throw new KithError('architecture_unsupported', `There is no graph for the architecture "${name}".`, {
      status: 422,
      details: { architecture: name },
    });
  }
  const hyper = architecture.read(gguf, context);
  const whole = { from: 0, to: hyper.blocks, embed: true, head: true };
  const chosen = range ?? whole;
  if (!(chosen.from >= 0 && chosen.to >= chosen.from && chosen.to <= hyper.blocks)) {
    throw new KithError(
      'range_invalid',
      `Blocks [${chosen.from}, ${chosen.to}) are not in a model of ${hyper.blocks}.`,
      {
        status: 400,
      },
    );
  }
  if (chosen.from === chosen.to && !chosen.embed && !chosen.head) {
    throw new KithError('range_invalid', 'An empty range needs the embedding or the head.', { status: 400 });
  }
  const requests = checkTensors(
    gguf,
    tensorRequests(architecture, hyper, chosen, gguf, () => false),
  );
  refuseUnknownTensors(gguf, architecture, hyper);
  return {
    architecture,
    hyper,
    range: chosen,
    weightBytes: requests.reduce((sum, r) => sum + gguf.tensors.get(r.from ?? r.name)!.bytes, 0),
    kvBytesPerCell: (chosen.to - chosen.from) * kvBytesPerCell(hyper, kvType),
  };
}

/** A tensor that the graph would ignore means that the file is of a variant the graph does not compute. */
function refuseUnknownTensors(gguf: Gguf, architecture: Architecture, hyper: Hyperparameters): void {
  const known = new Set(ROPE_TENSORS);
  for (const need of architecture.embedTensors(hyper)) known.add(need.name);
  for (const need of architecture.headTensors(hyper)) known.add(need.name);
  for (let il = 0; il < hyper.blocks; il++) {
    for (const need of architecture.blockTensors(hyper, il)) known.add(need.name);
  }
  for (const name of gguf.tensors.keys()) {
    if (known.has(name) || name.endsWith('rope_freqs.weight') || name.endsWith('attn.rot_embd.inv_freq'))
      continue;
    throw new KithError(
      'architecture_unsupported',
      `The ${hyper.architecture} graph has no place for the tensor ${name}.`,
      { status: 422, details: { architecture: hyper.architecture, tensor: name } },
    );
  }
}

function tensorRequests(
  architecture: Architecture,
  hyper: Hyperparameters,
  range: BlockRange,
  gguf: Gguf,
  onGpu: (il: number) => boolean,
): WeightRequest[] {
  const requests: WeightRequest[] = [];
  const add = (need: TensorNeed, gpu: boolean, use?: WeightRequest['use']) =>
    requests.push({ ...need, use: use ?? (need.dims.length > 1 ? 'matrix' : 'vector'), onGpu: gpu });
  for (let il = range.from; il < range.to; il++) {
    for (const need of architecture.blockTensors(hyper, il)) add(need, onGpu(il));
  }
  if (range.to > range.from) {
    for (const name of ROPE_TENSORS) {
      add({ name, dims: [Math.floor(hyper.rope.dims / 2)], required: false }, onGpu(range.from), 'vector');
    }
  }
  if (range.embed)
    for (const need of architecture.embedTensors(hyper))
      add(need, false, need.dims.length > 1 ? 'lookup' : 'vector');
  if (range.head) {
    const gpu = onGpu(hyper.blocks);
    const tied = !gguf.tensors.has('output.weight');
    for (const need of architecture.headTensors(hyper)) {
      if (need.name === 'output.weight' && tied) {
        // A second copy in the layout that multiplies fast: a lookup table cannot be repacked.
        requests.push({ ...need, required: true, use: 'matrix', from: 'token_embd.weight', onGpu: gpu });
      } else add(need, gpu);
    }
  }
  return requests;
}

export async function openRunner(compute: Compute, options: OpenOptions): Promise<Runner> {
  const { gguf, source, kvType, context } = options;
  const plan = planModel(gguf, options.range, kvType, context);
  const { architecture, hyper, range } = plan;
  const gpuFrom = firstGpuBlock(compute, plan, options.kvCells);
  const onGpu = (il: number) => il >= gpuFrom;
  const requests = tensorRequests(architecture, hyper, range, gguf, onGpu);
  const weights = await loadWeights(compute, gguf, source, requests, options.onProgress);
  const hasBlocks = range.to > range.from;
  let kv: ReturnType<typeof createKvStore> | null = null;
  try {
    kv = hasBlocks ? createKvStore(compute, hyper, range, options.kvCells, kvType, onGpu) : null;
  } catch (error) {
    weights[Symbol.dispose]();
    throw error;
  }
  const info: RunnerInfo = {
    architecture: architecture.name,
    from: range.from,
    to: range.to,
    embeds: range.embed,
    heads: range.head,
    blocks: hyper.blocks,
    embedding: hyper.embedding,
    vocab: hyper.vocab,
    contextTrained: hyper.context,
    kvCells: kv?.cells ?? 0,
    maxRows: options.maxRows,
    device: compute.deviceName,
    weightBytes: weights.bytes,
    kvBytes: kv?.bytes ?? 0,
  };
  const matrix = (name: string) => {
    const from = name === 'output.weight' && !gguf.tensors.has(name) ? 'token_embd.weight' : name;
    const { type, dims } = gguf.tensors.get(from)!;
    return { type, width: dims[0]!, height: dims[1]! };
  };
  const model: RangeModel = {
    architecture,
    hyper,
    from: range.from,
    to: range.to,
    embeds: range.embed,
    heads: range.head,
    weights,
    kv,
    singleRows: compute.gpu === null ? createSingleRows(compute) : null,
    ropeFactors: ropeFactors(weights, hyper, context),
    matrix,
  };
  return createRangeRunner(compute, model, info);
}

/** llama.cpp's choice: explicit frequencies first, else long factors above the original context, else short ones. */
function ropeFactors(
  weights: { get(name: string): Tensor | undefined },
  hyper: Hyperparameters,
  context: number,
): Tensor | null {
  const direct = weights.get('rope_freqs.weight');
  if (direct !== undefined) return direct;
  const name =
    context > hyper.rope.originalContext ? 'rope_factors_long.weight' : 'rope_factors_short.weight';
  return weights.get(name) ?? null;
}

/** Fills the GPU from the last block down, keeping a reserve for activations. Blocks below stay on the CPU. */
function firstGpuBlock(compute: Compute, plan: ModelPlan, kvCells: number): number {
  const blocks = plan.hyper.blocks;
  if (compute.gpu === null) return blocks + 1;
  const { memoryFree } = compute.gpu.device;
  const reserve = 512 << 20;
  const count = Math.max(1, plan.range.to - plan.range.from);
  const perBlock = (plan.weightBytes + plan.kvBytesPerCell * kvCells) / count;
  const fits = Math.floor(Math.max(0, memoryFree - reserve) / perBlock);
  return fits >= count ? 0 : fits === 0 ? blocks + 1 : plan.range.to - fits;
}
