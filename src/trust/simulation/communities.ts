/**
 * Attacks by many: farms of peers that endorse each other, honest peers that are tricked, Verified peers that collude, roots
 * that are corrupt, complaints.
 *
 * 1,000 honest peers, 20 of them roots, 800 Verified; 1,000 Sybils without credentials of accepted issuers.
 *
 * @module trust/simulation/communities
 */

import { reaches } from '../../base/index.ts';
import { pageRank, sparseGraph } from '../eigentrust/page-rank.ts';
import { type Attack, type Finding, tallyOf, tallyText } from './finding.ts';
import { type Community, honestCommunity, named, oneOf, START, someOf, World } from './world.ts';

const SYBILS = named('sybil', 1000);
/** What the highest rank alone, and the fullest endorsement, bring a peer of which nothing else is known. */
export const STRANGER_MAX = 0.05 + 0.95 * 0.35 * 0.25;

function farm(options: { seed: number; strict?: boolean }): Community {
  const community = honestCommunity(options);
  const { world } = community;
  for (const sybil of SYBILS)
    for (const other of someOf(world.random, SYBILS, 10)) world.endorse(sybil, other, 1000);
  return community;
}

const sybilFarm: Attack = {
  name: 'Sybil farm',
  run(seed) {
    const { world } = farm({ seed });
    const alone = tallyOf(SYBILS.map(world.judge()));
    const findings: Finding[] = [
      {
        attack: '1,000 Sybils endorse each other',
        bound: 'all Unknown, T = 0',
        measured: tallyText(alone),
        holds: alone.max === 0,
      },
    ];
    for (const count of [10, 50, 200]) {
      const { world, verified, roots } = farm({ seed });
      const ordinary = verified.slice(roots.length);
      for (const tricked of someOf(world.random, ordinary, count))
        world.endorse(tricked, oneOf(world.random, SYBILS));
      const tally = tallyOf(SYBILS.map(world.judge()));
      findings.push({
        attack: `and ${count} honest peers are tricked into endorsing one`,
        bound: '0 Verified, <= 2 Known, T <= .085',
        measured: tallyText(tally),
        holds:
          tally.tiers.verified + tally.tiers.trusted === 0 && tally.tiers.known <= 2 && tally.max <= 0.085,
      });
    }
    return [...findings, serving(seed)];
  },
};

function serving(seed: number): Finding {
  const { world, verified } = farm({ seed });
  const [sybil] = SYBILS as [string];
  for (const peer of verified.slice(0, 100)) world.endorse(peer, sybil, 1000);
  for (const dimension of ['audit', 'availability', 'throughput', 'latency'] as const)
    for (let i = 0; i < 1000; i++) world.observe(sybil, dimension, 1);
  const { score, tier } = world.judge()(sybil);
  return {
    attack: 'a Sybil serves 1,000 requests without fault, and 100 peers endorse it',
    bound: 'Known (gate), T <= .3825',
    measured: `${tier}, T = ${score.toFixed(3)}`,
    holds: tier === 'known' && score <= 0.3825,
  };
}

const farmSize: Attack = {
  name: 'Rank of a closed farm, ungated',
  run(seed) {
    return [0.15, 0.5].map((restart) => {
      const found = [10, 100, 1000, 5000].map((size) => farmShare(seed, size, 10, restart));
      const shares = found.map(({ share }) => share);
      const bound = found[0]!.flow * ((1 - restart) / restart);
      return {
        attack: `10 attack edges, farms of 10 to 5,000, a = ${restart}`,
        bound: `rank = flow * (1 - a) / a = ${(100 * bound).toFixed(3)} %, the same for every size`,
        measured: shares.map((share) => `${(100 * share).toFixed(3)} %`).join(', '),
        holds: shares.every((share) => Math.abs(share - bound) <= 1e-6),
      };
    });
  },
};

