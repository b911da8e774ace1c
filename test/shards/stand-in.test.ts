/** Three nodes with a part of a model each; nobody else has the part of the one that is killed in the middle of an answer. */
import assert from 'node:assert/strict';
import { rm } from 'node:fs/promises';
import { after, before, test } from 'node:test';
import { eventData } from '../../src/cli/sse.ts';
import type { ServingView, SwarmView } from '../../src/server/index.ts';
import { type SwarmNode, startSwarmNode, until } from '../swarm-support.ts';
import { homeWithModel, type NodeProcess, nodeInProcess, ranges, serve } from './covering-nodes.ts';

const homes: string[] = [];
let owner: SwarmNode;
let near: SwarmNode;
let killed: NodeProcess;
let whole: string;

before(async () => {
  const settings = {
    'shards.serveTier': 'unknown',
    'shards.standIn': 'unknown',
    'shards.sessionsPerPeer': 16,
    'shards.pathCells': 512,
    'engine.kvCells': 4096,
    'engine.speculation': 'off',
  };
  const [a, b, c] = await Promise.all([
    homeWithModel(settings),
    homeWithModel(settings),
    homeWithModel(settings),
  ]);
  homes.push(a, b, c);
  [owner, near, killed] = await Promise.all([startSwarmNode(a), startSwarmNode(b), nodeInProcess(c)]);
  const { addresses } = await owner.view();
  for (const call of [near.call, killed.call]) await call('POST', '/connect', { target: addresses[0] });
  await Promise.all([serve(owner.call, 0, 2), serve(near.call, 2, 2), serve(killed.call, 4, 2)]);
  for (const call of [owner.call, near.call, killed.call])
    await until(
      () => ranges(call),
      (served) => served.length === 1,
    );
});
after(async () => {
  killed.kill();
  await Promise.all([owner, near].map(({ node }) => node.close()));
  await Promise.all(homes.map((home) => rm(home, { recursive: true, force: true })));
});

/** The text over peers, token by token to `onText`. */
async function story(onText: (pieces: number) => void): Promise<string> {
  const response = await fetch(`${owner.node.url}/v1/completions`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({
      model: 'stories@peers',
      prompt: 'Once upon a time there was a little boat',
      max_tokens: 60,
      temperature: 0,
      stream: true,
    }),
  });
  assert.equal(response.status, 200, response.ok ? '' : await response.text());
  let text = '';
  let pieces = 0;
  for await (const data of eventData(response.body!)) {
    if (data === '[DONE]') break;
    const { choices, error } = JSON.parse(data) as { choices?: { text: string }[]; error?: unknown };
    assert.equal(error, undefined, data);
    const piece = choices?.[0]?.text ?? '';
    if (piece === '') continue;
    text += piece;
    onText(++pieces);
  }
  return text;
}

const peerOf = async ({ call }: SwarmNode) => (await call<SwarmView>('GET', '')).peer;

async function lastShard(): Promise<unknown[]> {
  const { circuits } = await owner.call<{
    circuits: { shards: { peer: string; from: number; to: number }[] }[];
  }>('GET', '/../shards/circuits');
  const { peer, from, to } = circuits[0]!.shards.at(-1)!;
  return [peer, from, to];
}

test('a node that is near loads the blocks of one that was killed, and the answer is the same', {
  timeout: 90_000,
}, async () => {
  await until(
    () => owner.call<{ path: object | null }>('GET', '/../shards/plan?model=stories'),
    ({ path }) => path !== null,
  );
  // The prompt is kept from here on: how many rows are computed together decides the last bits.
  await until(
    () => story(() => {}).catch(() => null),
    (text) => text !== null,
  );
  whole = await story(() => {});
  const harmed = await story((pieces) => {
    if (pieces === 8) killed.kill();
  });
  assert.equal(harmed, whole);

  assert.deepEqual(await lastShard(), [await peerOf(near), 4, 6]);
  const { served, announced, sessions } = await near.call<ServingView>('GET', '/../shards/serving');
  assert.deepEqual(sessions.map(({ from, to }) => [from, to]).sort(), [
    [2, 4],
    [4, 6],
  ]);
  assert.deepEqual(served.map(({ from, to }) => [from, to]).sort(), [
    [2, 4],
    [4, 6],
  ]);
  // Nobody else is told of blocks that may go in a minute.
  assert.deepEqual(announced[0]!.blocks, [[2, 4]]);
});

test('the same blocks, served there and given up again, leave alone those that stand in', {
  timeout: 90_000,
}, async () => {
  const stop = (from: number) => near.call('POST', '/../shards/serving/stop', { model: 'stories', from });
  const settled = (count: number) =>
    until(
      () => near.call<ServingView>('GET', '/../shards/serving'),
      ({ served }) => served.length === count && served.every(({ state }) => state === 'ready'),
    );
  // Ranges of one model may not touch.
  await stop(2);
  await settled(1);
  await serve(near.call, 4, 2);
  await settled(2);
  await stop(4);
  await settled(1);
  assert.equal(await story(() => {}), whole);
  assert.deepEqual(await lastShard(), [await peerOf(near), 4, 6]);
});
