/**
 * How strongly a swarm serves each block of a model. A token goes through all blocks, so that the weakest block bounds what all
 * of them give together, and a block that nobody serves leaves nothing.
 *
 * @module shards/plan/strength
 */
import type { BlockSpan } from '../types.ts';

/** What one node serves of a model. */
export interface ServedBlocks {
  readonly peer: string;
  readonly ranges: readonly BlockSpan[];
  /** Tokens a second through all its blocks; null when it does not say. */
  readonly tokensPerSecond: number | null;
}

export interface Strength {
  /** Blocks that nobody serves. */
  readonly gaps: readonly BlockSpan[];
  /** Tokens a second at the weakest block; 0 with a gap. */
  readonly least: number;
  /** The first stretch of the weakest blocks; null for a model without blocks. */
  readonly weakest: BlockSpan | null;
  /** Seconds of a token, summed over the served blocks: it falls most where little is strengthened. */
  readonly seconds: number;
}

/** ms of a block at a node that says no rate: rather slow, so that those that do are asked first. */
export const UNKNOWN_BLOCK_MS = 20;

/** Tokens a second of one token after the other through `count` blocks. */
export const rateOf = (count: number, msPerBlock: number): number => 1000 / (count * msPerBlock);

/** What it gives to each of its blocks, tokens a second. */
export function ratePerBlock({ ranges, tokensPerSecond }: ServedBlocks): number {
  const count = ranges.reduce((sum, { from, to }) => sum + to - from, 0);
  if (count === 0) return 0;
  return tokensPerSecond !== null && tokensPerSecond > 0 ? tokensPerSecond : rateOf(count, UNKNOWN_BLOCK_MS);
}

/** Tokens a second at each block: sums over those who serve it. */
export function blockRates(served: Iterable<ServedBlocks>, blocks: number): Float64Array {
  const rates = new Float64Array(blocks);
  for (const one of served) {
    const rate = ratePerBlock(one);
    for (const { from, to } of one.ranges)
      for (let block = Math.max(0, from); block < Math.min(to, blocks); block++) rates[block]! += rate;
  }
  return rates;
}

export function strengthOf(rates: Float64Array): Strength {
  const least = rates.reduce((one, other) => Math.min(one, other), Number.POSITIVE_INFINITY);
  if (rates.length === 0) return { gaps: [], least: 0, weakest: null, seconds: 0 };
  const weak = stretches(rates, (rate) => rate <= least * (1 + ALIKE));
  const seconds = rates.reduce((sum, rate) => sum + (rate === 0 ? 0 : 1 / rate), 0);
  return { gaps: stretches(rates, (rate) => rate === 0), least, weakest: weak[0]!, seconds };
}

/** Rates that differ by less, relatively, are the same: they are sums of the same numbers in another order. */
export const ALIKE = 1e-9;

function stretches(rates: Float64Array, is: (rate: number) => boolean): BlockSpan[] {
  const found: { from: number; to: number }[] = [];
  for (const [block, rate] of rates.entries()) {
    if (!is(rate)) continue;
    const before = found.at(-1);
    if (before?.to === block) before.to++;
    else found.push({ from: block, to: block + 1 });
  }
  return found;
}
