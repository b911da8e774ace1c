/** A node that serves its model to a friend: it is found, it answers, and strangers get nothing. */
import assert from 'node:assert/strict';
import { rm } from 'node:fs/promises';
import { after, before, test } from 'node:test';
import { createSeededRandom, setInFile, silentLogger, systemClock } from '../src/base/index.ts';
import { createPeerBackend } from '../src/gateway/index.ts';
import { createIdentity } from '../src/identity/index.ts';
import type { FindView } from '../src/server/index.ts';
import { createSwarm, type Swarm } from '../src/swarm/index.ts';
import { createHome, type TestHome } from './node-support.ts';
import { chatRequest } from './peers/support.ts';
import { type SwarmNode, startSwarmNode, swarmHome, until } from './swarm-support.ts';

const seeds = [1, 2].map((seed) => createSeededRandom(seed).bytes(32)) as [Uint8Array, Uint8Array];
const [friend, stranger] = seeds.map((seed) => createIdentity(seed)) as [
  ReturnType<typeof createIdentity>,
  ReturnType<typeof createIdentity>,
];

let home: TestHome;
let serving: SwarmNode;
let asking: SwarmNode;
let askingHome: string;
let hosts: Swarm[];

before(async () => {
  home = await createHome();
  for (const [key, value] of Object.entries({
    'swarm.enabled': true,
    'swarm.network': 'lan',
    'swarm.listen': '/ip4/127.0.0.1/tcp/0',
    'swarm.connectionsPerSecond': 1000,
    'swarm.friends': friend.peerId,
    'swarm.serveModels': 'tiny',
    'swarm.serveMaxTokens': 8,
  }))
    await setInFile(home.path, key, value);
  askingHome = await swarmHome();
  [serving, asking] = await Promise.all([startSwarmNode(home.path), startSwarmNode(askingHome)]);
  hosts = await Promise.all(
    seeds.map((seed) =>
      createSwarm({ seed, listen: ['/ip4/127.0.0.1/tcp/0'], network: 'lan', dht: 'off', log: silentLogger }),
    ),
  );
});
after(async () => {
  await Promise.all(hosts.map((host) => host[Symbol.asyncDispose]()));
  await Promise.all([serving.node.close(), asking.node.close()]);
  await Promise.all([home.remove(), rm(askingHome, { recursive: true, force: true })]);
});

test('what a node serves is found by the hash of the model, at the tier it has', async () => {
  const { peer, addresses } = await serving.view();
  await asking.view();
  await asking.call('POST', '/connect', { target: addresses[0]! });
  const { models } = (
    await until(
      () =>
        asking.call<{ peers: { peer: string; models: { hash: string; id: string | null }[] }[] }>(
          'GET',
          '/peers',
        ),
      ({ peers }) => peers.some((one) => one.peer === peer && one.models.length > 0),
    )
  ).peers.find((one) => one.peer === peer)!;
  assert.deepEqual(models.length, 1);
  const { hash } = models[0]!;
  const told = await asking.call<FindView>('GET', `/find?model=${hash}`);
  assert.deepEqual(
    told.found.map((one) => [one.peer, one.tier]),
    [[peer, 'unknown']],
  );
  const wanted = await asking.call<FindView>('GET', `/find?model=${hash}&minTier=known`);
  assert.deepEqual(
    wanted.leftOut.map((one) => [one.peer, one.reason]),
    [[peer, 'tier']],
  );
  const vectors = await asking.call<FindView>('GET', `/find?model=${hash}&serves=embeddings`);
  assert.deepEqual(vectors.leftOut[0]?.reason, 'not_served');
});

test('a friend is answered by the engine, and a stranger is not', async () => {
  const { peer, addresses } = await serving.view();
  const [near, far] = await Promise.all(
    hosts.map(async (swarm) => {
      await swarm.dial(addresses[0]!);
      return createPeerBackend({
        name: 'serving',
        peer,
        swarm,
        clock: systemClock,
        random: createSeededRandom(3),
      });
    }),
  );
  assert.deepEqual(
    (await near!.models()).map(({ id }) => id),
    ['tiny'],
  );
  let text = '';
  for await (const event of near!.chat({ ...chatRequest('Hello'), model: 'tiny' }))
    if (event.type === 'text') text += event.text;
  assert.notEqual(text, '');
  assert.deepEqual(await far!.models(), []);
  await assert.rejects(
    async () => {
      for await (const _ of far!.chat({ ...chatRequest('Hello'), model: 'tiny' }));
    },
    { code: 'peer_denied' },
  );
  assert.equal(stranger.peerId, hosts[1]!.peer);
});
