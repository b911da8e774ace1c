/**
 * Peers that become backends by themselves: three real hosts and a gateway, with what the asking node knows of the others
 * in the test's hands.
 */
import assert from 'node:assert/strict';
import { type AddressInfo, createServer, type Socket } from 'node:net';
import { after, before, test } from 'node:test';
import {
  createSeededRandom,
  meetingOf,
  resolveConfig,
  silentLogger,
  systemClock,
  type Tier,
} from '../../src/base/index.ts';
import { createGateway, createPeerBackend, type Gateway, peerProvider } from '../../src/gateway/index.ts';
import { createIdentity } from '../../src/identity/index.ts';
import { usePeers } from '../../src/node/found-peers.ts';
import type { PeerNetwork } from '../../src/node/swarm-asking.ts';
import { until } from '../swarm-support.ts';
import {
  chatModel,
  chatRequest,
  collect,
  embeddingModel,
  finish,
  type Host,
  openPolicy,
  scriptedEngine,
  serve,
  start,
  startHost,
  text,
  textOf,
  usage,
} from './support.ts';

const parts = new AsyncDisposableStack();
const tiers = new Map<string, Tier>();
const announcing = new Set<string>();
const { promise: mayEnd, resolve: end } = Promise.withResolvers<void>();
let asker: Host;
let near: Host;
let far: Host;
let gateway: Gateway;

before(async () => {
  const tierOf = (peer: string): Tier => tiers.get(peer) ?? 'unknown';
  const hosts = await Promise.all([
    startHost('fp-asker', { tierOf }),
    startHost('fp-near'),
    startHost('fp-far'),
  ]);
  for (const host of hosts) parts.use(host);
  [asker, near, far] = hosts;
  for (const { swarm } of [near, far]) {
    await asker.swarm.learn(swarm.peer, swarm.addresses);
    announcing.add(swarm.peer);
  }
  tiers.set(near.swarm.peer, 'known');
  tiers.set(far.swarm.peer, 'verified');
  parts.use(serve(near, scriptedEngine(), openPolicy));
  const slow = scriptedEngine(async function* (request) {
    yield start(7);
    yield text('begun, ');
    if (request.messages[0]!.content === 'wait') await mayEnd;
    yield text('and whole');
    yield finish();
    yield usage(7, 3);
  });
  parts.use(serve(far, slow, { ...openPolicy, maxConcurrent: 4, maxPerPeer: 4 }));
  gateway = parts.use(
    createGateway({
      ...{ providers: [], clock: systemClock, random: createSeededRandom(1), log: silentLogger, probeMs: 0 },
    }),
  );
  const standing = (peer: string) => ({ tier: tierOf(peer), pledge: false, region: null });
  const peers: PeerNetwork = {
    self: asker.swarm.peer,
    swarm: asker.swarm,
    standing,
    lending: () => [],
    serving: () => [...announcing],
    meets: (peer, asked, facts) => meetingOf(asked, facts, standing(peer)),
    misconduct: () => {},
    reputation: { of: () => ({ score: 0, tier: 'unknown', conduct: 1 }), observe() {} },
    looking: null,
    keep: () => {},
    watch: { wantsText: () => false, answered() {}, embedded() {}, failed() {} },
  };
  const { config } = resolveConfig({ home: '/nowhere', env: {} });
  parts.use(
    usePeers({
      config: { ...config, swarm: { ...config.swarm, use: 'verified' } },
      ...{ gateway, peers },
      ...{ clock: systemClock, random: createSeededRandom(2), log: silentLogger },
    }),
  );
});
after(() => parts.disposeAsync());

const names = async () => gateway.backends().map(({ name }) => name);
const nameOf = ({ swarm }: Host) => `peer-${swarm.peer.slice(-8)}`;

