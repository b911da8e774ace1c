import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Clock, createManualClock, createSeededRandom } from '../../base/index.ts';
import { parseAnnouncement } from '../records/announcement.ts';
import { parseEnvelope } from '../records/envelope.ts';
import { identityOf, MODEL, NOW, OTHER_MODEL } from '../records/testing/samples.ts';
import type { Announcement } from '../records/types.ts';
import { Registry } from '../registry/registry.ts';
import { Announcer } from './announcer.ts';
import { offerOf, settle } from './testing/nodes.ts';
import { GENERAL_TOPIC, topicOf } from './topics.ts';

const signer = identityOf(0);

function setUp(publish: (topic: string) => Promise<number> = async () => 1) {
  const manual = createManualClock(NOW);
  const wall = { ahead: 0 };
  const clock: Clock = { ...manual, now: () => manual.now() + wall.ahead, sleep: manual.sleep };
  const said: { topic: string; one: Announcement }[] = [];
  const registry = new Registry({
    clock,
    random: createSeededRandom(1),
    self: signer.peerId,
    standing: () => 0,
  });
  const announcer = new Announcer({
    signer,
    clock,
    random: createSeededRandom(1),
    registry,
    publish: async (topic, data) => {
      said.push({ topic, one: parseAnnouncement(parseEnvelope(data, 2048).body) });
      return await publish(topic);
    },
  });
  /** What was said since the last look: topics and records. */
  const heard = () => said.splice(0);
  return { manual, wall, announcer, registry, heard };
}

const chat = { serves: ['chat'], blocks: [] };

test('an offer is said at once, then about once a minute, with growing numbers', async () => {
  const { manual, announcer, heard } = setUp();
  announcer.set([offerOf()]);
  await settle();
  const [first, ...none] = heard();
  assert.deepEqual(none, []);
  assert.equal(first!.topic, topicOf(MODEL));
  assert.equal(first!.one.exp, NOW + 360_000);
  await manual.advance(45_000);
  assert.deepEqual(heard(), []);
  await manual.advance(600_000);
  const later = heard();
  assert.ok(later.length >= 9 && later.length <= 12, `${later.length}`);
  let last = first!.one.seq;
  for (const { one } of later) {
    assert.ok(one.seq > last);
    last = one.seq;
  }
  await announcer.close();
});

test('who serves a whole model says so on the general topic too, who serves blocks does not', async () => {
  const { announcer, heard } = setUp();
  announcer.set([
    offerOf(chat),
    offerOf({ model: { hash: OTHER_MODEL, quant: 'F16' } }),
    offerOf({ model: null, blocks: [], serves: ['storage'] }),
  ]);
  await settle();
  assert.deepEqual(
    heard().map(({ topic, one }) => [topic, one.model?.hash ?? null]),
    [
      [topicOf(MODEL), MODEL],
      [GENERAL_TOPIC, MODEL],
      [topicOf(OTHER_MODEL), OTHER_MODEL],
      [GENERAL_TOPIC, null],
    ],
  );
  await announcer.close();
});

test('a change is said at once; a figure that moved a little waits', async () => {
  const { announcer, heard, manual } = setUp();
  announcer.set([offerOf({ freeCacheTokens: 1000 })]);
  await settle();
  heard();
  announcer.set([offerOf({ freeCacheTokens: 900 })]);
  await settle();
  assert.deepEqual(heard(), []);
  announcer.set([offerOf({ freeCacheTokens: 100 })]);
  await settle();
  announcer.set([offerOf({ freeCacheTokens: 100, state: 'draining' })]);
  await settle();
  assert.deepEqual(
    heard().map(({ one }) => [one.freeCacheTokens, one.state]),
    [
      [100, 'online'],
      [100, 'draining'],
    ],
  );
  announcer.set([offerOf({ freeCacheTokens: 90, state: 'draining' })]);
  await settle();
  await manual.advance(80_000);
  assert.equal(heard()[0]!.one.freeCacheTokens, 90);
  await announcer.close();
});

