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

/** Of one witness: e^4 to 1. */
const WEIGHTY = 4;

export interface Evidence {
  readonly rows: number;
  /** On whose word; null is this node. */
  readonly by: readonly (string | null)[];
}

interface Sums {
  sum: number;
  rows: number;
  /** What came of each who computed again. */
  readonly by: Map<string | null, number>;
}

export class Tally {
  readonly #copies = new Map<string, number[]>();
  readonly #peers = new Map<string, Sums>();
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
    const sums = this.#peers.get(peer) ?? { sum: 0, rows: 0, by: new Map<string | null, number>() };
    this.#peers.set(peer, sums);
    for (const [i, ratio] of claim.entries()) {
      if (steps[i]! <= counted) continue;
      const k = ratio > farther! ? 2 : ratio > far! ? 1 : 0;
      const says = Math.log(LIAR[k]! / HONEST[k]!);
      sums.sum += says;
      sums.rows++;
      sums.by.set(by, (sums.by.get(by) ?? 0) + says);
      if (sums.sum > 0) continue;
      sums.sum = 0;
      sums.rows = 0;
      sums.by.clear();
    }
    const witnesses = this.witnesses(peer);
    const isSure = witnesses.includes(null) || witnesses.length > 1;
    // One witness alone could be the one who lies: others are asked for a time.
    if (sums.sum < (isSure ? ENOUGH : 2 * ENOUGH)) return null;
    this.#peers.delete(peer);
    return { rows: sums.rows, by: witnesses };
  }

  /** Those whose audits speak against the peer already: what is wanted is another's word. */
  witnesses(peer: string): readonly (string | null)[] {
    const by = this.#peers.get(peer)?.by ?? new Map<string | null, number>();
    return [...by].filter(([, sum]) => sum >= WEIGHTY).map(([who]) => who);
  }
}
