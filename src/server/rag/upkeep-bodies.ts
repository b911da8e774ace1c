/**
 * What the routes take that say how a knowledge base is cut.
 *
 * @module server/rag/upkeep-bodies
 */
import { z } from 'zod';

const strategy = z.enum(['sentences', 'paragraphs', 'fixed']);
const size = z.int().min(16).max(8192);
const overlap = z.int().min(0).max(10);

export const chunkingBody = z.strictObject({
  strategy: strategy.nullable().exactOptional(),
  size: size.nullable().exactOptional(),
  overlap: overlap.nullable().exactOptional(),
});
/** Of a knowledge base that is made. */
export const newChunkingBody = z.strictObject({
  strategy: strategy.exactOptional(),
  size: size.exactOptional(),
  overlap: overlap.exactOptional(),
});
/** `only: chunks`: vectors of what stays as it is are kept. */
export const rebuildQuery = z.strictObject({ only: z.literal('chunks').exactOptional() });
