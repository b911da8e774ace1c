import assert from 'node:assert/strict';
import { test } from 'node:test';
import { planPath, planSubstitute, type ShardCandidate } from '../plan/plan.ts';
import type { BlockSpan } from '../types.ts';
import { inPlaceOf } from './in-place.ts';
import type { PathQuery } from './types.ts';

const one = (peer: string, from: number, to: number): ShardCandidate => ({
  ...{ peer, addresses: [], from, to },
  ...{ msPerBlock: 1, load: 0, rttMs: 1, freeCells: 100 },
});
const span = { from: 0, to: 6 };
const query: PathQuery = {
  ...{ model: '', span: { from: 0, to: 12 }, cells: 10 },
  ...{ requirements: {}, via: null, exclude: new Set() },
};

/** Who takes the place of the blocks, when `loads` is asked to load what nobody serves. */
async function inPlace(
  served: readonly ShardCandidate[],
  loads: string | null,
  lost: readonly string[] = [],
) {
  const asked: BlockSpan[] = [];
  const offers = await inPlaceOf(
    {
      choose: ({ span, cells, exclude }) => ({
        plan: planPath(
          { span, cells },
          served.filter(({ peer }) => !exclude.has(peer)),
        ),
        leftOut: [],
      }),
      substitute: ({ cells }, span, lost) => planSubstitute({ span, cells }, served, lost),
      help: async (_, gap) => {
        asked.push(gap);
        return loads === null ? null : { peer: loads, addresses: [], ...gap };
      },
    },
    query,
    span,
    new Set(lost),
  );
  return { asked, offers: offers?.map(({ peer, from, to }) => `${peer} ${from}-${to}`) ?? null };
}

test('nobody is asked to load what peers serve', async () => {
  const served = [one('a', 0, 3), one('b', 3, 12)];
  assert.deepEqual(await inPlace(served, 'c'), { asked: [], offers: ['a 0-3', 'b 3-6'] });
});

test('only blocks that nobody serves are loaded for the purpose', async () => {
  const served = [one('a', 2, 4), one('b', 0, 6)];
  assert.deepEqual(await inPlace(served, 'c', ['b']), {
    asked: [
      { from: 0, to: 2 },
      { from: 4, to: 6 },
    ],
    offers: ['c 0-2', 'a 2-4', 'c 4-6'],
  });
  assert.deepEqual(await inPlace([], 'c'), { asked: [span], offers: ['c 0-6'] });
});

test('there is nobody when one of the gaps stays', async () => {
  assert.deepEqual((await inPlace([one('a', 0, 3)], null)).offers, null);
  assert.deepEqual((await inPlace([one('a', 0, 3)], 'c', ['a'])).offers, ['c 0-6']);
});
