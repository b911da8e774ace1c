/** What the model store offers and takes. @module models/store/types */

import type { Clock, Logger, Random, requireDiskSpace } from '../../base/index.ts';
import type { TensorList } from '../blocks/list.ts';
import type { BlockProvider, EnsureBlocksOptions, EnsuredBlocks, Holding } from '../blocks/types.ts';
import type { BlockRange } from '../gguf/index.ts';
import type { CatalogueEntry } from '../manifest/catalogue.ts';
import type { ModelFacts } from '../manifest/describe.ts';
import type { SourceSettings } from '../sources/index.ts';
import type { Source } from '../sources/source.ts';
import type { ModelEntry, ModelManifest, ModelTask, Progress } from '../types.ts';
import type { Convert } from './obtain.ts';

export interface ModelStoreOptions extends SourceSettings {
  /** KITH_HOME. Models lie in `<home>/models`. */
  readonly home: string;
  readonly clock?: Clock;
  readonly random?: Random;
  readonly log?: Logger;
  /** Variables read: `HF_TOKEN`, `npm_config_registry`, proxies. @default process.env */
  readonly env?: Readonly<Record<string, string | undefined>>;
  /** Models known by name. @default the built-in catalogue */
  readonly catalogue?: readonly CatalogueEntry[];
  /** Sources beside (or instead of) the built-in ones: `ipfs:`, `peer:`. */
  readonly sources?: readonly Source[];
  /** GGUF architectures that have a graph here; `show` reports it. */
  readonly architectures?: readonly string[];
  /** Whether `ensure` may use the network. @default false */
  readonly allowDownload?: boolean;
  /** @default the import room's `importModel` */
  readonly convert?: Convert;
  /** @default base's `requireDiskSpace` */
  readonly requireSpace?: typeof requireDiskSpace;
}

export interface StoreCallOptions {
  readonly signal?: AbortSignal | undefined;
  readonly onProgress?: ((progress: Progress) => void) | undefined;
  /** False: throw `locked` (409), which names the holder, when another process works on the model. @default true */
  readonly wait?: boolean | undefined;
}

export interface EnsureOptions extends StoreCallOptions {
  /** @default `allowDownload` of the store */
  readonly download?: boolean | undefined;
}

export interface AddOptions extends StoreCallOptions {
  /** @default made from the file's or repository's name */
  readonly id?: string | undefined;
  readonly name?: string | undefined;
  /** SPDX id. */
  readonly licence?: string | undefined;
  readonly task?: ModelTask | undefined;
  /** Refuse anything else. */
  readonly sha256?: string | undefined;
}

export interface PullOptions extends AddOptions {
  /** For sources that are converted; also picks among several GGUF files of a repository. @default 'Q8_0' */
  readonly quantisation?: string | undefined;
}

export interface StoreImportOptions extends AddOptions {
  /** @default 'Q8_0' */
  readonly quantisation?: 'F16' | 'Q8_0' | 'Q4_0' | undefined;
}

export interface ModelDetails extends ModelEntry {
  /** What the file's header says; null while the file is not here. */
  readonly facts: ModelFacts | null;
  /** Whether the architecture has a graph here; otherwise it runs whole through the compatibility path. */
  readonly hasGraph: boolean;
}

export interface ModelStore extends AsyncDisposable {
  /** Catalogue and stored models, by id. */
  list(): Promise<ModelEntry[]>;
  /** Throws InputError `model_not_found` (404) with the nearest ids. */
  get(id: string): Promise<ModelEntry>;
  /** The verified file of a model, placing (or, where allowed, downloading) it first. */
  ensure(id: string, options?: EnsureOptions): Promise<{ path: string; manifest: ModelManifest }>;
  /**
   * What is needed to compute a range of blocks, an end, or both: the path of the whole model when it is here or comes with
   * the install, else of a sparse file in which these tensors are, each verified. Fetches what is missing, nothing else.
   *
   * @throws InputError `gguf_block_range`, `tensor_list_mismatch`; KithError `tensor_list_missing` (409),
   * `model_not_installed` (409: it may not be fetched), `blocks_unobtainable` (502), `disk_full`
   */
  ensureBlocks(id: string, range: BlockRange, options?: EnsureBlocksOptions): Promise<EnsuredBlocks>;
  /** While it is there, this one is asked, too, wherever blocks may be downloaded. Dispose when it can no longer be asked. */
  provide(provider: BlockProvider): Disposable;
  /**
   * The list of a model's tensors and their hashes: pinned, kept, or made of the whole file (which takes as long as hashing
   * it) and kept. Throws `model_not_installed` (409) when nothing of these is here.
   */
  tensorList(id: string, options?: StoreCallOptions): Promise<TensorList>;
  /** What this disk has of the model with this sha256: verified tensors and where; null for nothing. */
  holding(sha256: string): Promise<Holding | null>;
  /**
   * Makes a model known whose file is not here, and keeps the list of its tensors where one is given.
   *
   * @throws KithError `model_exists` (409) when another has the id; InputError `tensor_list_mismatch`
   */
  adopt(manifest: ModelManifest, list?: TensorList): Promise<ModelEntry>;
  /** Gets a model by catalogue id or source URI(s). A damaged file is replaced. */
  pull(ref: string | readonly string[], options?: PullOptions): Promise<ModelEntry>;
  /** Takes a GGUF file in: a copy, or with `link` the file itself, which must then stay where it is. */
  add(file: string, options?: AddOptions & { readonly link?: boolean }): Promise<ModelEntry>;
  /** Converts a safetensors folder, ONNX or llama2.c file into a model of the store. */
  import(input: string, options?: StoreImportOptions): Promise<ModelEntry>;
  /** Hashes the file again, whatever is remembered, or the tensors that are here. Throws `model_corrupt`. */
  verify(id: string, options?: StoreCallOptions): Promise<ModelEntry>;
  /** Deletes the files of a model, unfinished ones too. A catalogue model stays known. */
  remove(id: string, options?: StoreCallOptions): Promise<{ freedBytes: number }>;
  show(id: string): Promise<ModelDetails>;
}
