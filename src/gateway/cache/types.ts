/**
 * What the answer cache keeps, where it keeps it, and what it tells about an answer that came from it.
 *
 * @module gateway/cache/types
 */
import type { FinishReason, Receipt } from '../types.ts';

/** Names one question. Two requests with the same `id` are the same question to the same model for the same caller. */
export interface AnswerKey {
  /** SHA-256, 64 hex digits. */
  readonly id: string;
  /** The model's id, so that what it answered can be cleared. */
  readonly model: string;
}

/** Who asks whom. What the request itself does not say but the answer depends on. */
export interface AnswerScope {
  /** Id of the model that will answer: the configured default has been looked up. */
  readonly model: string;
  /** Tells builds of one model id apart, such as the file's digest. @default null */
  readonly revision?: string | null;
  /** The caller's key id. Callers never get each other's answers. */
  readonly tenant: string;
  /** At `maximum` nothing is kept and nothing is looked up. */
  readonly privacy: string;
  /** True when the seed was drawn because the caller gave none: it then tells no question from another. */
  readonly drawnSeed?: boolean;
  /** The caller asked for the cache by itself: answers of any temperature may be kept. @default false */
  readonly optIn?: boolean;
  /** The caller allows answers to questions that mean the same. @default false */
  readonly similar?: boolean;
}

/** One piece of a choice, in the order in which it came: text, or a call of a tool. */
export type AnswerPart = string | { readonly id: string; readonly name: string; readonly arguments: string };

export interface AnswerChoice {
  readonly parts: readonly AnswerPart[];
  readonly reason: FinishReason;
  readonly stop: string | null;
  readonly slidTokens: number;
}

/** A whole answer, without the timing of its pieces. */
export interface Answer {
  readonly backend: string;
  readonly model: string;
  readonly choices: readonly AnswerChoice[];
  /** Null: the backend did not say. */
  readonly promptTokens: number | null;
  readonly cachedTokens: number | null;
  readonly completionTokens: number | null;
  readonly receipt: Receipt;
}

export interface StoredAnswer {
  readonly answer: Answer;
  /** ms since the epoch. */
  readonly storedAt: number;
  /** ms since the epoch; after it the answer is stale. */
  readonly freshUntil: number;
}

/**
 * `hit`: the same question was answered before; `similar`: a question that means the same; `shared`: the answer to the
 * same question was under way; `stale`: kept beyond its time, given because nothing better could be had.
 */
export type CacheStatus = 'hit' | 'similar' | 'shared' | 'stale';

/** What the receipt of an answer from the cache says besides the rest. The other fields are those of the first answer. */
export interface CacheNote {
  readonly status: CacheStatus;
  /** ms since the answer was made; 0 when it was shared. */
  readonly ageMs: number;
  /** Prompt and completion tokens that were not computed again; null when the backend did not count them. */
  readonly savedTokens: number | null;
  /** Cosine of the two questions; stands where the status is `similar`. */
  readonly similarity?: number;
}
export interface CachedReceipt extends Receipt {
  readonly cache: CacheNote;
}

/** Which answers to remove: those that fit everything named. Nothing named: all. */
export interface ClearFilter {
  readonly model?: string;
  /** Older than this, ms. */
  readonly olderThanMs?: number;
}

export interface StoreSize {
  /** Null where the store cannot tell. */
  readonly bytes: number | null;
  readonly entries: number | null;
}

/** Where answers are kept. A store that fails answers as if it were empty: the cache never fails a request. */
export interface AnswerStore extends AsyncDisposable {
  readonly name: string;
  /** The newest answer, fresh or not. */
  get(key: AnswerKey): Promise<StoredAnswer | null>;
  /** Bytes that it takes; 0 when it was not kept (too large, store away). */
  put(key: AnswerKey, stored: StoredAnswer): Promise<number>;
  remove(key: AnswerKey): Promise<void>;
  /** How many were removed. */
  clear(filter: ClearFilter): Promise<number>;
  size(): Promise<StoreSize>;
  close(): Promise<void>;
}

/** Text in, vectors of one length out, each of L2 norm 1. `model` names what made them. */
export interface Embedder {
  readonly model: string;
  embed(texts: readonly string[], signal: AbortSignal): Promise<readonly Float32Array[]>;
}

export interface CacheStats {
  /** From the store, fresh. */
  readonly hits: number;
  readonly similar: number;
  /** Joined a request that was under way. */
  readonly shared: number;
  readonly misses: number;
  /** Of the misses: the store held an answer past its time. */
  readonly expired: number;
  /** Stale answers given by `lastGood`. */
  readonly stale: number;
  /** Requests that may not be cached. */
  readonly bypassed: number;
  readonly stored: number;
  /** Requests that failed, counted once for all who shared them. */
  readonly failed: number;
  /** Prompt and completion tokens not computed again, where they were counted. */
  readonly savedTokens: number;
  readonly bytes: number | null;
  readonly entries: number | null;
  /** Questions in flight now. */
  readonly inFlight: number;
}
