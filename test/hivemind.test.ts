/** A node of Kith in a Hivemind DHT of one other node: the commands, the routes, and what it tells of itself. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { createSeededRandom, resolveConfig, silentLogger, systemClock } from '../src/base/index.ts';
import { openNodeHivemind } from '../src/node/hivemind.ts';
import type { HivemindAnnounced, HivemindFindView, HivemindView } from '../src/server/index.ts';
import {
  createSwarm,
  Float,
  type Hivemind,
  type HivemindOptions,
  openHivemind,
  type Swarm,
  Tuple,
} from '../src/swarm/index.ts';
import { kith, stopAll } from './cli-support.ts';
import { type SwarmNode, startSwarmNode, swarmHome } from './swarm-support.ts';

const seconds = () => Date.now() / 1000;

async function swarmOf(number: number): Promise<Swarm> {
  const seed = new Uint8Array(32).fill(number);
  return createSwarm({ seed, listen: ['/ip4/127.0.0.1/tcp/0'], network: 'lan', dht: 'off' });
}

function join(network: Swarm, options: Pick<HivemindOptions, 'bootstrap' | 'serve'>): Promise<Hivemind> {
  const random = createSeededRandom(1);
  return openHivemind({ ...options, network, self: network.peer, lan: true, clock: systemClock, random });
}

let swarm: Swarm;
/** Somebody's node, which keeps what it is given. */
let other: Hivemind;
let asker: Swarm;
/** Somebody else, who asks it. */
let stranger: Hivemind;
let node: SwarmNode;

before(async () => {
  swarm = await swarmOf(61);
  other = await join(swarm, { bootstrap: [], serve: true });
  asker = await swarmOf(62);
  stranger = await join(asker, { bootstrap: [swarm.addresses[0]!], serve: false });
  node = await startSwarmNode(
    await swarmHome({
      'swarm.hivemindBootstrap': swarm.addresses[0]!,
      'swarm.hivemindAnnounce': true,
    }),
  );
  await node.view();
});
after(async () => {
  stopAll();
  await node?.[Symbol.asyncDispose]();
  for (const one of [stranger, asker, other, swarm]) await one?.[Symbol.asyncDispose]();
});

async function command(...args: string[]) {
  const { code, out, err } = await kith(['p2p', 'hivemind', ...args, '--home', node.home]);
  return { code, out, err };
}

