/**
 * What `kith vpk bench` tells.
 *
 * @module node/vault-bench/types
 */

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

export type BenchOptionsRow = (row: BenchRow) => void;

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

/** Who learns what, for people. */
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
  [
    'which passages',
    'nobody else',
    'which blocks are read, and when',
    'nothing; both together: which',
    'which',
  ],
  ['how many, how large', 'nobody else', 'roughly', 'how many vectors', 'how many vectors'],
  [
    'wrong answers',
    'none',
    'seen (sealed, named by hash)',
    'seen (weighed sums, canaries)',
    'altered: seen; left out: not seen',
  ],
];
