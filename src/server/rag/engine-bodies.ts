/**
 * What the routes of engines take.
 *
 * @module server/rag/engine-bodies
 */
import { z } from 'zod';
import { flag } from './bodies.ts';

export const engineBody = z.strictObject({
  url: z.string().min(1).max(2048),
  secret: z.string().min(1).max(1024).exactOptional(),
  search: z.boolean().exactOptional(),
});
/** So many texts are fetched by one call. */
const MOST_HITS = 50;
export const engineSearchBody = z.strictObject({
  query: z.string().min(1).max(20_000),
  k: z.int().min(1).max(MOST_HITS).default(10),
  exact: z.boolean().default(false),
});
export const disconnectQuery = z.strictObject({ drop: flag.default(false) });
