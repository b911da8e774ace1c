/**
 * Reader of safetensors files: 8 bytes little-endian header length, a JSON header, then raw row-major tensors.
 * The header is hostile input: its length is bounded before it is read, and every shape and offset is checked
 * against the file before a tensor is handed out. Tensor data is read on demand, a span of rows at a time.
 *
 * @module models/import/safetensors
 */

import { basename, join } from 'node:path';
import { InputError, messageOf } from '../../base/index.ts';
import { dequantise } from '../gguf/quantise.ts';
import type { ByteSource } from '../types.ts';
import { describe, isObject, readJsonFile } from './json.ts';

/** Largest header that is read, in bytes. Real ones are below 2 MB a file. */
export const MAX_SAFETENSORS_HEADER = 16 * 1024 * 1024;
const MAX_TENSORS = 200_000;
const MAX_DIMS = 8;
const MAX_SHARDS = 4096;

/** Bytes per element of every dtype the format names; `read: true` marks those that convert to float. */
const DTYPES: ReadonlyMap<string, { readonly bytes: number; readonly read?: true }> = new Map([
  ['F32', { bytes: 4, read: true as const }],
  ['F16', { bytes: 2, read: true as const }],
  ['BF16', { bytes: 2, read: true as const }],
  ['F64', { bytes: 8 }],
  ['F8_E4M3', { bytes: 1 }],
  ['F8_E5M2', { bytes: 1 }],
  ['I64', { bytes: 8 }],
  ['I32', { bytes: 4 }],
  ['I16', { bytes: 2 }],
  ['I8', { bytes: 1 }],
  ['U64', { bytes: 8 }],
  ['U32', { bytes: 4 }],
  ['U16', { bytes: 2 }],
  ['U8', { bytes: 1 }],
  ['BOOL', { bytes: 1 }],
]);

export interface SafeTensor {
  readonly name: string;
  readonly dtype: string;
  /** Row-major: the last dimension is contiguous. Empty for a scalar. */
  readonly shape: readonly number[];
  /** Absolute byte offset in the source. */
  readonly offset: number;
  readonly bytes: number;
  readonly source: ByteSource;
}

export interface Safetensors {
  readonly tensors: ReadonlyMap<string, SafeTensor>;
  close(): Promise<void>;
}

/**
 * Parses the header of one file.
 * @throws InputError `safetensors_short`, `safetensors_header`, `safetensors_entry`, `safetensors_dtype`,
 *   `safetensors_bounds`, `safetensors_overlap`
 */
export async function readSafetensors(
  source: ByteSource,
  options: { label?: string; signal?: AbortSignal | undefined } = {},
): Promise<Map<string, SafeTensor>> {
  const label = options.label ?? 'The safetensors file';
  if (source.size < 10) {
    throw new InputError(
      'safetensors_short',
      `${label} has ${source.size} bytes: too short for a safetensors header.`,
    );
  }
  const head = await source.read(0, 8, options.signal);
  const length = Number(new DataView(head.buffer, head.byteOffset, 8).getBigUint64(0, true));
  if (length < 2 || length > MAX_SAFETENSORS_HEADER) {
    throw new InputError(
      'safetensors_header',
      `${label}: the header claims ${length} bytes; from 2 to ${MAX_SAFETENSORS_HEADER} are accepted.`,
    );
  }
  if (8 + length > source.size) {
    throw new InputError(
      'safetensors_short',
      `${label} has ${source.size} bytes, but its header alone claims ${length}: the file is cut off.`,
    );
  }
  return parseHeader(await source.read(8, length, options.signal), source, 8 + length, label);
}

function parseHeader(
  bytes: Uint8Array,
  source: ByteSource,
  dataStart: number,
  label: string,
): Map<string, SafeTensor> {
  let header: unknown;
  try {
    header = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes));
  } catch (error) {
    throw new InputError(
      'safetensors_header',
      `${label}: the header is not valid JSON: ${messageOf(error)}.`,
      {
        cause: error,
      },
    );
  }
  if (!isObject(header))
    throw new InputError('safetensors_header', `${label}: the header is no JSON object.`);
  const entries = Object.entries(header).filter(([name]) => name !== '__metadata__');
  if (entries.length > MAX_TENSORS) {
    throw new InputError(
      'safetensors_header',
      `${label} lists ${entries.length} tensors; at most ${MAX_TENSORS} are accepted.`,
    );
  }
  const dataBytes = source.size - dataStart;
  const list = entries.map(([name, entry]) => parseEntry(name, entry, source, dataStart, dataBytes, label));
  refuseOverlap(list, label);
  return new Map(list.map((tensor) => [tensor.name, tensor]));
}

