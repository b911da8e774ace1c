/**
 * Attacks by names and credentials: forged, stacked, from an issuer that was broken into; a new name after misconduct;
 * endorsing without care.
 *
 * @module trust/simulation/credentials
 */

import { reaches } from '../../base/index.ts';
import { CREDENTIAL_TYPES } from '../../identity/index.ts';
import { auditShare, PROBATION, UNKNOWN_TRAFFIC_SHARE } from '../score/audits.ts';
import { DAY_MS } from '../score/decay.ts';
import type { Attack } from './finding.ts';
import { ISSUERS, named, World } from './world.ts';

const forged: Attack = {
  name: 'Forged and stacked credentials',
  run(seed) {
    const world = new World(seed);
    world.vouch('plain', 'VerifiedNode');
    world.vouch('cheat', 'VerifiedNode');
    for (let i = 0; i < 10; i++) world.vouch('cheat', 'VerifiedNode', i);
    for (const type of CREDENTIAL_TYPES) {
      world.vouch('cheat', type, 0, 'cheat');
      world.vouch('cheat', type, 0, 'unknown issuer');
    }
    const judge = world.judge();
    const gain = judge('cheat').score - judge('plain').score;
    return [
      {
        attack: 'self-issued, from unknown issuers, and ten of one type',
        bound: 'gain 0',
        measured: `gain ${gain.toFixed(3)}`,
        holds: gain === 0,
      },
    ];
  },
};

const brokenIssuer: Attack = {
  name: 'Compromised issuer',
  run(seed) {
    const world = new World(seed);
    const peers = named('creature', 100);
    for (const peer of peers) for (const type of CREDENTIAL_TYPES) world.vouch(peer, type, 0, ISSUERS[0]);
    for (const peer of peers) for (const other of peers) if (peer !== other) world.endorse(peer, other, 1000);
    const during = peers.map(world.judge());
    world.accepted.delete(ISSUERS[0]);
    const after = peers.map(world.judge());
    const max = Math.max(...during.map(({ score }) => score));
    return [
      {
        attack: 'one issuer gives 100 peers every credential, and they endorse each other',
        bound: 'Verified at most; T = 0 once the policy drops it',
        measured: `${during[0]!.tier} with T = ${max.toFixed(3)}, then ${after[0]!.tier} with T = ${after[0]!.score}`,
        holds:
          during.every(({ tier }) => !reaches(tier, 'trusted')) && after.every(({ score }) => score === 0),
      },
    ];
  },
};

const whitewashing: Attack = {
  name: 'Whitewashing',
  run(seed) {
    const world = new World(seed);
    for (let i = 0; i < 50; i++) world.observe('punished', 'audit', i % 2);
    world.strike('punished');
    const judge = world.judge();
    const fresh = judge('new name').score;
    const share = auditShare(PROBATION - 1);
    return [
      {
        attack: 'a new name after misconduct',
        bound: `T(new) = 0 <= T(punished); first ${PROBATION} results all recomputed; Unknowns share <= 5 %`,
        measured: `T(new) = ${fresh}, T(punished) = ${judge('punished').score.toFixed(3)}; ${100 * share} %; ${100 * UNKNOWN_TRAFFIC_SHARE} %`,
        holds:
          fresh === 0 &&
          judge('punished').score >= fresh &&
          share === 1 &&
          auditShare(PROBATION) < 1 &&
          UNKNOWN_TRAFFIC_SHARE <= 0.05,
      },
    ];
  },
};

/** Bad endorsees: the score of who holds pledge, node and uptime, and what its word counts (A^4). */
const CARELESS = [
  [1, 0.63, 0.66],
  [2, 0.57, 0.43],
  [5, 0.41, 0.12],
  [7, 0.35, 0.06],
] as const;

const careless: Attack = {
  name: 'Careless endorsing',
  run: (seed) =>
    CARELESS.map(([count, score, word]) => {
      const world = new World(seed);
      world.makeTrio('endorser');
      const bad = named('bad', count);
      for (const peer of bad) world.endorse('endorser', peer);
      for (const peer of bad) world.strike(peer);
      const found = world.judge()('endorser');
      const accountability = found.terms.find(({ name }) => name === 'accountability')!.value;
      return {
        attack: `${count} of its endorsees ${count === 1 ? 'is' : 'are'} struck`,
        bound: `T = ${score}, its word counts ${word}`,
        measured: `T = ${found.score.toFixed(2)}, its word counts ${(accountability ** 4).toFixed(2)}`,
        holds:
          found.score.toFixed(2) === score.toFixed(2) && (accountability ** 4).toFixed(2) === word.toFixed(2),
      };
    }),
};

const dilution: Attack = {
  name: 'Diluting a loss',
  run(seed) {
    const world = new World(seed);
    world.makeTrio('endorser');
    world.endorse('endorser', 'bad');
    world.now += DAY_MS;
    world.strike('bad');
    world.renew('endorser');
    world.makeTrio('endorser');
    const before = world.judge()('endorser').score;
    world.now += 1;
    for (const peer of named('crowd', 500)) world.endorse('endorser', peer);
    const after = world.judge()('endorser').score;
    return [
      {
        attack: 'an endorser endorses 500 more after its endorsee was struck',
        bound: 'gain 0',
        measured: `gain ${Math.max(0, after - before).toFixed(3)}`,
        holds: after <= before + 1e-6,
      },
    ];
  },
};

export const CREDENTIAL_ATTACKS: readonly Attack[] = [forged, brokenIssuer, whitewashing, careless, dilution];
