/**
 * What `kith vpk bench` tells.
 *
 * @module node/vault-bench/types
 */

export interface BenchRow {
  readonly mode: 'plain' | 'sealed' | 'split';
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
}

/** Who learns what, for people. */
export const LEARNS: readonly (readonly [what: string, plain: string, sealed: string, split: string])[] = [
  ['texts', 'nobody else', 'nothing', 'nothing'],
  ['vectors', 'nobody else', 'nothing', 'nothing'],
  ['question', 'nobody else', 'nothing', 'nothing; both operators together: all'],
  ['which passages', 'nobody else', 'which blocks are read, and when', 'nothing; both together: which'],
  ['how many, how large', 'nobody else', 'roughly', 'how many vectors'],
  ['wrong answers', 'none', 'seen (sealed, named by hash)', 'seen (weighed sums, canaries)'],
];
