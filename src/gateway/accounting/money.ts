/**
 * Money in whole billionths of the owner's unit, so that sums of any length and order are exact. What a request costs is
 * rounded once, to the nearest billionth; millionths would round many small requests to nothing.
 *
 * @module gateway/accounting/money
 */
import type { Price, Usage } from './types.ts';

/** Billionths. */
export type Nano = bigint;

const PER_UNIT = 1e9;
/** Prices are taken in whole millionths: products with whole tokens are whole too, and nothing is rounded twice. */
const PER_PRICE = 1e6;
const millionths = (price: number): number => Math.round(price * PER_PRICE);

export function nanoOf(money: number): Nano {
  const nano = Math.round(money * PER_UNIT);
  // Beyond it a double holds no single billionths, and the unit is small money.
  return Number.isSafeInteger(nano) ? BigInt(nano) : BigInt(Math.round(money)) * BigInt(PER_UNIT);
}

export function moneyOf(nano: Nano): number {
  const units = nano / BigInt(PER_UNIT);
  return Number(units) + Number(nano - units * BigInt(PER_UNIT)) / PER_UNIT;
}

/**
 * What the tokens cost, to the billionth; null where it cannot be known: no price, or tokens that the price is asked for
 * and that nobody counted. A prompt of which it is unknown how much was cached costs the full price.
 */
export function costOf(
  usage: Pick<Usage, 'promptTokens' | 'cachedTokens' | 'completionTokens'>,
  price: Price | null,
): number | null {
  if (price === null) return null;
  const { promptTokens, cachedTokens, completionTokens } = usage;
  const cachedPrice = price.cached ?? price.prompt;
  const isFree = price.prompt === 0 && cachedPrice === 0;
  if (promptTokens === null && !isFree) return null;
  if (completionTokens === null && price.completion !== 0) return null;
  const prompt = promptTokens ?? 0;
  const cached = Math.min(prompt, cachedTokens ?? 0);
  const sum =
    (prompt - cached) * millionths(price.prompt) +
    cached * millionths(cachedPrice) +
    (completionTokens ?? 0) * millionths(price.completion);
  // Millionths of a price for a million tokens are millionths of millionths.
  return Math.round(sum / 1000) / PER_UNIT;
}
