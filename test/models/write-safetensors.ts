/** A safetensors writer for tests, by the format's description. @module test/models/write-safetensors */

import { writeFile } from 'node:fs/promises';

export interface FloatTensor {
  readonly name: string;
  /** Row-major: the last dimension is contiguous. */
  readonly shape: readonly number[];
  readonly values: Float32Array;
}

/** Writes float32 tensors as one file. */
export async function writeSafetensors(path: string, tensors: readonly FloatTensor[]): Promise<void> {
  const header: Record<string, unknown> = { __metadata__: { format: 'pt' } };
  let offset = 0;
  for (const { name, shape, values } of tensors) {
    header[name] = { dtype: 'F32', shape, data_offsets: [offset, offset + values.byteLength] };
    offset += values.byteLength;
  }
  const json = Buffer.from(JSON.stringify(header));
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(json.length));
  const data = tensors.map(({ values }) => Buffer.from(values.buffer, values.byteOffset, values.byteLength));
  await writeFile(path, Buffer.concat([length, json, ...data]));
}
