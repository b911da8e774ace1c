/**
 * KV tensors of blocks [from, to): per block K and V, `[kvHeads * dim, cells]`. Rows are cells; which sequence owns a
 * cell is decided elsewhere (engine/kv). Memory is cleared as the highest used cell rises, so untouched cells cost
 * no resident memory.
 *
 * @module engine/runner/kv-store
 */
import { KithError } from '../../base/index.ts';
import type { Hyperparameters } from '../arch/index.ts';
import type { Buffer, BufferType, Context, Tensor } from '../ggml/api.ts';
import type { Compute } from '../ggml/compute.ts';
import { GGML_TYPE } from '../ggml/ops.ts';
import { newContext } from './weights.ts';

export type KvType = 'f32' | 'f16' | 'q8_0' | 'q4_0';

export interface KvStore extends Disposable {
  readonly cells: number;
  readonly bytes: number;
  readonly type: KvType;
  k(il: number): Tensor;
  v(il: number): Tensor;
  /** Bytes of `elements` in the KV type. */
  rowBytes(elements: number): number;
  /** Makes cells [0, upTo) readable (zeroed once). */
  ensure(upTo: number): void;
}

/** Bytes of K and V for one cell of one block. Used for planning before anything is allocated. */
export function kvBytesPerCell(hyper: Hyperparameters, type: KvType): number {
  const per = { f32: 4, f16: 2, q8_0: 34 / 32, q4_0: 18 / 32 }[type];
  return hyper.kvHeads * (hyper.headDim + hyper.headDimV) * per;
}

export function createKvStore(
  compute: Compute,
  hyper: Hyperparameters,
  range: { from: number; to: number },
  cells: number,
  type: KvType,
  onGpu: (il: number) => boolean,
): KvStore {
  const { ggml } = compute;
  const { call } = ggml;
  const number = GGML_TYPE[type];
  const widthK = hyper.kvHeads * hyper.headDim;
  const widthV = hyper.kvHeads * hyper.headDimV;
  if ((type === 'q8_0' || type === 'q4_0') && (hyper.headDim % 32 !== 0 || hyper.headDimV % 32 !== 0)) {
    throw new KithError(
      'kv_type_unsupported',
      `engine.kvType ${type} needs heads of a multiple of 32 values; this model has ${hyper.headDim}. Use f16.`,
      { status: 422, param: 'engine.kvType' },
    );
  }
  const pairs = new Map<number, { k: Tensor; v: Tensor }>();
  const contexts: Context[] = [];
  const buffers: Buffer[] = [];
  let bytes = 0;
  const dispose = () => {
    for (const buffer of buffers) call.ggml_backend_buffer_free(buffer);
    for (const context of contexts) call.ggml_free(context);
    buffers.length = 0;
    contexts.length = 0;
  };
  const place = (blocks: number[], buft: BufferType) => {
    if (blocks.length === 0) return;
    const context = newContext(ggml, blocks.length * 2);
    contexts.push(context);
    for (const il of blocks) {
      const make = (width: number) =>
        call.ggml_new_tensor(context, number, 2, BigInt64Array.of(BigInt(width), BigInt(cells))) as Tensor;
      pairs.set(il, { k: make(widthK), v: make(widthV) });
    }
    const buffer = call.ggml_backend_alloc_ctx_tensors_from_buft(context, buft) as Buffer | null;
    if (buffer === null) {
      dispose();
      throw new KithError(
        'memory_exhausted',
        `The engine could not get memory for ${cells} KV cells. Set engine.kvCells or engine.context lower, or engine.kvType to q8_0.`,
        { status: 503 },
      );
    }
    buffers.push(buffer);
    bytes += Number(call.ggml_backend_buffer_get_size(buffer));
  };
  const blocks = Array.from({ length: range.to - range.from }, (_, i) => range.from + i);
  const gpu = compute.gpu;
  place(gpu === null ? [] : blocks.filter(onGpu), gpu?.buffers ?? compute.cpuBuffers);
  place(gpu === null ? blocks : blocks.filter((il) => !onGpu(il)), compute.cpuBuffers);

  const rowBytes = (elements: number) => Number(call.ggml_row_size(number, elements));
  let cleared = 0;
  return {
    cells,
    bytes,
    type,
    k: (il) => pairs.get(il)!.k,
    v: (il) => pairs.get(il)!.v,
    rowBytes,
    ensure(upTo) {
      const end = Math.min(cells, upTo);
      if (end <= cleared) return;
      for (const { k, v } of pairs.values()) {
        const rowK = rowBytes(widthK);
        const rowV = rowBytes(widthV);
        call.ggml_backend_tensor_memset(k, 0, cleared * rowK, (end - cleared) * rowK);
        call.ggml_backend_tensor_memset(v, 0, cleared * rowV, (end - cleared) * rowV);
      }
      cleared = end;
    },
    [Symbol.dispose]: dispose,
  };
}
