import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fc } from '../../../test/property.ts';
import type { Mention } from '../types.ts';
import { ChunkNames } from './chunk-names.ts';
import { communitiesOf } from './communities.ts';
import { louvain, modularityOf } from './louvain.ts';
import { packed, type Ties, tiesAmong, tiesOf } from './ties.ts';

/** Zachary's karate club (1977): 34 people, 78 friendships, numbered from 1. */
const KARATE =
  '1-2 1-3 1-4 1-5 1-6 1-7 1-8 1-9 1-11 1-12 1-13 1-14 1-18 1-20 1-22 1-32 2-3 2-4 2-8 2-14 2-18 2-20 2-22 2-31 3-4 3-8 3-9 3-10 3-14 ' +
  '3-28 3-29 3-33 4-8 4-13 4-14 5-7 5-11 6-7 6-11 6-17 7-17 9-31 9-33 9-34 10-34 14-34 15-33 15-34 16-33 16-34 19-33 19-34 20-34 21-33 ' +
  '21-34 23-33 23-34 24-26 24-28 24-30 24-33 24-34 25-26 25-28 25-32 26-32 27-30 27-34 28-34 29-32 29-34 30-33 30-34 31-33 31-34 32-33 ' +
  '32-34 33-34';

function tiesFrom(nodes: number, edges: readonly (readonly [number, number, number])[]): Promise<Ties> {
  const maps = Array.from({ length: nodes }, () => new Map<number, number>());
  for (const [a, b, weight] of edges) {
    maps[a]!.set(b, weight);
    maps[b]!.set(a, weight);
  }
  return packed(maps);
}

const karate = await tiesFrom(
  34,
  KARATE.split(' ').map((pair) => {
    const [a, b] = pair.split('-').map(Number);
    return [a! - 1, b! - 1, 1] as const;
  }),
);

test('the karate club is divided as well as it can be: its best division has modularity 0.4198', () => {
  assert.equal(karate.to.length, 2 * 78);
  // The best division, by Brandes et al. 2008, "On modularity clustering".
  const best = new Uint32Array(34);
  for (const [id, members] of [
    [5, 6, 7, 11, 17],
    [1, 2, 3, 4, 8, 12, 13, 14, 18, 20, 22],
    [9, 10, 15, 16, 19, 21, 23, 27, 30, 31, 33, 34],
    [24, 25, 26, 28, 29, 32],
  ].entries())
    for (const member of members) best[member - 1] = id;
  assert.ok(Math.abs(modularityOf(karate, best) - 0.4198) < 5e-4, String(modularityOf(karate, best)));
  const divided = louvain(karate);
  assert.ok(divided.modularity > 0.415, String(divided.modularity));
  assert.equal(divided.modularity, modularityOf(karate, divided.of));
  // The two leaders, whose quarrel split the club.
  assert.notEqual(divided.of[0], divided.of[33]);
  assert.deepEqual(louvain(karate), divided);
});

test('a division is no worse than none at all, and the same every time', async () => {
  const edge = fc.tuple(fc.nat({ max: 11 }), fc.nat({ max: 11 }), fc.integer({ min: 1, max: 9 }));
  await fc.assert(
    fc.asyncProperty(fc.array(edge, { maxLength: 40 }), async (edges) => {
      const ties = await tiesFrom(
        12,
        edges.filter(([a, b]) => a !== b),
      );
      const { of, modularity } = louvain(ties);
      assert.deepEqual(louvain(ties).of, of);
      assert.ok(modularity >= modularityOf(ties, Uint32Array.from(of.keys())) - 1e-9);
      assert.ok(modularity >= modularityOf(ties, new Uint32Array(12)) - 1e-9);
      assert.ok(modularity <= 1);
    }),
    { numRuns: 100 },
  );
});

function network(...chunks: (readonly string[])[]) {
  const names = new ChunkNames();
  chunks.forEach((surfaces, i) => {
    names.put(
      i + 1,
      surfaces.map(
        (surface): Mention => ({ chunk: 0, surface, span: null, extractor: 'name', confidence: 0.9 }),
      ),
    );
  });
  return names.compile();
}

test('a tie counts the chunks that two names share, those that name much else less', async () => {
  const net = network(['Ann', 'Ben'], ['Ann', 'Ben', 'Cid'], ['Cid', 'Dan'], ['Eve']);
  const [ann, ben, cid, dan] = ['ann', 'ben', 'cid', 'dan'].map(net.entityOf);
  assert.deepEqual(tiesOf(net, ann!), [
    { entity: ben, weight: 1.5, shared: 2 },
    { entity: cid, weight: 0.5, shared: 1 },
  ]);
  assert.deepEqual(tiesOf(net, net.entityOf('eve')), []);
  const ties = await tiesAmong(net, [ann!, ben!, cid!, dan!], 1);
  const ofNode = (node: number) =>
    [...ties.to.subarray(ties.start[node], ties.start[node + 1])].map((to, i) => [
      to,
      ties.weight[ties.start[node]! + i],
    ]);
  // Of Cid's own ties the one to Dan is the strongest; nobody's strongest is one to Cid but Dan's.
  assert.deepEqual([0, 1, 2, 3].map(ofNode), [[[1, 1.5]], [[0, 1.5]], [[3, 1]], [[2, 1]]]);
});

test('names that stand together are a community, named by who is tied most in it; who stands alone is in none', async () => {
  const net = network(
    ...[
      ['Ann', 'Ben', 'Hub'],
      ['Ann', 'Cid', 'Dan'],
      ['Ann', 'Dan'],
      ['Ann', 'Ben'],
      ['Ben', 'Cid'],
    ],
    ...[
      ['Xia', 'Yan', 'Hub'],
      ['Xia', 'Zoe'],
      ['Xia', 'Yan'],
    ],
    ['Alone'],
    ['Monday', 'Ann'],
  );
  const { members, of, modularity, divided } = await communitiesOf(net, {
    leaves: (form) => form === 'monday',
  });
  const named = members.map((group) => group.map(net.nameOf));
  assert.deepEqual(
    named.map((group) => group.filter((name) => name !== 'hub').sort()),
    [
      ['ann', 'ben', 'cid', 'dan'],
      ['xia', 'yan', 'zoe'],
    ],
  );
  assert.deepEqual([named[0]![0], named[1]![0]], ['ann', 'xia']);
  assert.deepEqual([of(net.entityOf('alone')), of(net.entityOf('monday'))], [null, null]);
  assert.equal(of(net.entityOf('zoe')), 1);
  assert.equal(divided, 9);
  assert.ok(modularity > 0.3);
  assert.deepEqual((await communitiesOf(network())).members, []);
});
