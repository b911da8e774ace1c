/**
 * Knowledge bases whose vectors lie in an engine of their owner's (PostgreSQL with pgvector, or Qdrant).
 *
 * @module server/rag/engine-types
 */
import type { Place } from '../../knowledge/index.ts';
import type { JobView, Trouble } from './types.ts';

export interface EngineOrder {
  /** `postgres://USER:PASSWORD@HOST/DATABASE` or `https://:API-KEY@HOST:6333`; never shown again. */
  readonly url: string;
  /** Password or API key, in place of the one in the URL. */
  readonly secret?: string;
  /** Searches ask it unless they say otherwise. @default false, or as it was */
  readonly search?: boolean;
}

export interface EngineView {
  readonly kb: string;
  readonly kind: 'postgres' | 'qdrant';
  /** Where it is, without credentials. */
  readonly address: string;
  readonly search: boolean;
  /** What it holds the vectors in; null before the first sync. */
  readonly collection: string | null;
  /** At the last sync. */
  readonly points: number | null;
  /** ms since 1970; null before the first. */
  readonly synced: number | null;
  /** Whether the knowledge base changed since; null when that cannot be told now. */
  readonly stale: boolean | null;
  /** Who learns what, in sentences. */
  readonly learns: readonly string[];
}

export interface EngineInfo extends EngineView {
  /** Product and versions as it says; null when it does not answer. */
  readonly about: string | null;
  /** Points that are there now. */
  readonly count: number | null;
  readonly trouble: Trouble | null;
}

export interface EngineSearch {
  readonly query: string;
  /** @default 10 */
  readonly k: number;
  /** Compares with every vector there instead of by its index. */
  readonly exact: boolean;
}

export interface EngineSearchView {
  readonly kb: string;
  readonly about: string;
  readonly hits: readonly {
    /** Cosine of the angle between question and passage, as the engine computed it. */
    readonly score: number;
    readonly path: string;
    readonly title: string;
    readonly place: Place;
    readonly text: string;
  }[];
  /** Hits whose text was not what was put there, and was not shown. */
  readonly damaged: number;
  /** Ms: the question's vector, the engine's search, and the texts. */
  readonly times: Readonly<Record<'embed' | 'search' | 'texts', number>>;
  readonly learns: readonly string[];
}

export interface EnginesDesk {
  list(): Promise<readonly EngineView[]>;
  /** Looks whether it answers, and makes a job that puts all vectors there. @throws KithError `engine_...` */
  connect(kb: string, order: EngineOrder, signal: AbortSignal): Promise<JobView>;
  /** @throws KithError `engine_not_connected` */
  info(kb: string, signal: AbortSignal): Promise<EngineInfo>;
  sync(kb: string): Promise<JobView>;
  /** By the engine alone: what it finds, with the texts that lie there, opened here. */
  search(kb: string, order: EngineSearch, signal: AbortSignal): Promise<EngineSearchView>;
  /** `drop`: what is there is removed first; when that fails it stays connected. */
  disconnect(kb: string, drop: boolean, signal: AbortSignal): Promise<{ readonly dropped: boolean }>;
}
