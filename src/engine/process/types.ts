/**
 * What the engine offers to the rooms above it.
 *
 * @module engine/process/types
 */

import type { Clock, Logger, Random } from '../../base/index.ts';
import type { Carry } from '../runner/path-runner.ts';
import type { ForwardPart, ForwardResult } from '../runner/types.ts';
import type {
  BlockSpan,
  EmbedRequest,
  EmbedResult,
  EncodeOptions,
  EngineOptions,
  GenerateEvent,
  GenerateRequest,
  LoadedModel,
  LoadRequest,
  Prompt,
  RankRequest,
  RankResult,
} from '../types.ts';
import type { KvCells, LeaseTerms } from './leases.ts';
import type { SupervisorLimits, SupervisorStatus } from './supervision.ts';

export interface CreateEngineOptions extends Partial<EngineOptions> {
  readonly log: Logger;
  readonly clock: Clock;
  /** Source of seeds for requests that give none. */
  readonly random: Random;
  /** Folders laid out like node_modules with GPU packages that the owner added. */
  readonly libraryRoots?: readonly string[];
  /** How the engine process is watched and restarted. */
  readonly supervision?: Partial<SupervisorLimits>;
}

export interface LoadOptions {
  readonly signal?: AbortSignal | undefined;
  /** Bytes of weights read so far, and all of them. */
  readonly onProgress?: (doneBytes: number, totalBytes: number) => void;
  /** Computes the blocks that `LoadRequest.elsewhere` names. The last one given for an id holds. */
  readonly carry?: Carry;
}

export interface EngineDevice {
  readonly name: string;
  readonly description: string;
  readonly kind: 'cpu' | 'gpu' | 'igpu' | 'accelerator';
  /** `CPU`, `CUDA`, `Vulkan`, `Metal`, ... */
  readonly backend: string;
  readonly memoryFree: number;
  readonly memoryTotal: number;
}

export interface EngineDevices {
  /** Where models are computed. */
  readonly active: string;
  readonly threads: number;
  readonly devices: readonly EngineDevice[];
  /** GPU libraries that are installed but could not be used, with the reason. */
  readonly skipped: readonly { readonly path: string; readonly reason: string }[];
  /** True when the CPU has a faster weight layout for the common quantised types. */
  readonly repack: boolean;
  /** What the CPU libraries were built for and this processor has: `AVX512_BF16`, `NEON`, ... In order of their names. */
  readonly cpuFeatures: readonly string[];
  /** Release of the native libraries, for example `v0.4.0`. */
  readonly release: string;
  /** GGUF architectures with a graph of our own; any other runs whole through node-llama-cpp. */
  readonly architectures: readonly string[];
}

export interface ModelStatus {
  readonly id: string;
  readonly runner: LoadedModel['runner'];
  /** Sequences in the batch now. */
  readonly active: number;
  /** Requests that wait for a place. */
  readonly queued: number;
  /** Everything else the model's scheduler counts. */
  readonly counters: Readonly<Record<string, number>>;
}

export interface EngineStatus extends SupervisorStatus {
  /** Empty when the process does not run. */
  readonly models: readonly ModelStatus[];
}

export interface LeaseOptions {
  /** Some of the range's blocks. @default all */
  readonly span?: BlockSpan;
  /** Leases of one holder share its turns at the blocks. At most 128 characters. @default a turn for each lease */
  readonly holder?: string;
  readonly signal?: AbortSignal;
}

/** Cells of a block range that one holder runs sequences on. Ends with the engine process, and with the model. */
export interface CellLease extends AsyncDisposable {
  readonly cells: number;
  readonly terms: LeaseTerms;
  /**
   * Takes hidden states through the range's blocks. Cells are the lease's own, from 0; calls are computed in order.
   *
   * @throws InputError `cells_invalid`, `lease_unknown`; KithError `forward_invalid`, `engine_lost`
   */
  readonly step: Carry;
  /**
   * KV rows of up to `most` written cells from number `from` on, to go on with at another lease of the same blocks; none when
   * there are no more.
   */
  readKv(from: number, most: number, signal?: AbortSignal): Promise<KvCells>;
  /** @throws InputError `cells_invalid`; KithError `kv_invalid` for rows of another size, and for values that are not finite */
  writeKv(kv: KvCells, signal?: AbortSignal): Promise<void>;
}

/** Runs models in a process of its own. Nothing native is loaded in this one. */
export interface Engine extends AsyncDisposable {
  /** Starts the engine process if it does not run. Not needed before `load`. */
  start(signal?: AbortSignal): Promise<void>;
  /**
   * Loads a model or a block range under an id. The same id and request again gives the loaded model; calls at the same
   * time share one load; another path or range under the same id replaces the model.
   *
   * @throws KithError `engine_unavailable`; LimitError `engine.memoryBytes` when it does not fit; InputError for a file
   * that is no usable model.
   */
  load(request: LoadRequest, options?: LoadOptions): Promise<LoadedModel>;
  /** Frees the model. Requests in flight on it end with `model_unloading`. Does nothing for an id that is not loaded. */
  unload(id: string): Promise<void>;
  /**
   * Nothing happens until the first `next()`. Ending the iteration early stops the decoding. After an abort the stream
   * ends with finish `aborted` if it had started, and throws AbortedError otherwise.
   *
   * @throws KithError `model_not_loaded`, `engine_lost` (503: the engine process died, send it again), `engine_unavailable`;
   * LimitError over queue and wait limits; InputError for a prompt that does not fit.
   */
  generate(request: GenerateRequest, signal?: AbortSignal): AsyncIterableIterator<GenerateEvent>;
  /** @throws InputError `input_too_long` naming the input's index, unless `truncate`. */
  embed(request: EmbedRequest, signal?: AbortSignal): Promise<EmbedResult>;
  /**
   * How well each passage answers the query, by a model that reads both together.
   *
   * @throws InputError `wrong_model_task` for a model that is no reranker; `input_empty`, `input_too_long` for the query
   */
  rank(request: RankRequest, signal?: AbortSignal): Promise<RankResult>;
  /**
   * Tokens that a prompt would have after the chat template.
   *
   * @throws InputError `context_length_exceeded` for more than four times the context.
   */
  countTokens(model: string, prompt: Prompt, signal?: AbortSignal): Promise<number>;
  tokenize(model: string, text: string, options?: EncodeOptions, signal?: AbortSignal): Promise<Int32Array>;
  detokenize(model: string, tokens: Int32Array | readonly number[], signal?: AbortSignal): Promise<string>;
  /**
   * One pass over the blocks of a loaded range: token ids or hidden states in, hidden states or logits out. The caller
   * owns the KV cells it names. Not for models that also serve `generate`, whose scheduler owns the cells.
   */
  forward(model: string, parts: readonly ForwardPart[], signal?: AbortSignal): Promise<ForwardResult>;
  /**
   * Lends KV cells of a block range without embedding and head, for sequences of one holder.
   *
   * @throws LimitError `engine.kvCells` when fewer are free; InputError `range_invalid`; KithError `wrong_model_task`
   */
  lease(model: string, cells: number, options?: LeaseOptions): Promise<CellLease>;
  models(): readonly LoadedModel[];
  devices(signal?: AbortSignal): Promise<EngineDevices>;
  /** State of the engine process as this side knows it, at once. */
  state(): SupervisorStatus;
  status(signal?: AbortSignal): Promise<EngineStatus>;
}
