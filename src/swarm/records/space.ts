/**
 * The terms on which a peer lends space, as words of `serves` beside `storage`. Words are what older nodes read past: a record with these
 * is one of version 1, and one without them says only that space is lent.
 *
 * | Word                | Says                                                                                                  |
 * | ------------------- | ----------------------------------------------------------------------------------------------------- |
 * | `storage`           | space is lent; `sealed` can be kept there                                                              |
 * | `storage-split`     | `split` can be searched there; `storage-perturbed` likewise                                            |
 * | `storage-free-N`    | at least 2^N bytes are free, N from 25 (32 MiB, the smallest tenant) to 50; 0: less than that          |
 * | `storage-most-N`    | a tenant of 2^N bytes is given now; of the same form                                                   |
 * | `storage-days-N`    | days that a tenant lasts until it is renewed, 1 to 3660                                                |
 * | `storage-to-W`      | who gets space: `friends`, or the lowest tier that does                                                |
 *
 * There is no price: space is given. Sizes are powers of two, rounded down, so that they tell little of what is kept and change rarely.
 * All are claims; who wants a tenant asks for the exact terms.
 *
 * @module swarm/records/space
 */
import { TIERS, type Tier } from '../../base/index.ts';

const MODES = ['split', 'perturbed'] as const;
const LEAST_POWER = 25;
const MOST_POWER = 50;
const MOST_DAYS = 3660;

export interface SpaceTerms {
  /** Of `sealed`, `split`, `perturbed`. */
  readonly modes: readonly string[];
  /** Bytes, powers of two or 0: free, and of the largest tenant that is given now. */
  readonly freeBytes: number;
  readonly largestBytes: number;
  readonly days: number;
  readonly to: 'friends' | Tier;
}

/** At most 2^50, 0 below the smallest tenant. */
function powerOf(bytes: number): number {
  // Not by a logarithm: it is rounded up just below a power.
  let power = LEAST_POWER - 1;
  while (power < MOST_POWER && 2 ** (power + 1) <= bytes) power += 1;
  return power < LEAST_POWER ? 0 : power;
}

/** @param terms in exact figures: they are rounded here */
export const spaceWords = ({ modes, freeBytes, largestBytes, days, to }: SpaceTerms): string[] => [
  'storage',
  ...MODES.filter((mode) => modes.includes(mode)).map((mode) => `storage-${mode}`),
  `storage-free-${powerOf(freeBytes)}`,
  `storage-most-${powerOf(Math.min(freeBytes, largestBytes))}`,
  `storage-days-${Math.min(MOST_DAYS, Math.max(1, Math.floor(days)))}`,
  `storage-to-${to}`,
];

/** The one word that begins so, without its beginning; null where there is none, or more than one. */
function saidOf(words: readonly string[], name: string): string | null {
  const found = words.filter((word) => word.startsWith(`storage-${name}-`));
  return found.length === 1 ? found[0]!.slice(`storage-${name}-`.length) : null;
}

function countOf(text: string | null, least: number, most: number): number | null {
  if (text === null || !/^(0|[1-9]\d{0,3})$/.test(text)) return null;
  const count = Number(text);
  return count >= least && count <= most ? count : null;
}

function bytesOf(text: string | null): number | null {
  const power = countOf(text, 0, MOST_POWER);
  if (power === null || (power !== 0 && power < LEAST_POWER)) return null;
  return power === 0 ? 0 : 2 ** power;
}

/** What a record says of it; null where it says nothing, or nothing that holds together. */
export function readSpace(serves: readonly string[]): SpaceTerms | null {
  if (!serves.includes('storage')) return null;
  const freeBytes = bytesOf(saidOf(serves, 'free'));
  const largestBytes = bytesOf(saidOf(serves, 'most'));
  const days = countOf(saidOf(serves, 'days'), 1, MOST_DAYS);
  const who = saidOf(serves, 'to');
  const to = who === 'friends' ? who : (TIERS.find((tier) => tier === who) ?? null);
  if (freeBytes === null || largestBytes === null || days === null || to === null) return null;
  if (largestBytes > freeBytes) return null;
  const modes = ['sealed', ...MODES.filter((mode) => serves.includes(`storage-${mode}`))];
  return { modes, freeBytes, largestBytes, days, to };
}

/** What is served, without the terms. */
export const withoutTerms = (serves: readonly string[]): string[] =>
  serves.filter((word) => !word.startsWith('storage-'));
