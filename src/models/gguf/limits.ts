/**
 * Bounds of the GGUF reader and the one way it fails.
 *
 * @module models/gguf/limits
 */

import { InputError } from '../../base/index.ts';

const KiB = 1024;
const MiB = 1024 * KiB;

export interface GgufLimits {
  /** Bytes of the whole header (metadata and tensor table). Large vocabularies need about 10 MiB. */
  readonly headerBytes: number;
  /**
   * Bytes of memory one parse may claim for what it returns: strings, arrays, tensor entries. Counted before each
   * allocation, with the cost of the JavaScript objects included, so that a header of millions of empty items
   * stops here. The header's own bytes come on top (at most `headerBytes`, twice while the buffer grows).
   */
  readonly memoryBytes: number;
  /** Metadata entries. */
  readonly entries: number;
  /** Tensors. */
  readonly tensors: number;
  /** Bytes of one metadata key (the format's own bound). */
  readonly keyBytes: number;
  /** Bytes of one tensor name (the format's own bound). */
  readonly nameBytes: number;
  /** Bytes of one string value or array item. */
  readonly stringBytes: number;
  /** Items of one array. */
  readonly arrayItems: number;
  /** Arrays within arrays: 1 is a plain array. */
  readonly depth: number;
  /** Dimensions of a tensor. */
  readonly dims: number;
  /** Smallest and largest `general.alignment`, bytes; it must also be a power of two. */
  readonly minAlignment: number;
  readonly maxAlignment: number;
}

export const GGUF_LIMITS: GgufLimits = Object.freeze({
  headerBytes: 128 * MiB,
  memoryBytes: 512 * MiB,
  entries: 65_536,
  tensors: 131_072,
  keyBytes: 65_535,
  nameBytes: 64,
  stringBytes: 64 * MiB,
  arrayItems: 16 * MiB,
  depth: 4,
  dims: 4,
  minAlignment: 8,
  maxAlignment: 64 * KiB,
});

/** Alignment of tensor data when the file does not say. */
export const DEFAULT_ALIGNMENT = 32;

/** Every code a bad GGUF can fail with. */
export type GgufErrorCode =
  | 'gguf_magic'
  | 'gguf_version'
  | 'gguf_endian'
  | 'gguf_truncated'
  | 'gguf_limit'
  | 'gguf_name'
  | 'gguf_duplicate'
  | 'gguf_value'
  | 'gguf_alignment'
  | 'gguf_tensor_type'
  | 'gguf_tensor_shape'
  | 'gguf_tensor_offset'
  | 'gguf_tensor_overlap'
  | 'gguf_tensor_data';

export function ggufError(
  code: GgufErrorCode,
  message: string,
  details: Readonly<Record<string, string | number>> = {},
): InputError {
  return new InputError(code, message, { details });
}

/** At most 80 characters of a name from a file. */
export function clipped(name: string): string {
  return name.length > 80 ? `${name.slice(0, 79)}…` : name;
}

/** A name from a file, made safe to print: clipped, quoted and escaped. */
export function quoted(name: string): string {
  return JSON.stringify(clipped(name));
}

/** Rounds up to a multiple of `alignment` (any positive integer; safe integers only). */
export function alignUp(value: number, alignment: number): number {
  const rest = value % alignment;
  return rest === 0 ? value : value + alignment - rest;
}
