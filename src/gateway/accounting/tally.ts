/**
 * Sums of one row of the ledger.
 *
 * @module gateway/accounting/tally
 */
import { costOf, moneyOf, type Nano, nanoOf } from './money.ts';
import type { Price, Usage, UsageSums } from './types.ts';

/** `UsageSums` that grow; money exact. */
export interface Tally {
  requests: number;
  answered: number;
  failed: number;
  left: number;
  kept: number;
  promptTokens: number;
  cachedTokens: number;
  completionTokens: number;
  uncounted: number;
  cost: Nano;
  unpriced: number;
}

export const TALLIED = [
  'requests',
  'answered',
  'failed',
  'left',
  'kept',
  'promptTokens',
  'cachedTokens',
  'completionTokens',
  'uncounted',
  'unpriced',
] as const;

export function emptyTally(): Tally {
  return {
    ...{ requests: 0, answered: 0, failed: 0, left: 0, kept: 0, promptTokens: 0, cachedTokens: 0 },
    ...{ completionTokens: 0, uncounted: 0, cost: 0n, unpriced: 0 },
  };
}

/** What one request adds to the sums and to the budgets. */
export interface Amount {
  readonly tokens: number;
  readonly uncounted: boolean;
  /** Null: unknown. */
  readonly cost: Nano | null;
}

/** More than any answer has; what a server says beyond it is no count, and sums stay whole numbers. */
const maxTokens = 1e8;
/** More than any answer costs, in whatever unit: a row of it and others still fits its column. */
const maxCost = 1e8;
const countOf = (tokens: number | null): number | null =>
  tokens === null || !(tokens >= 0) ? null : Math.min(Math.trunc(tokens), maxTokens);

/** @param price used where the usage says no cost */
export function addUsage(tally: Tally, usage: Usage, price: Price | null): Amount {
  const prompt = countOf(usage.promptTokens);
  const completion = countOf(usage.completionTokens);
  const uncounted = prompt === null || completion === null;
  const money = usage.cost ?? costOf(usage, price);
  const cost = money === null || !(money >= 0) || money > maxCost ? null : nanoOf(money);
  tally.requests++;
  tally[usage.outcome]++;
  tally.promptTokens += prompt ?? 0;
  tally.cachedTokens += countOf(usage.cachedTokens) ?? 0;
  tally.completionTokens += completion ?? 0;
  if (uncounted) tally.uncounted++;
  if (cost === null) tally.unpriced++;
  else if (cost !== 0n) tally.cost += cost;
  return { tokens: (prompt ?? 0) + (completion ?? 0), uncounted, cost };
}

export function addTally(to: Tally, from: Tally): void {
  for (const field of TALLIED) to[field] += from[field];
  to.cost += from.cost;
}

export function sumsOf(tally: Tally): UsageSums {
  return { ...tally, cost: moneyOf(tally.cost) };
}
