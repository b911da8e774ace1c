/**
 * Attacks by conduct: cheating where audits are rare, by turns, and being there by turns.
 *
 * The attacker holds new credentials of the strongest kind at every moment, and gets 50 requests a day while Verified.
 *
 * @module trust/simulation/conduct
 */

import { reaches } from '../../base/index.ts';
import { DAY_MS } from '../score/decay.ts';
import { quarantineEnd } from '../score/strikes.ts';
import type { Attack, Finding } from './finding.ts';
import { World } from './world.ts';

const REQUESTS_PER_DAY = 50;
const DAYS = 730;
const PEER = 'attacker';

const auditing: Attack = {
  name: 'Cheating until an audit finds it',
  run(seed) {
    const { random } = new World(seed);
    const audited = 0.05;
    const counts = Array.from({ length: 20_000 }, () => {
      let bad = 1;
      while (random.float() >= audited) bad++;
      return bad;
    }).sort((a, b) => a - b);
    const mean = counts.reduce((sum, bad) => sum + bad, 0) / counts.length;
    const p99 = counts[Math.floor(0.99 * counts.length)]!;
    return [
      {
        attack: 'bad answers until one is recomputed, 5 % audited, 20,000 runs',
        bound: 'mean 20.0 ± .5, p99 <= 95',
        measured: `mean ${mean.toFixed(1)}, p99 ${p99}`,
        holds: Math.abs(mean - 20) <= 0.5 && p99 <= 95,
      },
    ];
  },
};

/** Bad answers of two years in which a share of all answers is false. */
export function cheat(seed: number, cheats: number, audited: number): number {
  const world = new World(seed);
  let bad = 0;
  for (let day = 0; day < DAYS; day++) {
    // In quarantine nobody is Verified; the rest is asked of the score itself.
    let isServed = (quarantineEnd(world.incidents(PEER)) ?? 0) <= world.now;
    if (isServed) {
      world.renew(PEER);
      world.makeTrio(PEER);
      isServed = reaches(world.judge()(PEER).tier, 'verified');
    }
    for (let i = 0; isServed && i < REQUESTS_PER_DAY; i++) {
      const isBad = world.random.float() < cheats;
      if (isBad) bad++;
      if (world.random.float() >= audited) continue;
      world.observe(PEER, 'audit', isBad ? 0 : 1);
      if (!isBad) continue;
      world.strike(PEER);
      isServed = false;
    }
    for (const dimension of ['availability', 'throughput', 'latency'] as const)
      world.observe(PEER, dimension, 1);
    world.now += DAY_MS;
  }
  return bad;
}

/** Most bad answers as a part of an honest node's volume, by the share that is audited. */
const ON_OFF_BOUNDS = [
  [0.02, 0.0105],
  [0.05, 0.0042],
  [0.1, 0.0022],
] as const;

function onOff(runs: number): Attack {
  return {
    name: 'On-off cheating',
    run: (seed) =>
      ON_OFF_BOUNDS.flatMap(([audited, most]) =>
        [0.05, 0.2, 1].map((cheats): Finding => {
          const counts = Array.from({ length: runs }, (_, i) => cheat(seed * 10_000 + i, cheats, audited));
          const mean = counts.reduce((sum, bad) => sum + bad, 0) / runs;
          const share = mean / (REQUESTS_PER_DAY * DAYS);
          return {
            attack: `${100 * cheats} % of answers false for two years, ${100 * audited} % audited, ${runs} runs`,
            bound: `mean <= ${(100 * most).toFixed(2)} % of an honest node's volume`,
            measured: `mean ${mean.toFixed(1)}, most ${Math.max(...counts)}: ${(100 * share).toFixed(2)} %`,
            holds: share <= most,
          };
        }),
      ),
  };
}

/** The highest score in the third year of a node that is there by turns, half of each period. */
export function turns(periodDays: number): { readonly max: number; readonly isTrusted: boolean } {
  const world = new World(0);
  let max = 0;
  let isTrusted = false;
  for (let hour = 0; hour < 3 * 365 * 24; hour += 6) {
    const isThere = (hour / 24) % periodDays >= periodDays / 2;
    world.observe(PEER, 'availability', isThere ? 1 : 0);
    if (isThere)
      for (const dimension of ['audit', 'throughput', 'latency'] as const) world.observe(PEER, dimension, 1);
    if (hour >= 2 * 365 * 24) {
      world.renew(PEER);
      world.makeTrio(PEER);
      const { score, tier } = world.judge()(PEER);
      max = Math.max(max, score);
      isTrusted ||= tier === 'trusted';
    }
    world.now += 6 * 3_600_000;
  }
  return { max, isTrusted };
}

const uptime: Attack = {
  name: 'Uptime by turns',
  run: () =>
    (
      [
        [30, 0.35],
        [90, 0.56],
      ] as const
    ).map(([period, most]) => {
      const { max, isTrusted } = turns(period);
      return {
        attack: `there for half of every ${period} days`,
        bound: `never Trusted, T <= ${most}`,
        measured: `T <= ${max.toFixed(3)}${isTrusted ? ', Trusted' : ''}`,
        holds: !isTrusted && max <= most,
      };
    }),
};

/**
 * The highest score in the second year of a peer with the strongest credentials that answers so many requests a day without
 * fault, and breaks the rules of the wire so often a day, but never three times in ten minutes.
 */
export function abuse(
  answers: number,
  breaks: number,
): { readonly max: number; readonly isVerified: boolean } {
  const world = new World(0);
  let max = 0;
  let isVerified = false;
  for (let day = 0; day < DAYS; day++) {
    for (let n = 0; n < answers; n++)
      for (const dimension of ['availability', 'throughput', 'latency'] as const)
        world.observe(PEER, dimension, 1);
    for (let n = 0; n < breaks; n++) world.observe(PEER, 'conduct', 0);
    if (day >= DAYS / 2 && day % 7 === 0) {
      world.renew(PEER);
      world.makeTrio(PEER);
      const { score, tier } = world.judge()(PEER);
      max = Math.max(max, score);
      isVerified ||= reaches(tier, 'verified');
    }
    world.now += DAY_MS;
  }
  return { max, isVerified };
}

const wire: Attack = {
  name: 'Abuse of the wire',
  run: () =>
    (
      [
        [0, 1],
        [1, 1],
        [10, 10],
        [50, 100],
      ] as const
    ).map(([answers, breaks]) => {
      const { max, isVerified } = abuse(answers, breaks);
      return {
        attack: `${breaks} times a day, apart enough not to be struck, and ${answers} answers a day without fault`,
        bound: 'never Verified, T = 0',
        measured: `T <= ${max.toFixed(3)}${isVerified ? ', Verified' : ''}`,
        holds: !isVerified && max === 0,
      };
    }),
};

/** `runs` of each on-off case: more are steadier. */
export const conductAttacks = (runs: number): readonly Attack[] => [auditing, onOff(runs), uptime, wire];
