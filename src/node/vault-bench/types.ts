/**
 * What `kith vpk bench` tells.
 *
 * @module node/vault-bench/types
 */
import type { VaultRoot } from '../../vault/index.ts';
import type { BenchEves } from './eves.ts';
import type { BenchVectors } from './vectors.ts';

export interface BenchRow {
  readonly mode: 'plain' | 'sealed' | 'sealed, read lazily' | 'split' | 'perturbed';
  /** Eves; 0: none. */
  readonly eves: number;
  readonly rttMs: number;
  readonly uploadMs: number | null;
  readonly p50: number;
  readonly p95: number;
  /** Overlap with the exact ten. */
  readonly recall: number;
  /** Bytes of payloads of a search, up and down; null: none leave. */
  readonly up: number | null;
  readonly down: number | null;
  /** Ms of one Eve's arithmetic, and of Bob's, in a search; null where nobody computes. */
  readonly eveMs: number | null;
  readonly bobMs: number | null;
  /** Of the first question to what is read lazily, its index included: ms, and bytes down. */
  readonly first?: { readonly ms: number; readonly down: number };
}

export type OnRow = (row: BenchRow) => void;

/** Times what searches take, and compares what they find with the exact ten. */
export type Measure = (
  search: (query: Float32Array) => Promise<{ found: readonly number[]; up?: number; down?: number }>,
  queries?: number,
) => Promise<Pick<BenchRow, 'p50' | 'p95' | 'recall'> & { up: number; down: number }>;

/** What each mode is measured over. */
export interface OverEves {
  readonly data: BenchVectors;
  readonly root: VaultRoot;
  readonly eves: BenchEves;
  readonly rtts: readonly number[];
  readonly textOf: (at: number) => string;
  readonly signal: AbortSignal;
}

/** Passages that a search is to find. */
export const K = 10;
export const PER_DOCUMENT = 10;
/** Questions that an Eve's arithmetic is measured by. */
export const ROUNDS = 8;

/** Questions where each takes the way to Eves. */
export const FEW_QUERIES = 64;

/** How far an Eve gets against `perturbed` who knows of some vectors what became of them. */
export interface KnownPairsRow {
  /** Pairs that she knows. */
  readonly known: number;
  /** Vectors that she holds for possible. */
  readonly candidates: number;
  /** Share of the others that she names rightly. */
  readonly found: number;
  /** Mean cosine of what she takes a vector for to what it is. */
  readonly cosine: number;
}

/** Who learns what beside the owner, for people: what it is about, then what is learnt of it in each mode. */
export const LEARNS_HEAD = [
  '',
  'plain, here',
  'sealed: an Eve',
  'split: an Eve',
  'perturbed (weak): an Eve',
] as const;

export const LEARNS: readonly (readonly [
  what: string,
  plain: string,
  sealed: string,
  split: string,
  perturbed: string,
])[] = [
  ['texts', 'nobody else', 'nothing', 'nothing', 'nothing at first; a vector tells much of its text'],
  ['vectors', 'nobody else', 'nothing', 'nothing', 'nearly all, after some hundred known pairs'],
  ['question', 'nobody else', 'nothing', 'nothing; both operators together: all', 'nearly all, likewise'],
  ['scores, order', 'nobody else', 'nothing', 'nothing', 'roughly: which are nearest'],
  [
    'which passages',
    'nobody else',
    'which stretches of blocks are read',
    'nothing; both together: which',
    'which',
  ],
  ['how many, how large', 'nobody else', 'roughly', 'how many vectors', 'how many vectors'],
  ['whose, and when', 'nobody else', 'yes', 'yes', 'yes'],
  [
    'wrong answers',
    'none',
    'seen (sealed, named by hash)',
    'seen (weighed sums, canaries)',
    'altered: seen; left out: not seen',
  ],
];