function parseEntry(
  name: string,
  entry: unknown,
  source: ByteSource,
  dataStart: number,
  dataBytes: number,
  label: string,
): SafeTensor {
  const at = `${label}: tensor ${describe(name)}`;
  if (!isObject(entry)) throw new InputError('safetensors_entry', `${at} is described by no object.`);
  const { dtype, shape, data_offsets: offsets } = entry;
  const kind = typeof dtype === 'string' ? DTYPES.get(dtype) : undefined;
  if (typeof dtype !== 'string' || kind === undefined) {
    throw new InputError('safetensors_dtype', `${at} has the unknown dtype ${describe(dtype)}.`);
  }
  if (!Array.isArray(shape) || shape.length > MAX_DIMS || !shape.every(isCount)) {
    throw new InputError(
      'safetensors_entry',
      `${at} has no valid shape (at most ${MAX_DIMS} whole numbers).`,
    );
  }
  if (!Array.isArray(offsets) || offsets.length !== 2 || !offsets.every(isCount)) {
    throw new InputError('safetensors_entry', `${at} has no valid data_offsets (two whole numbers).`);
  }
  const [begin, end] = offsets as [number, number];
  if (begin > end || end > dataBytes) {
    throw new InputError(
      'safetensors_bounds',
      `${at} lies at ${begin}..${end}, outside the ${dataBytes} data bytes: the file is damaged or cut off.`,
    );
  }
  const count = (shape as number[]).reduce((product, dim) => product * dim, 1);
  if (!Number.isSafeInteger(count * kind.bytes) || count * kind.bytes !== end - begin) {
    throw new InputError(
      'safetensors_bounds',
      `${at}: shape [${shape.join(', ')}] of ${dtype} does not fill its ${end - begin} bytes exactly.`,
    );
  }
  return { name, dtype, shape: shape as number[], offset: dataStart + begin, bytes: end - begin, source };
}

function isCount(value: unknown): value is number {
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= 0;
}

function refuseOverlap(list: readonly SafeTensor[], label: string): void {
  const sorted = list.filter((tensor) => tensor.bytes > 0).sort((a, b) => a.offset - b.offset);
  for (let i = 1; i < sorted.length; i++) {
    const before = sorted[i - 1] as SafeTensor;
    const tensor = sorted[i] as SafeTensor;
    if (tensor.offset < before.offset + before.bytes) {
      throw new InputError(
        'safetensors_overlap',
        `${label}: tensors ${describe(before.name)} and ${describe(tensor.name)} overlap.`,
      );
    }
  }
}

/**
 * Opens every shard that `model.safetensors.index.json` lists.
 * @param openFile opens one shard by its path
 * @throws InputError `safetensors_index` for a bad index or a tensor its shard does not hold
 */
export async function openSharded(
  indexPath: string,
  openFile: (path: string) => Promise<ByteSource>,
  signal?: AbortSignal,
): Promise<Safetensors> {
  const index = await readJsonFile(indexPath);
  const map = index?.weight_map;
  if (!isObject(map)) throw new InputError('safetensors_index', `${basename(indexPath)} has no weight_map.`);
  const files = new Set<string>();
  for (const [tensor, file] of Object.entries(map)) {
    // A shard name comes from the download: it must stay inside the model's own folder.
    if (typeof file !== 'string' || !/^[\w.+-]{1,200}\.safetensors$/.test(file) || file.startsWith('.')) {
      throw new InputError(
        'safetensors_index',
        `${basename(indexPath)}: tensor ${describe(tensor)} names the file ${describe(file)}, which is no plain shard name.`,
      );
    }
    files.add(file);
  }
  if (files.size === 0 || files.size > MAX_SHARDS) {
    throw new InputError(
      'safetensors_index',
      `${basename(indexPath)} lists ${files.size} shards (1 to ${MAX_SHARDS}).`,
    );
  }
  const tensors = new Map<string, SafeTensor>();
  const sources: ByteSource[] = [];
  const close = async () => {
    for (const source of sources) await source.close?.();
  };
  try {
    for (const file of [...files].sort()) {
      const source = await openFile(join(indexPath, '..', file));
      sources.push(source);
      for (const [name, tensor] of await readSafetensors(source, { label: file, signal })) {
        if (map[name] === file) tensors.set(name, tensor);
      }
    }
    for (const [name, file] of Object.entries(map)) {
      if (!tensors.has(name)) {
        throw new InputError(
          'safetensors_index',
          `${file} does not hold tensor ${describe(name)}, which the index places there.`,
        );
      }
    }
  } catch (error) {
    await close();
    throw error;
  }
  return { tensors, close };
}

/** Columns of a tensor seen as a matrix: its last dimension (1 for a scalar). */
export function columnsOf(tensor: SafeTensor): number {
  return tensor.shape.at(-1) ?? 1;
}

/**
 * Rows [from, from + count) of a tensor seen as a matrix, as float32, row-major.
 * @throws InputError `safetensors_dtype` when the dtype is no float that can be converted
 * @throws InputError `safetensors_bounds` when the rows are not there
 */
export async function readRows(
  tensor: SafeTensor,
  from: number,
  count: number,
  signal?: AbortSignal,
): Promise<Float32Array> {
  const kind = DTYPES.get(tensor.dtype);
  if (kind?.read !== true) {
    throw new InputError(
      'safetensors_dtype',
      `Tensor ${describe(tensor.name)} is ${tensor.dtype}; only F32, F16 and BF16 weights can be imported. Use an unquantised copy of the model.`,
    );
  }
  const rowBytes = columnsOf(tensor) * kind.bytes;
  if (from < 0 || count < 0 || (from + count) * rowBytes > tensor.bytes) {
    throw new InputError(
      'safetensors_bounds',
      `Rows ${from}..${from + count} are outside tensor ${describe(tensor.name)} of shape [${tensor.shape.join(', ')}].`,
    );
  }
  const bytes = await tensor.source.read(tensor.offset + from * rowBytes, count * rowBytes, signal);
  return dequantise(tensor.dtype as 'F32' | 'F16' | 'BF16', bytes);
}