test('what strangers stored is found by key and subkey, and shown as their claim', async () => {
  const expiration = seconds() + 300;
  const told = new Tuple([2, new Float(1.5), new Map([['name', 'Käthe\u001b[31m']])]);
  await stranger.store({ key: 'plain', value: told, expiration });
  for (const at of [1, 2, 3])
    await stranger.store({ key: 'many', subkey: `peer ${at}`, value: at, expiration: expiration + at });

  const view = await node.call<HivemindFindView>('GET', '/hivemind/find?key=plain');
  assert.deepEqual(view.claim?.value, [2, 1.5, { name: 'Käthe\u001b[31m' }]);
  assert.deepEqual([view.entries, view.asked, view.answered], [[], 1, 1]);
  assert.equal(view.claim.expiresAt, Math.round(expiration * 1000));
  const shown = await command('find', 'plain');
  assert.match(shown.out, /^\[2,1\.5,\{"name":"Käthe/);
  assert.ok(!shown.out.includes('\u001b'));
  assert.match(shown.err, /Claims of strangers/);

  const many = await node.call<HivemindFindView>('GET', '/hivemind/find?key=many&limit=2');
  assert.deepEqual(
    many.entries.map(({ subkey, value }) => [subkey, value]),
    [
      ['peer 3', 3],
      ['peer 2', 2],
    ],
  );
  assert.equal(many.more, 1);
  const none = await command('find', 'many', '--subkey', 'peer 4');
  assert.deepEqual([none.code, none.out], [1, 'Nobody has it. 1 of 1 node answered.\n']);
});

test('a node says what part it has in the DHT', async () => {
  const { on, contacts, kept, clockOffsetMs } = await node.call<HivemindView>('GET', '/hivemind');
  assert.deepEqual([on, kept, contacts.length], [true, null, 1]);
  assert.equal(contacts[0]!.peer, swarm.peer);
  assert.ok(Math.abs(clockOffsetMs!) < 60_000);
  const { out, code } = await command('info');
  assert.equal(code, 0);
  assert.match(out, /keeps +nothing for others: it only asks/);
  // It may tell, and serves no model that it could tell of.
  const told = await command('announce');
  assert.equal(told.code, 3);
  assert.match(told.out, /No model is served to peers/);
  assert.deepEqual((await other.find('_kwaai.inference.nodes').catch(() => null))?.entries ?? [], []);
});

test('the routes refuse what is no key, and a node without a DHT says how to name one', async () => {
  await assert.rejects(node.call('GET', '/hivemind/find'), { code: 'invalid_type' });
  await assert.rejects(node.call('GET', `/hivemind/find?key=${'k'.repeat(1001)}`), {
    code: 'too_big',
  });
  await assert.rejects(node.call('GET', '/hivemind/find?key=k&limit=5000'), { code: 'invalid_value' });
  const { config } = resolveConfig({ home: '/nowhere', env: {} });
  const options = { config, swarm, clock: systemClock, random: createSeededRandom(1), log: silentLogger };
  const off = await openNodeHivemind({ ...options, models: async () => [] });
  assert.equal((await off.view()).on, false);
  const query = { key: 'k', subkey: null, limit: 1 };
  await assert.rejects(off.find(query, AbortSignal.timeout(1000)), { code: 'hivemind_off', status: 409 });
  // What fails before anything is told is said, and tried again.
  const flags = { 'swarm.hivemindBootstrap': swarm.addresses[0]!, 'swarm.hivemindAnnounce': true };
  const failing = await openNodeHivemind({
    ...options,
    swarm: asker,
    config: resolveConfig({ home: '/nowhere', env: {}, flags }).config,
    models: () => Promise.reject(new Error('The engine is gone.')),
  });
  await assert.rejects(failing.announce(AbortSignal.timeout(1000)), /The engine is gone/);
  assert.equal((await failing.view()).announcing?.message, 'The engine is gone.');
  await failing[Symbol.asyncDispose]();
});

test('an owner who says so is in the DHT under its own name, told anew before it expires, and gone after it leaves', async () => {
  await using own = await swarmOf(63);
  const flags = {
    'swarm.hivemindBootstrap': swarm.addresses[0]!,
    'swarm.hivemindAnnounce': true,
    'swarm.hivemindName': 'Ada 1',
    'swarm.network': 'lan',
  };
  const { config } = resolveConfig({ home: '/nowhere', env: {}, flags });
  const sleeps: { readonly ms: number; readonly wake: () => void }[] = [];
  const clock = {
    ...systemClock,
    sleep: (ms: number, signal?: AbortSignal) =>
      new Promise<void>((resolve) => {
        sleeps.push({ ms, wake: resolve });
        signal?.addEventListener('abort', () => resolve());
      }),
  };
  const models = [
    { id: 'tiny', hash: 'ab'.repeat(32), quant: 'Q4_K_M', serves: ['chat'], tokensPerSecond: 12.5 },
  ];
  const random = createSeededRandom(2);
  const bridge = await openNodeHivemind({
    ...{ config, swarm: own, clock, random, log: silentLogger },
    models: async () => models,
  });
  const told: HivemindAnnounced = await bridge.announce(AbortSignal.timeout(20_000));
  assert.deepEqual([told.models, told.stored, told.refused, told.message], [['tiny'], 1, 0, null]);

  const record = async () => {
    const { entries } = await stranger.find('_kwaai.inference.nodes');
    assert.deepEqual(
      entries.map(({ subkey }) => subkey),
      [own.peer],
    );
    return entries[0]!;
  };
  const first = await record();
  assert.ok(Math.abs(first.expiration - seconds() - 360) < 30);
  const model = new Map<string, unknown>([
    ['id', 'tiny'],
    ['sha256', 'ab'.repeat(32)],
    ['quant', 'Q4_K_M'],
    ['serves', ['chat']],
  ]);
  assert.deepEqual(
    first.value,
    new Tuple([
      2,
      new Float(12.5),
      new Map<string, never>(
        Object.entries({
          start_block: 0,
          end_block: 0,
          public_name: 'Ada 1',
          version: 'kith',
          using_relay: false,
          peer_id: own.peer,
          protocols: ['/kith/call/1.0.0'],
          models: [model],
        }) as never,
      ),
    ]),
  );
  // The clock of the announcer stands after its first round; it goes on five minutes later, more or less.
  assert.ok(sleeps[0]!.ms >= 270_000 && sleeps[0]!.ms <= 330_000, String(sleeps[0]!.ms));
  sleeps[0]!.wake();
  while (sleeps.length < 2) await new Promise((resolve) => setImmediate(resolve));
  const second = await record();
  assert.ok(second.expiration > first.expiration);
  await bridge[Symbol.asyncDispose]();
  const last = await record();
  assert.ok(last.expiration > second.expiration);
  assert.equal((last.value as Tuple).items[0], -1);
});
