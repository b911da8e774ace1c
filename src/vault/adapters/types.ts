/**
 * Vectors in an engine that their owner runs: one interface over PostgreSQL with pgvector and Qdrant, for who trusts that machine.
 *
 * An engine sees each vector as it is, the ids of points, when and how often it is asked, and what comes of it. Payloads are bytes that the
 * caller sealed (`sealing.ts`). None can run `split`: that takes two operators and arithmetic that no such engine has.
 *
 * @module vault/adapters/types
 */

/** One vector and what lies beside it. */
export interface EnginePoint {
  /** From 1, a safe integer. */
  readonly id: number;
  /** As many numbers as the collection's dimension; unit length, so that the dot product is the cosine. */
  readonly vector: Float32Array;
  /** What the point is made of, in 16 bytes; equal digests mean nothing is to be sent. */
  readonly digest: Uint8Array;
  /** Opaque to the engine, at most `ENGINE_BOUNDS.payloadBytes`. */
  readonly payload: Uint8Array;
}

export interface EngineRow {
  readonly id: number;
  /** 16 bytes; empty where what lies there is not what was written. */
  readonly digest: Uint8Array;
}

export interface EngineHit {
  readonly id: number;
  /** Dot product with the question, as the engine computed it. */
  readonly score: number;
}

export interface EngineQuery {
  /** Hits wanted, at most `ENGINE_BOUNDS.hits`. */
  readonly k: number;
  /** Only these points, at most `ENGINE_BOUNDS.ids`. @default all */
  readonly only?: ArrayLike<number>;
  /** Compares with every point instead of by the engine's index. @default false */
  readonly exact?: boolean;
  readonly signal?: AbortSignal | undefined;
}

export const ENGINE_KINDS = ['postgres', 'qdrant'] as const;
export type EngineKind = (typeof ENGINE_KINDS)[number];

/** A collection of points. What fails says so as KithError `engine_...` (`errors.ts`). */
export interface VectorEngine extends AsyncDisposable {
  readonly kind: EngineKind;
  /** Product and versions, for people. */
  readonly about: string;
  readonly dimension: number;
  /** Puts points, each in place of the one of its id: all of them are kept once this resolves. At most `ENGINE_BOUNDS.points`. */
  upsert(points: readonly EnginePoint[], signal?: AbortSignal): Promise<void>;
  /** Ids that are not there do no harm. At most `ENGINE_BOUNDS.page`. */
  delete(ids: readonly number[], signal?: AbortSignal): Promise<void>;
  /** Best first, of equals the lesser id. */
  search(vector: Float32Array, query: EngineQuery): Promise<readonly EngineHit[]>;
  /** What lies beside points; those that are not there are left out. At most `ENGINE_BOUNDS.fetched`. */
  payloads(ids: readonly number[], signal?: AbortSignal): Promise<ReadonlyMap<number, Uint8Array>>;
  count(signal?: AbortSignal): Promise<number>;
  /** Points in the order of their ids, those after `after`; an empty list ends it. */
  list(after: number, signal?: AbortSignal): Promise<readonly EngineRow[]>;
  /** Makes what searches fast, after many points were put; harmless when it is there. */
  index(signal?: AbortSignal): Promise<void>;
  /** Removes the collection with all that is in it; harmless when it is gone. */
  drop(signal?: AbortSignal): Promise<void>;
}

export interface EngineOptions {
  /** `engineAddress` made it. */
  readonly address: EngineAddress;
  /** 32 hex digits: names nothing to who reads them. */
  readonly collection: string;
  /** 1 to 2000, which is the most that pgvector indexes. */
  readonly dimension: number;
  /** Makes the collection when it is not there. @default true */
  readonly create?: boolean;
  /** ms until an engine that does not answer is given up. @default 30000 */
  readonly callMs?: number;
  /** ms that `index` may take. @default 3600000 */
  readonly indexMs?: number;
  readonly signal?: AbortSignal | undefined;
}

export interface EngineAddress {
  readonly kind: EngineKind;
  /** Without credentials: this may be shown and logged. */
  readonly shown: string;
  readonly host: string;
  readonly port: number;
  readonly tls: 'off' | 'verified' | 'unverified';
  /** Of PostgreSQL; Qdrant has no users. */
  readonly user: string;
  readonly database: string;
  /** Password, or the API key of Qdrant; null for none. */
  readonly secret: string | null;
}

export const ENGINE_BOUNDS = {
  dimension: 2000,
  /** Points of one `upsert`. */
  points: 256,
  /** Bytes of a payload: a passage, sealed. */
  payloadBytes: 1 << 19,
  digestBytes: 16,
  /** Bytes of the payloads of one `upsert`. */
  upsertBytes: 8 << 20,
  /** Ids of a filter. */
  ids: 65_536,
  hits: 4096,
  /** Rows of one answer of `list`, ids of one `delete`. */
  page: 4096,
  /** Payloads of one `payloads`. */
  fetched: 50,
  /** Bytes of one reply; more ends the call. */
  replyBytes: 64 << 20,
} as const;
