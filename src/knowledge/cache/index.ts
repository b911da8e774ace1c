/**
 * Answers that are kept for questions which come again.
 *
 * @module knowledge/cache
 */
export {
  KEPT_MS,
  type KeptView,
  type Looked,
  lookFor,
  type Question,
  type QuestionCacheOptions,
} from './cache.ts';
