import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createManualClock, isKithError } from '../../base/index.ts';
import { encodeAnnouncement } from '../records/announcement.ts';
import { encodeEnvelope } from '../records/envelope.ts';
import { announcementOf, identityOf, MODEL, NOW, OTHER_MODEL, recordOf } from '../records/testing/samples.ts';
import { encodeSnapshotPage, SNAPSHOT_METHOD } from '../registry/snapshot.ts';
import { createBus } from './testing/bus.ts';
import { nodeOn, offerOf, settle } from './testing/nodes.ts';
import { GENERAL_TOPIC, providerKeyOf, topicOf } from './topics.ts';

const stranger = identityOf(99);

async function setUp(count: number) {
  const clock = createManualClock(NOW);
  const bus = createBus();
  const nodes = Array.from({ length: count }, (_, i) => nodeOn(bus.join(identityOf(i).peerId), i, clock));
  await settle();
  return { clock, bus, nodes, close: () => Promise.all(nodes.map((node) => node.discovery.close())) };
}

test('what one node offers the others who watch know', async () => {
  const { nodes, close } = await setUp(3);
  const [server, watcher, other] = nodes;
  await watcher!.discovery.watch(MODEL);
  server!.discovery.offer([offerOf()]);
  await settle();
  assert.equal(watcher!.registry.get(server!.peer, MODEL)?.state, 'online');
  assert.equal(other!.registry.get(server!.peer, MODEL), null, 'blocks are of interest to watchers only');
  server!.discovery.offer([offerOf({ serves: ['blocks', 'chat'] })]);
  await settle();
  assert.equal(other!.registry.get(server!.peer, MODEL)?.state, 'online');
  await close();
  assert.equal(watcher!.registry.get(server!.peer, MODEL), null, 'it said farewell');
});

test('a node that comes late learns from providers what gossip told before', async () => {
  const { nodes, bus, clock, close } = await setUp(4);
  for (const [index, node] of nodes.entries())
    node.discovery.offer([offerOf({ blocks: [[index * 2, index * 2 + 2]] })]);
  await settle();
  const late = nodeOn(bus.join(identityOf(50).peerId), 50, clock);
  const report = await late.discovery.fill(MODEL);
  assert.equal(report.learned, 4);
  assert.ok(report.answered >= 1);
  assert.deepEqual(report.failed, []);
  for (const node of nodes) assert.notEqual(late.registry.get(node.peer, MODEL), null);
  await late.discovery.close();
  await close();
});

test('who watches a model that nobody is known to serve asks without being told to, and again later', async () => {
  const { nodes, bus, clock, close } = await setUp(1);
  const late = nodeOn(bus.join(identityOf(50).peerId), 50, clock);
  await late.discovery.watch(MODEL);
  await clock.advance(2000);
  await settle();
  assert.equal(late.registry.size, 0);
  // It came to the topic by another way than gossip that this node hears.
  nodes[0]!.registry.offer(recordOf(identityOf(7)));
  await nodes[0]!.discovery.watch(MODEL);
  await clock.advance(60_000);
  await settle();
  assert.notEqual(late.registry.get(identityOf(7).peerId, MODEL), null);
  await late.discovery.close();
  await close();
});

test('dead providers cost a failure each, and the living are found behind them', async () => {
  const { nodes, bus, clock, close } = await setUp(6);
  for (const node of nodes) node.discovery.offer([offerOf()]);
  await settle();
  for (const node of nodes.slice(0, 4)) bus.kill(node.peer);
  const late = nodeOn(bus.join(identityOf(50).peerId), 50, clock);
  const report = await late.discovery.fill(MODEL);
  assert.equal(report.answered, 2);
  assert.deepEqual(
    report.failed.map(({ code }) => code),
    Array(4).fill('swarm_unreachable'),
  );
  assert.equal(late.registry.size, 6);
  await late.discovery.close();
  await close();
});

test('whoever answers with rubbish is a failure among others', async () => {
  const { nodes, bus, clock, close } = await setUp(2);
  nodes[0]!.discovery.offer([offerOf()]);
  const liar = bus.join(stranger.peerId);
  liar.handle(SNAPSHOT_METHOD, { handler: () => ({ payload: new Uint8Array(9) }) });
  await liar.provide(providerKeyOf(MODEL));
  await settle();
  const late = nodeOn(bus.join(identityOf(50).peerId), 50, clock);
  const report = await late.discovery.fill(MODEL);
  assert.deepEqual(report.failed, [{ peer: stranger.peerId, code: 'record_malformed' }]);
  assert.equal(report.learned, 1);
  await late.discovery.close();
  await close();
});

test('a page that never ends is read so far and no further', async () => {
  const { bus, clock, close } = await setUp(1);
  let pages = 0;
  const endless = bus.join(stranger.peerId);
  endless.handle(SNAPSHOT_METHOD, {
    handler: () => {
      const next = `${'1'.repeat(10)}${'A'.repeat(++pages)}/`;
      return { payload: encodeSnapshotPage({ records: [recordOf(identityOf(3))], next }) };
    },
  });
  await endless.provide(providerKeyOf(MODEL));
  const late = nodeOn(bus.join(identityOf(50).peerId), 50, clock);
  const report = await late.discovery.fill(MODEL);
  assert.equal(pages, 16);
  assert.equal(report.learned, 1);
  await late.discovery.close();
  await close();
});

