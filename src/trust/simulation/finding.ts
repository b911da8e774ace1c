/** What a simulated attack came to, and what it is held to. @module trust/simulation/finding */
import { TIERS } from '../../base/index.ts';
import type { Tier, TrustScore } from '../types.ts';

export interface Finding {
  readonly attack: string;
  readonly bound: string;
  readonly measured: string;
  readonly holds: boolean;
}

export interface Attack {
  readonly name: string;
  run(seed: number): Finding[];
}

export interface Tally {
  readonly max: number;
  readonly tiers: Readonly<Record<Tier, number>>;
}

export function tallyOf(scores: readonly TrustScore[]): Tally {
  const count = (tier: Tier) => scores.filter((each) => each.tier === tier).length;
  return {
    max: Math.max(0, ...scores.map(({ score }) => score)),
    tiers: Object.fromEntries(TIERS.map((tier) => [tier, count(tier)])) as Record<Tier, number>,
  };
}

export function tallyText({ max, tiers }: Tally): string {
  return `${tiers.known} Known, ${tiers.verified + tiers.trusted} above, T <= ${max.toFixed(3)}`;
}