test('a peer that announces answers becomes a backend by itself, with its models marked as its own', async () => {
  await until(names, (all) => all.length > 0);
  assert.deepEqual(await names(), [nameOf(far)]);
  const models = await until(
    async () => await gateway.models(),
    (all) => all.length === 2,
  );
  assert.deepEqual(
    models.map(({ id, peer, ownedBy }) => [id, peer, ownedBy]),
    [chatModel, embeddingModel].map((id) => [id, far.swarm.peer, nameOf(far)]),
  );
  const [report] = gateway.backends();
  assert.deepEqual([report!.step, report!.where], ['peer', 'peer']);
  const events = await collect(gateway.chat(chatRequest('now')));
  assert.equal(textOf(events), 'begun, and whole');
});

test("one below the owner's tier was sent nothing, not even a question what it has", async () => {
  const { callsIn, sessionsIn, framesIn } = near.swarm.counters();
  assert.deepEqual({ callsIn, sessionsIn, framesIn }, { callsIn: 0, sessionsIn: 0, framesIn: 0 });
});

test('a peer that announces no answers any more is a backend no more, and what it had begun it may end', async () => {
  const events = gateway.chat(chatRequest('wait'))[Symbol.asyncIterator]();
  const begun = [await events.next(), await events.next()];
  assert.deepEqual(
    begun.map(({ value }) => value?.type),
    ['start', 'text'],
  );
  announcing.delete(far.swarm.peer);
  await until(names, (all) => all.length === 0);
  await assert.rejects(collect(gateway.chat(chatRequest('other'))), { code: 'model_not_found' });
  end();
  const rest = [];
  for (let next = await events.next(); next.done !== true; next = await events.next()) rest.push(next.value);
  assert.equal(textOf(rest), 'and whole');
  assert.deepEqual(await gateway.models(), []);
});

test('a peer whose port is open and keeps silent is given up within its time, and the next backend answers', async () => {
  const sockets = new Set<Socket>();
  const silent = createServer((socket) => {
    sockets.add(socket);
    socket.on('error', () => {});
  });
  await new Promise<void>((resolve) => silent.listen(0, '127.0.0.1', resolve));
  after(() => {
    for (const socket of sockets) socket.destroy();
    silent.close();
  });
  const { port } = silent.address() as AddressInfo;
  const mute = createIdentity(createSeededRandom(41).bytes(32)).peerId;
  await asker.swarm.learn(mute, [`/ip4/127.0.0.1/tcp/${port}/p2p/${mute}`]);
  const standing = () => ({ tier: 'verified', pledge: false, region: null }) as const;
  const backendTo = (name: string, peer: string) =>
    createPeerBackend({
      ...{ name, peer, swarm: asker.swarm, models: [chatModel], reachMs: 300 },
      ...{ clock: systemClock, random: createSeededRandom(8) },
    });
  await using first = backendTo('mute', mute);
  await using second = backendTo('next', far.swarm.peer);
  await using both = createGateway({
    providers: [first, second].map((backend) => peerProvider({ backend, standing })),
    ...{ clock: systemClock, random: createSeededRandom(1), log: silentLogger, probeMs: 0 },
  });
  const events = await collect(both.chat(chatRequest('who is there')));
  assert.equal(textOf(events), 'begun, and whole');
  const usage = events.at(-1)!;
  assert.ok(usage.type === 'usage');
  assert.deepEqual(
    usage.receipt.route!.attempts.map(({ backend, outcome, code }) => [backend, outcome, code]),
    [
      ['mute', 'failed', 'peer_silent'],
      ['next', 'answered', null],
    ],
  );
});

test('between two looks the tier of the moment holds: what fell below is not asked', async () => {
  announcing.add(far.swarm.peer);
  await until(names, (all) => all.length === 1);
  await until(
    async () => await gateway.models(),
    (all) => all.length === 2,
  );
  const { sessionsIn } = far.swarm.counters();
  tiers.set(far.swarm.peer, 'known');
  await assert.rejects(collect(gateway.chat(chatRequest('not for it'))), { code: 'peer_unmet' });
  assert.equal(far.swarm.counters().sessionsIn, sessionsIn);
});
