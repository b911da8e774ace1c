/**
 * What is said between nodes about shared knowledge bases, and its bounds.
 *
 * @module knowledge/share/wire-types
 */
import type { Place } from '../types.ts';

export const RAG_METHOD = '/kith/rag/1';

export const RAG_BOUNDS = {
  requestBytes: 65_536,
  replyBytes: 262_144,
  questionChars: 4000,
  hits: 50,
  grants: 32,
  pathChars: 4096,
  titleChars: 2048,
  /** Of one hit; longer ones are cut. */
  textChars: 16_384,
  answerChars: 65_536,
} as const;

export const RAG_MODES = ['auto', 'both', 'words', 'vectors', 'graph'] as const;
export type RagMode = (typeof RAG_MODES)[number];
export const RAG_WAYS = ['words', 'vectors', 'graph'] as const;

export interface RagFilter {
  readonly paths?: readonly string[];
  readonly tags?: readonly string[];
}

export interface RagQuestion {
  readonly op: 'search' | 'answer';
  /** Bytes of the grant, not looked into yet. */
  readonly grant: Uint8Array;
  readonly question: string;
  readonly k: number;
  readonly mode: RagMode;
  readonly filter: RagFilter | null;
}
export type RagRequest = { readonly op: 'list' } | RagQuestion;

/** `[score, rank]` by one way; rank from 1. */
export type RagEvidence = readonly [score: number, rank: number | null];

export interface RagHit {
  /** 32 hex digits: of the content. */
  readonly id: string;
  /** In the knowledge base. */
  readonly path: string;
  readonly title: string;
  readonly text: string;
  readonly position: number;
  readonly place: Place;
  readonly score: number;
  readonly words: RagEvidence | null;
  readonly vector: RagEvidence | null;
}

export interface RagReply {
  readonly hits: readonly RagHit[];
  readonly by: readonly (typeof RAG_WAYS)[number][];
  readonly degraded: string | null;
  readonly embedder: string | null;
  readonly cut: boolean;
}

export interface RagAnswer {
  readonly text: string;
  readonly hits: readonly RagHit[];
}
