/**
 * Evidence against a peer from many audits: who alters few rows by less than honest machines differ passes each of them, and yet
 * has more rows far out than the copies of the same inputs have.
 *
 * How far out honest rows lie is known from the copies, each held against the others: no distribution is assumed. Of a row it
 * counts whether it lies beyond the farthest 5 % and 1 % of those. The evidence is the logarithm of how much likelier what was
 * seen is of a peer who alters a tenth of its rows by 1 % (measured on 8-bit weights: then 11 and 5 rows in a hundred lie so far
 * out) than of an honest one, summed over rows and never below 0, so that a good name from before hides nothing (CUSUM; Page 1954).
 *
 * @module shards/audit/tally
 */
import type { BlockSpan } from '../types.ts';
import type { Tails } from './compare.ts';

/** Copies' rows that are remembered for each span. */
const MOST = 8192;
/** And from which on they say how far out rows lie. */
const LEAST = 512;
/** Shares of rows between the bounds: honest ones with a margin, and those of a liar. */
const HONEST = [0.943, 0.044, 0.013] as const;
const LIAR = [0.885, 0.065, 0.05] as const;
/** ln 10^6: in so many rows about once by chance. */
const ENOUGH = 13.8;

export interface Evidence {
  sum: number;
  rows: number;
  /** Who computed again. */
  readonly by: Set<string | null>;
}

export class Tally {
  readonly #copies = new Map<string, number[]>();
  readonly #peers = new Map<string, Evidence>();
  /** The last step of which rows were counted. */
  readonly #counted = new Map<string, number>();

  /**
   * Notes an audit that the peer passed.
   * @param steps in which the claim's rows were computed: none counts twice, for it would be as far out again
   * @returns what speaks against it, once that is enough; then it begins anew
   */
  note(
    span: BlockSpan,
    peer: string,
    by: string | null,
    { claim, copies }: Tails,
    steps: readonly number[],
  ): Evidence | null {
    const key = `${span.from}-${span.to}`;
    const known = this.#copies.get(key) ?? [];
    this.#copies.set(key, [...known, ...copies].slice(-MOST));
    const counted = this.#counted.get(peer) ?? 0;
    this.#counted.set(
      peer,
      steps.reduce((a, b) => Math.max(a, b), counted),
    );
    if (known.length < LEAST) return null;
    const sorted = Float64Array.from(known).sort();
    const [far, farther] = [0.95, 0.99].map((share) => sorted[Math.floor(sorted.length * share)]!);
    const evidence = this.#peers.get(peer) ?? { sum: 0, rows: 0, by: new Set<string | null>() };
    this.#peers.set(peer, evidence);
    for (const [i, ratio] of claim.entries()) {
      if (steps[i]! <= counted) continue;
      const k = ratio > farther! ? 2 : ratio > far! ? 1 : 0;
      evidence.sum += Math.log(LIAR[k]! / HONEST[k]!);
      evidence.rows++;
      if (evidence.sum > 0) continue;
      evidence.sum = 0;
      evidence.rows = 0;
      evidence.by.clear();
    }
    if (evidence.sum > 0) evidence.by.add(by);
    if (evidence.sum < ENOUGH) return null;
    this.#peers.delete(peer);
    return evidence;
  }
}
