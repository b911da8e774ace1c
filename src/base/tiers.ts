/**
 * How far a node may trust a peer, in words. The trust room says who has which; here, because settings and requests name
 * them in nodes that never load that room.
 *
 * @module base/tiers
 */

/** From the lowest to the highest. */
export const TIERS = ['unknown', 'known', 'verified', 'trusted'] as const;
export type Tier = (typeof TIERS)[number];

/** True when `tier` is at least `least`. */
export function reaches(tier: Tier, least: Tier): boolean {
  return TIERS.indexOf(tier) >= TIERS.indexOf(least);
}

/** The higher of two that are both asked for; undefined asks for none. */
export function higher(one: Tier | undefined, other: Tier | undefined): Tier | undefined {
  if (one === undefined || other === undefined) return one ?? other;
  return reaches(one, other) ? one : other;
}
