import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { DetailedHealth } from '../../../src/server/health/types.ts';
import { type AnswerTerms, noTerms, reachOf, termHeaders } from './terms.ts';

type Place = Pick<DetailedHealth['backends'][number], 'where' | 'link'>;
const here: Place = { where: 'this_machine', link: null };
const owned: Place = { where: 'owned', link: 'encrypted' };
const peer: Place = { where: 'peer', link: 'encrypted' };
const provider: Place = { where: 'provider', link: 'encrypted' };
const open: Place = { where: 'provider', link: 'open' };

const reach = (
  places: readonly Place[],
  policy: Partial<DetailedHealth['policy']> = {},
  terms: Partial<AnswerTerms> = {},
) =>
  reachOf({ ...noTerms, ...terms }, {
    backends: places,
    policy: { privacy: 'minimum', route: 'auto', cache: 'off', degrade: 'none', ...policy },
  } as unknown as DetailedHealth);

test('nothing is promised before the node has said what it has', () => {
  assert.equal(reachOf(noTerms, null), null);
  assert.equal(reachOf(noTerms, { backends: [here] } as unknown as DetailedHealth), null);
});

test('words may go as far as the farthest server that may be asked', () => {
  assert.equal(reach([here]), 'here');
  assert.equal(reach([here, here]), 'here');
  assert.equal(reach([here, owned]), 'owned');
  assert.equal(reach([here, owned, provider]), 'open');
  assert.equal(reach([here, peer]), 'open');
  // A link in the clear is never taken.
  assert.equal(reach([here, open]), 'here');
});

test('the stricter of two levels holds, and the request’s own route', () => {
  const all = [here, owned, provider];
  assert.equal(reach(all, { privacy: 'medium' }), 'replaced');
  assert.equal(reach(all, { privacy: 'medium' }, { privacy: 'minimum' }), 'replaced');
  assert.equal(reach(all, {}, { privacy: 'maximum' }), 'owned');
  assert.equal(reach([here, peer], { privacy: 'maximum' }), 'trusted');
  assert.equal(reach(all, { route: 'local' }), 'here');
  assert.equal(reach(all, { route: 'local' }, { route: 'auto' }), 'open');
  assert.equal(reach(all, {}, { route: 'local' }), 'here');
});

test('what may stand in may be a search, which takes the question along', () => {
  assert.equal(reach([here], { degrade: 'search' }), 'search');
  assert.equal(reach([here], { degrade: 'explain' }, { degrade: 'none' }), 'here');
  assert.equal(reach([here, provider], { degrade: 'stale' }), 'open');
  assert.equal(reach([here], { degrade: 'search', privacy: 'maximum' }), 'owned');
});

test('headers say only what was chosen; conversations of before have chosen nothing', () => {
  assert.deepEqual(termHeaders({}, 'c1'), { 'x-kith-conversation': 'c1' });
  assert.deepEqual(termHeaders({ ...noTerms, privacy: 'medium', cache: 'off' }, 'c1'), {
    'x-kith-conversation': 'c1',
    'x-kith-privacy': 'medium',
    'x-kith-cache': 'off',
  });
});
