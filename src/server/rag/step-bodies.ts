/**
 * What may be done beside searching, as bodies ask for it.
 *
 * @module server/rag/step-bodies
 */
import { z } from 'zod';

export const expandBody = z.array(z.enum(['hyde', 'multi-query'])).max(2);
export const rerankBody = z.enum(['none', 'listwise', 'cross-encoder']);
export const budgetBody = z.int().min(1).max(60_000);

export const stepFields = {
  expand: expandBody.exactOptional(),
  rerank: rerankBody.exactOptional(),
  budgetMs: budgetBody.exactOptional(),
  engine: z.boolean().exactOptional(),
} as const;
