/**
 * The route by which a document of a knowledge base is read.
 *
 * @module server/rag/reading
 */
import { z } from 'zod';
import { once } from '../gateway/cache.ts';
import type { Exchange } from '../http/exchange.ts';
import { parseBody } from '../http/schema.ts';
import { place, whole } from './bodies.ts';
import type { PassagesView, ReadingDesk } from './reading-types.ts';

const MOST_AROUND = 20;
const MOST_PASSAGES = 200;

export const passagesQuery = z.strictObject({
  path: place,
  chunk: z
    .string()
    .regex(/^[0-9a-f]{32}$/, 'must be the id of a passage')
    .exactOptional(),
  around: whole(MOST_AROUND, 'around').default(2),
  from: whole(Number.MAX_SAFE_INTEGER, 'from', 0).default(0),
  limit: whole(MOST_PASSAGES, 'limit').default(50),
});

export async function passagesRoute(
  desk: ReadingDesk,
  exchange: Exchange,
  kb: string,
): Promise<PassagesView> {
  return desk.passages(kb, parseBody(passagesQuery, once(exchange.query)));
}
