/**
 * The answer cache's door: the same question to the same model for the same caller is answered once. Exact by default,
 * by meaning when a caller allows it; nothing at the highest privacy level, nothing random without being asked to.
 *
 * Requests and a way to ask go in, events come out. It never chooses a model and never speaks to one.
 *
 * @module gateway/cache
 * @example
 * const store = createSqliteStore({ path: join(home, 'answers.db'), maxBytes: 256 * 2 ** 20, clock, log });
 * await using cache = createAnswerCache({ store, clock, log });
 * for await (const event of cache.answer(request, scope, (signal) => backend.chat({ ...request, signal }))) send(event);
 */
export { anchorsOf, questionText, withoutPoliteness } from './anchors.ts';
export {
  type AnswerCache,
  type AnswerCacheOptions,
  cacheNoteOf,
  createAnswerCache,
  type LastGood,
} from './cache.ts';
export { DEFAULT_THRESHOLDS, type Intent, intentOf } from './intent.ts';
export { createRedisStore, type RedisStoreOptions } from './redis-store.ts';
export { createSqliteStore, type SqliteStoreOptions } from './sqlite-store.ts';
export type * from './types.ts';
