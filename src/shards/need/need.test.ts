import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { KithError, silentLogger } from '../../base/index.ts';
import { swarmOnLoopback } from '../../swarm/testing/nodes.ts';
import { answerNeeds } from './answer.ts';
import { askForBlocks } from './ask.ts';
import { decodeNeed, encodeNeed, NEED_METHOD, type Need } from './wire.ts';

const NEED: Need = { model: 'ab'.repeat(32), from: 2, to: 4, cells: 64 };
const owner = await swarmOnLoopback(61);
const helping = await swarmOnLoopback(62);
const refusing = await swarmOnLoopback(63);
after(async () => {
  for (const swarm of [owner, helping, refusing]) await swarm[Symbol.asyncDispose]();
});
const candidateOf = ({ peer, addresses }: typeof owner) => ({ peer, addresses });

test('the first peer that serves the blocks is taken, and those that refuse are passed over', async () => {
  const asked: string[] = [];
  using _no = answerNeeds({
    swarm: refusing,
    serve: () => Promise.reject(new KithError('shard_denied', 'No.', { status: 403 })),
    log: silentLogger,
  });
  using _yes = answerNeeds({
    swarm: helping,
    serve: async (peer, need) => {
      asked.push(`${peer === owner.peer} ${need.from}-${need.to} ${need.cells}`);
      return { from: 0, to: 6 };
    },
    log: silentLogger,
  });
  const offer = await askForBlocks(NEED, {
    swarm: owner,
    candidates: [candidateOf(refusing), candidateOf(helping)],
    log: silentLogger,
  });
  assert.deepEqual([offer?.peer, offer?.from, offer?.to], [helping.peer, 2, 4]);
  assert.deepEqual(asked, ['true 2-4 64']);
});

test('a peer that answers with other blocks than those asked for is not taken', async () => {
  using _wrong = answerNeeds({ swarm: helping, serve: async () => ({ from: 3, to: 6 }), log: silentLogger });
  const candidates = [candidateOf(helping)];
  assert.equal(await askForBlocks(NEED, { swarm: owner, candidates, log: silentLogger }), null);
});

test('while blocks are loaded for one peer another is told when to ask again', async () => {
  const loading = Promise.withResolvers<void>();
  const begun = Promise.withResolvers<void>();
  using _slow = answerNeeds({
    swarm: helping,
    async serve(_peer, { from, to }) {
      begun.resolve();
      await loading.promise;
      return { from, to };
    },
    log: silentLogger,
  });
  const candidates = [candidateOf(helping)];
  const first = askForBlocks(NEED, { swarm: owner, candidates, log: silentLogger });
  await begun.promise;
  await assert.rejects(owner.call(helping.peer, NEED_METHOD, encodeNeed(NEED)), { code: 'shard_busy' });
  loading.resolve();
  assert.equal((await first)?.peer, helping.peer);
});

test('needs that break the bounds are refused', () => {
  const refused: readonly Partial<Record<keyof Need | 'more', unknown>>[] = [
    { model: 'x'.repeat(64) },
    { model: 'ab' },
    { from: 4 },
    { to: 5000 },
    { cells: 0 },
    { cells: 2 ** 21 },
    { from: -1 },
    { more: 1 },
  ];
  for (const wrong of refused)
    assert.throws(() => decodeNeed({ ...encodeNeed(NEED), ...wrong } as never), { code: 'shard_malformed' });
  assert.deepEqual(decodeNeed(encodeNeed(NEED)), NEED);
});
