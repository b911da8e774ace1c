/**
 * Documents to chunks.
 *
 * @module knowledge/chunk
 */
export { CHUNK_DEFAULTS, type ChunkOptions, checkChunking, chunkDocument, passageOf } from './chunk.ts';
export { estimateTokens } from './estimate.ts';
export { sentencesOf } from './sentences.ts';
export type { Strategy } from './units.ts';