test('a node whose state flickers says so only so often, and the last state is said in the end', async () => {
  const { announcer, heard, manual, registry } = setUp();
  for (let i = 0; i < 200; i++) {
    announcer.set([offerOf({ state: i % 2 === 0 ? 'online' : 'draining' })]);
    await settle(2);
  }
  assert.ok(heard().length <= 26);
  await manual.advance(120_000);
  assert.equal(heard().at(-1)!.one.state, 'draining');
  assert.deepEqual(Object.values(registry.refused), [0, 0, 0, 0, 0, 0, 0, 0]);
  await announcer.close();
});

test('a model that is no longer offered is taken back once', async () => {
  const { announcer, heard, registry, manual } = setUp();
  const other = offerOf({ ...chat, model: { hash: OTHER_MODEL, quant: 'F16' } });
  announcer.set([offerOf(), other]);
  await settle();
  heard();
  announcer.set([other]);
  await settle();
  assert.deepEqual(
    heard().map(({ topic, one }) => [topic, one.state]),
    [
      [topicOf(MODEL), 'offline'],
      [GENERAL_TOPIC, 'offline'],
    ],
  );
  assert.equal(registry.get(signer.peerId, MODEL)?.state, 'offline');
  await manual.advance(180_000);
  assert.ok(heard().every(({ one }) => one.model?.hash === OTHER_MODEL));
  announcer.set([other, offerOf()]);
  await settle();
  assert.equal(heard()[0]!.one.state, 'online');
  await announcer.close();
});

test('the farewell goes to every topic that heard of this node, once', async () => {
  const { announcer, heard, registry } = setUp();
  announcer.set([offerOf(chat)]);
  await settle();
  heard();
  await announcer.close();
  await announcer.close();
  assert.deepEqual(
    heard().map(({ topic, one }) => [topic, one.model, one.state]),
    [
      [GENERAL_TOPIC, null, 'offline'],
      [topicOf(MODEL), null, 'offline'],
    ],
  );
  assert.deepEqual(
    registry.of(signer.peerId).map((one) => one.model),
    [null],
  );
});

test('a node that said nothing says no farewell', async () => {
  const { announcer, heard } = setUp();
  await announcer.close();
  assert.deepEqual(heard(), []);
});

test('a network that does not answer holds up no shutdown', async () => {
  const { announcer, manual, heard } = setUp(() => new Promise(() => undefined));
  announcer.set([offerOf()]);
  await settle();
  const closing = announcer.close();
  await manual.advance(2000);
  await manual.advance(2000);
  await closing;
  assert.equal(heard().at(-1)!.one.state, 'offline');
});

test('what nobody could hear, or what failed, is said again soon, then ever less often', async () => {
  for (const publish of [async () => 0, () => Promise.reject(new Error('no network'))]) {
    const { announcer, manual, heard } = setUp(publish);
    announcer.set([offerOf()]);
    await settle();
    await manual.advance(10_000);
    assert.equal(heard().length, 4);
    await manual.advance(600_000);
    assert.ok(heard().length <= 16);
    await announcer.close();
  }
});

test('a clock that is set makes all be said again at once, with numbers that others believe', async () => {
  const { announcer, manual, heard, wall, registry } = setUp();
  announcer.set([offerOf()]);
  await settle();
  heard();
  // A little back: numbers go on.
  wall.ahead = -60_000;
  await manual.advance(6000);
  const [back] = heard();
  assert.equal(back!.one.seq, NOW + 1);
  // Far ahead, as after suspend or by mistake.
  wall.ahead = 7_200_000;
  await manual.advance(6000);
  const [ahead] = heard();
  assert.ok(Math.abs(ahead!.one.seq - manual.now() - 7_200_000) <= 6000);
  // And right again: nobody believed the numbers between.
  wall.ahead = 0;
  await manual.advance(6000);
  const [right] = heard();
  assert.ok(right!.one.seq <= manual.now());
  assert.ok(right!.one.exp > manual.now());
  assert.equal(registry.get(signer.peerId, MODEL)?.seq, right!.one.seq);
  await announcer.close();
});

test('more offers than others keep are cut to the first', async () => {
  const { announcer, heard } = setUp();
  const many = Array.from({ length: 20 }, (_, i) =>
    offerOf({ model: { hash: i.toString(16).padStart(64, '0'), quant: 'F16' } }),
  );
  announcer.set(many);
  await settle(60);
  assert.equal(heard().length, 16);
  await announcer.close();
});