test('neighbours are blamed for what no honest one passes on, and for nothing else', async () => {
  const { nodes, bus, close } = await setUp(1);
  const [node] = nodes;
  await node!.discovery.watch(MODEL);
  const via = identityOf(98).peerId;
  const verdict = async (data: Uint8Array, from = stranger.peerId, topic = topicOf(MODEL)) =>
    (await bus.inject(from, topic, data, via)).get(node!.peer);
  const body = encodeAnnouncement(announcementOf(stranger));
  assert.equal(await verdict(new Uint8Array(5)), 'reject');
  assert.equal(await verdict(new Uint8Array(3000)), 'reject');
  assert.equal(await verdict(encodeEnvelope({ body, signature: new Uint8Array(64) }, 2048)), 'reject');
  assert.equal(await verdict(recordOf(identityOf(3))), 'reject');
  assert.equal(await verdict(recordOf(stranger, { seq: NOW - 10, exp: NOW })), 'ignore');
  assert.equal(await verdict(recordOf(stranger, { seq: NOW + 10_000_000 })), 'ignore');
  assert.equal(await verdict(recordOf(stranger, { seq: NOW + 1 })), 'accept');
  assert.equal(await verdict(recordOf(stranger)), 'ignore');
  const other = recordOf(stranger, { model: { hash: OTHER_MODEL, quant: 'F16' } });
  assert.equal(await verdict(other), 'reject', 'of another topic');
  const whole = recordOf(stranger, { seq: NOW + 5, serves: ['chat'] });
  assert.equal(await verdict(whole), 'accept');
  assert.equal(await verdict(whole, stranger.peerId, GENERAL_TOPIC), 'accept', 'it spreads on both topics');
  await close();
});

test('snapshots are given so often to one peer', async () => {
  const { nodes, bus, close } = await setUp(1);
  const greedy = bus.join(stranger.peerId);
  const ask = () => greedy.call(nodes[0]!.peer, SNAPSHOT_METHOD, { v: 1 });
  for (let i = 0; i < 64; i++) await ask();
  await assert.rejects(ask, (error) => isKithError(error) && error.code === 'limit_reached');
  await bus.join(identityOf(97).peerId).call(nodes[0]!.peer, SNAPSHOT_METHOD, { v: 1 });
  await close();
});

test('a topic is left when nobody watches it any more, and models are bounded', async () => {
  const { nodes, bus, close } = await setUp(1);
  const probe = bus.join(stranger.peerId);
  const { discovery, peer } = nodes[0]!;
  const first = await discovery.watch(MODEL);
  const second = await discovery.watch(MODEL);
  await first[Symbol.asyncDispose]();
  await first[Symbol.asyncDispose]();
  assert.deepEqual(await probe.subscribers(topicOf(MODEL)), [peer]);
  await second[Symbol.asyncDispose]();
  assert.deepEqual(await probe.subscribers(topicOf(MODEL)), []);
  const third = await discovery.watch(MODEL);
  const leaving = third[Symbol.asyncDispose]();
  await discovery.watch(MODEL).then((again) => again[Symbol.asyncDispose]());
  await leaving;
  for (let i = 0; i < 64; i++) await discovery.watch(i.toString(16).padStart(64, '0'));
  await assert.rejects(
    discovery.watch(MODEL),
    (error) => isKithError(error) && error.code === 'limit_reached',
  );
  await close();
});

test('addresses that a peer announced are told to the network before it is called', async () => {
  const { nodes, bus, close } = await setUp(2);
  const [a, b] = nodes;
  await b!.discovery.watch(MODEL);
  a!.discovery.offer([offerOf({ addrs: ['/ip4/192.0.2.7/tcp/4001'] })]);
  await settle();
  assert.deepEqual(bus.known(b!.peer, a!.peer), []);
  await b!.discovery.introduce(a!.peer);
  assert.deepEqual(bus.known(b!.peer, a!.peer), ['/ip4/192.0.2.7/tcp/4001']);
  await close();
});

test('a node that cannot be a provider at first becomes one, and ceases to be one with its offer', async () => {
  const { bus, clock } = await setUp(0);
  const network = bus.join(identityOf(1).peerId);
  let failures = 2;
  const flaky = {
    ...network,
    provide: async (key: Uint8Array) => {
      if (failures-- > 0) throw new Error('nobody is there');
      return network.provide(key);
    },
  };
  const { discovery, peer } = nodeOn(flaky, 1, clock);
  const asking = bus.join(stranger.peerId);
  const providers = async () => {
    const found: string[] = [];
    for await (const provider of asking.findProviders(providerKeyOf(MODEL))) found.push(provider.peer);
    return found;
  };
  discovery.offer([offerOf()]);
  await settle();
  assert.deepEqual(await providers(), []);
  await clock.advance(121_000);
  await settle();
  assert.deepEqual(await providers(), [peer]);
  discovery.offer([]);
  await settle();
  assert.deepEqual(await providers(), []);
  await discovery.close();
});
