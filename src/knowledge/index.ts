/**
 * The knowledge room: knowledge bases of their owner's documents. Files go in, chunks with their places come out, found by
 * words, by meaning and by what they name. Needs no model but the embedder that it is given, and never fetches anything.
 *
 * @module knowledge
 */
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
