/**
 * Kept answers of knowledge bases, in the document.
 *
 * @module server/openapi/rag-cache
 */
import type { Operation } from './operation.ts';
import { operation } from './rag-parts.ts';
import { choice, count, described, object } from './schema.ts';

export const ragCacheOperations: readonly Operation[] = [
  operation('get', '/{kb}/cache', 'ragKept', 'Show how many answers are kept', [
    'Those that may still be given.',
    object({
      mode: described('`knowledge.cache`.', choice('same', 'similar', 'off')),
      answers: count,
      bytes: count,
      hits: described('Times that those which are kept now were given.', count),
    }),
  ]),
  operation('delete', '/{kb}/cache', 'ragClearKept', 'Remove all answers that are kept', [
    'How many there were.',
    object({ removed: count }),
  ]),
];
