/**
 * The knowledge room: knowledge bases of their owner's documents. Files go in, chunks with their places come out, found by
 * words, by meaning and by what they name. Needs no model but the embedder that it is given, and never fetches anything.
 *
 * @module knowledge
 */
export { DEFAULT_LIMITS } from './parse/limits.ts';
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
