import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fc } from '../../../test/property.ts';
import {
  blockMs,
  gapsIn,
  type PathPlan,
  planPath,
  planSecond,
  planSubstitute,
  type ShardCandidate,
} from './plan.ts';

const candidate = (
  peer: string,
  from: number,
  to: number,
  more: Partial<ShardCandidate> = {},
): ShardCandidate => ({
  peer,
  addresses: [],
  from,
  to,
  msPerBlock: 1,
  load: 0,
  rttMs: 10,
  freeCells: 1000,
  ...more,
});
const span = { from: 0, to: 12 };
const planned = (candidates: readonly ShardCandidate[], more = {}) =>
  planPath({ span, cells: 100, ...more }, candidates) as PathPlan;
const cuts = ({ shards }: PathPlan) => shards.map(({ peer, from, to }) => `${peer} ${from}-${to}`);

test('one peer that has all beats two, unless it is slow or busy enough', () => {
  const halves = [candidate('a', 0, 6), candidate('b', 6, 12)];
  assert.deepEqual(cuts(planned([...halves, candidate('all', 0, 12)])), ['all 0-12']);
  assert.deepEqual(cuts(planned([...halves, candidate('all', 0, 12, { msPerBlock: 3 })])), [
    'a 0-6',
    'b 6-12',
  ]);
  assert.deepEqual(cuts(planned([...halves, candidate('all', 0, 12, { load: 4 })])), ['a 0-6', 'b 6-12']);
});

test('where ranges overlap the faster one computes what both have', () => {
  const both = [candidate('slow', 0, 8, { msPerBlock: 5 }), candidate('fast', 4, 12)];
  assert.deepEqual(cuts(planned(both)), ['slow 0-4', 'fast 4-12']);
});

test('the prediction is the sum of its parts, and the way back', () => {
  const plan = planned([candidate('a', 0, 6), candidate('b', 6, 12, { rttMs: null })], {
    unknownRttMs: 30,
    rttBetween: () => 4,
  });
  const sum = plan.shards.reduce((ms, { computeMs, linkMs }) => ms + computeMs + linkMs, 0);
  assert.equal(plan.msPerToken, sum + 15);
  assert.deepEqual(
    plan.shards.map(({ computeMs, linkMs }) => [computeMs, linkMs]),
    [
      [6, 5.5],
      [6, 2.5],
    ],
  );
});

test('gaps are named, those without enough cells included', () => {
  const some = [candidate('a', 0, 4), candidate('b', 6, 9), candidate('c', 4, 6, { freeCells: 10 })];
  assert.deepEqual(planPath({ span, cells: 100 }, some), {
    gaps: [
      { from: 4, to: 6 },
      { from: 9, to: 12 },
    ],
  });
  assert.deepEqual(gapsIn({ from: 2, to: 4 }, [{ from: 0, to: 9 }]), []);
});

test('a second one has all the blocks, is not among those left out, and is the fastest of them', () => {
  const some = [
    candidate('a', 0, 12),
    candidate('b', 0, 12, { msPerBlock: 0.5 }),
    candidate('c', 3, 12, { msPerBlock: 0.1 }),
  ];
  const wanted = { span: { from: 2, to: 6 }, cells: 10 };
  assert.deepEqual(planSecond(wanted, some, new Set()), { peer: 'b', addresses: [], from: 2, to: 6 });
  assert.equal(planSecond(wanted, some, new Set(['b']))?.peer, 'a');
  assert.equal(planSecond(wanted, some, new Set(['a', 'b'])), null);
});

test('the place of one that is lost is taken by one, or by several in order, without gaps', () => {
  const halves = [candidate('a', 0, 4), candidate('b', 4, 12), candidate('c', 3, 5)];
  const some = [...halves, candidate('all', 0, 12)];
  const wanted = { span: { from: 2, to: 6 }, cells: 10 };
  const peers = (lost: string[], among = some) =>
    planSubstitute(wanted, among, new Set(lost))?.map(({ peer, from, to }) => [peer, from, to]) ?? null;
  assert.deepEqual(peers([]), [['all', 2, 6]]);
  assert.deepEqual(peers(['all']), [
    ['a', 2, 4],
    ['b', 4, 6],
  ]);
  assert.equal(peers(['all', 'b']), null);
});

test('no path of any cuts is better than the one that is planned', () => {
  const peers = fc.array(
    fc.record({
      range: fc.tuple(fc.nat(5), fc.nat(5)),
      msPerBlock: fc.integer({ min: 1, max: 6 }),
      rttMs: fc.option(fc.integer({ min: 0, max: 40 })),
      load: fc.nat(2),
    }),
    { minLength: 1, maxLength: 4 },
  );
  fc.assert(
    fc.property(peers, (some) => {
      const candidates = some.map(({ range: [one, other], ...rest }, index) =>
        candidate(`${index}`, Math.min(one, other), Math.max(one, other) + 1, rest),
      );
      const wanted = { from: 0, to: 6 };
      const way = ({ rttMs }: ShardCandidate) => (rttMs ?? 50) / 2;
      const least = (boundary: number, at: ShardCandidate | null): number => {
        if (boundary === wanted.to) return way(at!);
        let best = Number.POSITIVE_INFINITY;
        for (const next of candidates)
          if (next.peer !== at?.peer && next.from <= boundary)
            for (let end = boundary + 1; end <= Math.min(next.to, wanted.to); end++) {
              const link = (at === null ? 0 : way(at)) + way(next) + 0.5;
              best = Math.min(best, link + (end - boundary) * blockMs(next) + least(end, next));
            }
        return best;
      };
      const plan = planPath({ span: wanted, cells: 1 }, candidates);
      const expected = least(0, null);
      if ('gaps' in plan) assert.equal(expected, Number.POSITIVE_INFINITY);
      else {
        assert.ok(Math.abs(plan.msPerToken - expected) < 1e-9, `${plan.msPerToken} ${expected}`);
        for (const [index, { from, to }] of plan.shards.entries()) {
          assert.equal(from, plan.shards[index - 1]?.to ?? wanted.from);
          assert.ok(to > from);
        }
        assert.equal(plan.shards.at(-1)!.to, wanted.to);
      }
    }),
  );
});