/** The farm's part of all rank when its endorsements count like honest ones, and what flows over the attack edges. */
function farmShare(seed: number, size: number, attackEdges: number, restart: number) {
  const { random } = new World(seed);
  const honest = Array.from({ length: 1000 }, (_, i) => i);
  const edges: [number, number][] = [];
  for (const from of honest) for (const to of someOf(random, honest, 10)) edges.push([from, to]);
  const tricked = someOf(random, honest, attackEdges);
  for (const [i, from] of tricked.entries()) edges.push([from, honest.length + (i % size)]);
  // Every member has out-links into the farm, so nothing flows back.
  for (let i = 0; i < size; i++)
    for (const step of [1, 2, 3]) edges.push([honest.length + i, honest.length + ((i + step) % size)]);
  const graph = sparseGraph(honest.length + size, edges);
  const { ranks } = pageRank(graph, honest.slice(0, 20), { restart, epsilon: 1e-9 });
  return {
    share: ranks.subarray(honest.length).reduce((sum, rank) => sum + rank, 0),
    flow: tricked.reduce((sum, i) => sum + ranks[i]! / (graph.offsets[i + 1]! - graph.offsets[i]!), 0),
  };
}

const collusion: Attack = {
  name: 'Collusion of Verified peers',
  run(seed) {
    return [10, 40].flatMap((count) =>
      [false, true].map((isAimed) => {
        const { world, verified, roots } = farm({ seed });
        const colluders = someOf(world.random, verified.slice(roots.length), count);
        const aims = SYBILS.slice(0, 20);
        for (const [i, colluder] of colluders.entries()) {
          const theirs = isAimed ? aims : SYBILS.filter((_, j) => j % count === i);
          for (const sybil of theirs) world.endorse(colluder, sybil, 1000);
        }
        const judge = world.judge();
        const tally = tallyOf(SYBILS.map(judge));
        const others = tallyOf(SYBILS.filter((sybil) => !aims.includes(sybil)).map(judge));
        const isHeld = tally.tiers.verified + tally.tiers.trusted === 0;
        return {
          attack: `${count} Verified peers endorse ${isAimed ? '20 Sybils together' : '1,000 Sybils, each its own'}`,
          bound: isAimed ? 'only those 20 Known, T <= .119' : '0 Known, T <= .020',
          measured: tallyText(tally),
          holds:
            isHeld &&
            (isAimed
              ? others.tiers.known === 0 && tally.max <= 0.119
              : tally.tiers.known === 0 && tally.max <= 0.02),
        };
      }),
    );
  },
};

const corruptRoots: Attack = {
  name: 'Corrupt roots',
  run(seed) {
    return [1, 2].flatMap((count) =>
      [false, true].map((strict) => {
        const { world, roots, strangers } = farm({ seed, strict });
        for (const root of roots.slice(0, count))
          for (const sybil of SYBILS.slice(0, 10)) world.endorse(root, sybil, 1000);
        const judge = world.judge();
        const tally = tallyOf(SYBILS.map(judge));
        const others = tallyOf(SYBILS.slice(10).map(judge));
        const found = tallyOf(strangers.map(judge)).tiers.known;
        const above = tally.tiers.verified + tally.tiers.trusted;
        return {
          attack: `${count} of 20 roots endorse${count === 1 ? 's' : ''} 10 Sybils, ${strict ? 'strict' : 'plain'} policy`,
          bound: strict ? '0 Known' : 'only the 10 endorsed become Known',
          measured: `${tallyText(tally)}; ${found} of ${strangers.length} honest strangers Known`,
          holds: above === 0 && others.tiers.known === 0 && (!strict || tally.tiers.known === 0),
        };
      }),
    );
  },
};

const slander: Attack = {
  name: 'Slander',
  run(seed) {
    const { world, verified, strangers } = honestCommunity({ seed });
    const before = world.judge();
    const silenced = honestCommunity({ seed });
    silenced.world.silence(START);
    const after = silenced.world.judge();
    const loss = (peers: readonly string[]) =>
      Math.max(...peers.map((peer) => before(peer).score - after(peer).score));
    const lossOfC = Math.max(
      ...verified.map((peer) => before(peer).terms[0]!.value - after(peer).terms[0]!.value),
    );
    const lowered = verified.filter((peer) => !reaches(after(peer).tier, before(peer).tier));
    return [
      {
        attack: 'every endorsement of a peer is withdrawn by slander (complaints are no input)',
        bound: 'C loses <= .05; a stranger T <= .133',
        measured: `C loses ${lossOfC.toFixed(3)}, a stranger T ${loss(strangers).toFixed(3)}; ${lowered.length} of ${verified.length} Verified fall`,
        holds: lossOfC <= 0.05 + 1e-9 && loss(strangers) <= STRANGER_MAX,
      },
    ];
  },
};

export const COMMUNITY_ATTACKS: readonly Attack[] = [sybilFarm, farmSize, collusion, corruptRoots, slander];
