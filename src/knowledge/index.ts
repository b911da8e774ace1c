/**
 * The knowledge room: knowledge bases of their owner's documents. Files go in, chunks with their places come out, found by
 * words, by meaning and by what they name. Needs no model but the embedder that it is given, and never fetches anything.
 *
 * @module knowledge
 */
export {
  CHUNK_DEFAULTS,
  type ChunkOptions,
  checkChunking,
  chunkDocument,
  passageOf,
  type Strategy,
} from './chunk/index.ts';
export {
  type Comparison,
  type Cost,
  compare,
  costOf,
  type Expectation,
  type ExpectedNumber,
  JUDGED_SET_LIMITS,
  type JudgedSet,
  type Judgements,
  judge,
  type KeywordScore,
  keywordScore,
  MEASURES,
  type Measure,
  overall,
  quantile,
  RUN_LIMITS,
  type Run,
  readJudgedSet,
  readRun,
  type Verdict,
  writeRun,
} from './evaluate/index.ts';
export {
  type IngestEvent,
  type IngestOptions,
  type IngestTotals,
  ingest,
  type NewText,
  reembed,
  type SourceFile,
} from './ingest/index.ts';
export { KNOWN_EXTENSIONS } from './parse/detect.ts';
export { DEFAULT_LIMITS } from './parse/limits.ts';
export { createParserPool } from './parse/pool.ts';
export {
  DOCUMENT_TYPES,
  type DocumentType,
  type Parsed,
  type ParseErrorCode,
  type ParseLimits,
  type ParseOptions,
  type ParserPool,
  type ParserPoolOptions,
  type ParseSource,
} from './parse/types.ts';
export {
  createRetriever,
  type Evidence,
  type Found,
  type Hit,
  type Retriever,
  type RetrieverOptions,
  type SearchOptions,
} from './retrieve/index.ts';
export {
  type Changes,
  type Counts,
  type EmbedderIdentity,
  type FileStage,
  type FileState,
  type KnowledgeStore,
  type NewDocument,
  openKnowledgeStore,
  type Page,
  type Scored,
  type SlabRow,
  STORE_LIMITS,
  type StoredChunk,
  type StoredDocument,
  type StoredMention,
  type StoreOptions,
} from './store/index.ts';
export {
  type FoundFile,
  IGNORE_FILES,
  type SyncEvent,
  type SyncOptions,
  sync,
  type Unread,
  WALK_LIMITS,
  type WatchEvent,
  type WatchOptions,
  walk,
  watchFolder,
} from './sync/index.ts';
export type {
  Block,
  Chunk,
  Embedder,
  EmbedOptions,
  Filter,
  Link,
  Mention,
  ParsedDocument,
  ParseNote,
  Place,
  Property,
  Section,
} from './types.ts';
