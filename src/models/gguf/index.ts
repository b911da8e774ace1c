/**
 * GGUF files: read, write, cut and the tensor formats that need no model to make (F16, BF16, Q8_0, Q4_0).
 * Bytes come from a `ByteSource` and are never trusted; nothing here loads native code.
 *
 * @example
 * await using source = await fileSource('model.gguf');
 * const gguf = await readGguf(source);
 * getNumber(gguf, 'llama.block_count');
 *
 * @module models/gguf
 */

export {
  getArray,
  getBool,
  getInteger,
  getNumber,
  getNumbers,
  getPerBlock,
  getString,
  getStrings,
  hasKey,
} from './access.ts';
export {
  type EncodedHeader,
  encodeGgufHeader,
  type GgufLayout,
  type GgufTensorLayout,
} from './encode.ts';
export { fromBF16, fromF16, toBF16, toF16 } from './float16.ts';
export { GGUF_LIMITS, type GgufErrorCode, type GgufLimits } from './limits.ts';
export { CODEC_TYPES, type CodecType, codecBytes, dequantise, quantise } from './quantise.ts';
export { type ReadGgufOptions, readGguf } from './read.ts';
export { type BlockRange, type ByteRange, blockCount, type ModelSlice, sliceModel } from './slice.ts';
export { bufferSource, concatSource, fileSource, type OwnedSource } from './source.ts';
export { type TensorType, tensorBytes, tensorType, tensorTypeNamed, tensorTypes } from './types-table.ts';
export {
  type ByteSink,
  type GgufInput,
  type GgufTensorInput,
  type TensorData,
  type WriteGgufOptions,
  type WrittenGguf,
  writeGguf,
} from './write.ts';
