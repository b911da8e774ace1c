/**
 * The models room: which models there are, how their bytes get here and are checked, and the GGUF format.
 *
 * In: ids, source URIs, files. Out: paths of verified GGUF files, manifests, headers, slices. Nothing here runs a
 * model or loads native code, and no byte is handed on before its sha256 was right.
 *
 * @module models
 */

export { listOfFile } from './blocks/compute.ts';
export {
  HEADER,
  MAX_LIST_BYTES,
  parseTensorList,
  type Section,
  serialiseTensorList,
  type TensorList,
} from './blocks/list.ts';
export { readListFile, type TensorListFile, writeListFile } from './blocks/list-file.ts';
export { pinnedList } from './blocks/pinned.ts';
export type {
  BlockProvider,
  BlockRequest,
  BlockSink,
  EnsureBlocksOptions,
  EnsuredBlocks,
  Holding,
  PartialBlocks,
} from './blocks/types.ts';
export * from './gguf/index.ts';
export * from './import/index.ts';
export { CATALOGUE, type CatalogueEntry } from './manifest/catalogue.ts';
export { describeModel, type ModelFacts } from './manifest/describe.ts';
export { checkModelId, isModelId, parseManifest, serialiseManifest } from './manifest/manifest.ts';
export { createDefaultSources, type DefaultSourceOptions } from './sources/index.ts';
export type {
  ListedFile,
  ResolvedSource,
  Source,
  SourceCapabilities,
  SourceOptions,
} from './sources/source.ts';
export { createModelStore } from './store/store.ts';
export type {
  AddOptions,
  EnsureOptions,
  ModelDetails,
  ModelStore,
  ModelStoreOptions,
  PullOptions,
  StoreCallOptions,
  StoreImportOptions,
} from './store/types.ts';
export type * from './types.ts';
