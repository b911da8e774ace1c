/**
 * Writes a conversion plan as a GGUF. Rows are read, converted and written in spans of at most 16 MiB of float32,
 * so memory does not grow with the model; the bytes depend on the plan alone.
 *
 * @module models/import/write-plan
 */

import { InputError, isKithError, KithError, throwIfAborted } from '../../base/index.ts';
import { type CodecType, quantise, tensorType, type WrittenGguf, writeGguf } from '../gguf/index.ts';
import type { Progress } from '../types.ts';
import type { ConversionPlan, PlannedTensor } from './plan.ts';

/** Values converted at a time: 16 MiB of float32. */
const SPAN_VALUES = 4 * 1024 * 1024;

export async function writePlan(
  plan: ConversionPlan,
  path: string,
  options: { signal?: AbortSignal | undefined; onProgress?: ((progress: Progress) => void) | undefined } = {},
): Promise<WrittenGguf> {
  const { signal, onProgress } = options;
  return writeGguf(
    path,
    {
      metadata: plan.metadata,
      tensors: plan.tensors.map((tensor) => ({
        name: tensor.name,
        dims: tensor.dims,
        type: tensor.type,
        data: encoded(tensor, signal),
      })),
    },
    {
      ...(signal ? { signal } : {}),
      ...(onProgress
        ? {
            onProgress: (doneBytes: number, totalBytes: number) =>
              onProgress({ phase: 'convert', doneBytes, totalBytes, rate: null, eta: null }),
          }
        : {}),
    },
  );
}

async function* encoded(tensor: PlannedTensor, signal: AbortSignal | undefined): AsyncGenerator<Uint8Array> {
  const codec = tensorType(tensor.type)?.name as CodecType;
  const columns = tensor.dims[0] as number;
  const rows = tensor.dims.slice(1).reduce((product, dim) => product * dim, 1);
  const span = Math.max(1, Math.floor(SPAN_VALUES / columns));
  for (let from = 0; from < rows; from += span) {
    throwIfAborted(signal);
    const values = await tensor.rows(from, Math.min(span, rows - from), signal);
    yield encode(codec, values, tensor.name);
  }
}

function encode(codec: CodecType, values: Float32Array, name: string): Uint8Array {
  if (codec === 'F16') refuseOverflow(values, name);
  try {
    return quantise(codec, values);
  } catch (error) {
    if (!isKithError(error)) throw error;
    // The codec does not know whose values it got.
    throw new KithError(error.code, `Tensor ${name}: ${error.message}`, {
      status: error.status,
      cause: error,
    });
  }
}

/** Half precision ends at 65504; a weight beyond it (or NaN) would silently poison every answer. */
function refuseOverflow(values: Float32Array, name: string): void {
  for (let i = 0; i < values.length; i++) {
    if (!(Math.abs(values[i] as number) < 65520)) {
      throw new InputError(
        'tensor_values',
        `Tensor ${name}: value ${i} is ${values[i]}, which F16 cannot hold.`,
      );
    }
  }
}
