/** Short constructors for GGUF metadata values. @module models/import/values */

import type { GgufValue } from '../types.ts';

export type MetadataEntry = readonly [key: string, value: GgufValue];

export const string = (value: string): GgufValue => ({ type: 'string', value });
export const bool = (value: boolean): GgufValue => ({ type: 'bool', value });
export const uint32 = (value: number): GgufValue => ({ type: 'uint32', value });
export const float32 = (value: number): GgufValue => ({ type: 'float32', value: Math.fround(value) });
export const strings = (values: readonly string[]): GgufValue => ({
  type: 'array',
  value: { type: 'string', values },
});
export const int32s = (values: Int32Array): GgufValue => ({
  type: 'array',
  value: { type: 'int32', values },
});
export const float32s = (values: Float32Array): GgufValue => ({
  type: 'array',
  value: { type: 'float32', values },
});
export const bools = (values: readonly boolean[]): GgufValue => ({
  type: 'array',
  value: { type: 'bool', values },
});
