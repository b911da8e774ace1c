/**
 * Answers of a knowledge base that are kept for questions which come again.
 *
 * @module server/rag/cache-types
 */

export interface KeptView {
  /** `same`: given to the same question; `similar`: also to one that means the same. */
  readonly mode: 'same' | 'similar' | 'off';
  readonly answers: number;
  readonly bytes: number;
  /** Times that those which are kept now were given. */
  readonly hits: number;
}

export interface CacheDesk {
  stats(kb: string): Promise<KeptView>;
  /** @returns how many were removed */
  clear(kb: string): Promise<number>;
}
