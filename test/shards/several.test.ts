/** kill -9 of a peer whose blocks nobody has as a whole: two that share them take its place, and no token changes. */
import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { silentLogger, systemClock, systemRandom } from '../../src/base/index.ts';
import { createEngine } from '../../src/engine/index.ts';
import { openPath, type PathEvent, planSubstitute } from '../../src/shards/index.ts';
import { swarmOnLoopback } from '../../src/swarm/testing/nodes.ts';
import { testModel } from '../models/index.ts';
import { forkShardPeer, type ShardPeer } from './peers.ts';

const MODEL = 'ef'.repeat(32);
const CELLS = 256;
const engine = createEngine({
  threads: 1,
  device: 'cpu',
  context: CELLS,
  log: silentLogger,
  clock: systemClock,
  random: systemRandom,
});
let peers: ShardPeer[] = [];
after(async () => {
  await Promise.all(peers.map((peer) => peer.kill()));
  await engine[Symbol.asyncDispose]();
});

async function answer(model: string, onToken: (count: number) => void = () => {}): Promise<number[]> {
  const tokens: number[] = [];
  for await (const event of engine.generate({
    model,
    prompt: { kind: 'text', text: 'Once upon a time, there was a little robot who' },
    sampler: { temperature: 0.8, seed: 5, topLogprobs: 0 },
    maxTokens: 30,
    stop: [],
    cachePrompt: false,
  }))
    if (event.type === 'text') {
      tokens.push(...event.logprobs!.map(({ token }) => token));
      onToken(tokens.length);
    }
  return tokens;
}

test('kill -9 of the peer with the first half, where only peers with parts of it are left', async () => {
  const path = await testModel('stories15m-f16');
  await using owner = await swarmOnLoopback(180, { gate: { tierOf: () => 'trusted' } });
  const spans = [
    [0, 3],
    [3, 6],
    [0, 1],
    [1, 3],
  ] as const;
  peers = await Promise.all(
    spans.map(([from, to], i) =>
      forkShardPeer({ number: 181 + i, path, model: MODEL, from, to, context: CELLS }),
    ),
  );
  const [front, back, ...parts] = peers as [ShardPeer, ShardPeer, ...ShardPeer[]];
  const events: PathEvent[] = [];
  await using over = await openPath({
    swarm: owner,
    model: MODEL,
    shards: [front.offer, back.offer],
    cells: CELLS,
    substitute: async (span, lost) =>
      planSubstitute(
        { span, cells: CELLS },
        peers.map(({ offer }) => ({ ...offer, msPerBlock: 1, load: 0, rttMs: 1, freeCells: CELLS })),
        lost,
      ),
    onEvent: (event) => events.push(event),
    ...{ clock: systemClock, random: systemRandom, log: silentLogger },
  });
  await engine.load({ id: 'whole', path });
  await engine.load(
    { id: 'over', path, elsewhere: { from: 0, to: 6, kvCells: CELLS } },
    { carry: over.carry },
  );
  const tokens = await answer('over', (count) => {
    if (count === 12) front.child.kill('SIGKILL');
  });
  assert.deepEqual(tokens, await answer('whole'));
  assert.deepEqual(
    over.shards().map(({ peer, from, to }) => [peer, from, to]),
    [...parts, back].map(({ offer: { peer, from, to } }) => [peer, from, to]),
  );
  assert.deepEqual(
    events.map(({ type }) => type),
    ['lost', 'joined', 'joined', 'recovered'],
  );
});
