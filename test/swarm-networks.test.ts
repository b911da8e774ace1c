/** Private networks, nodes whose swarm is off or cannot start, and the commands that set them up. */
import assert from 'node:assert/strict';
import { access, readFile, rm, stat } from 'node:fs/promises';
import { createServer } from 'node:net';
import { after, test } from 'node:test';
import type { Command } from 'commander';
import {
  createSeededRandom,
  isKithError,
  resolveConfig,
  silentLogger,
  systemClock,
  systemRandom,
} from '../src/base/index.ts';
import * as network from '../src/cli/commands/network.ts';
import * as relay from '../src/cli/commands/relay.ts';
import type { Handler } from '../src/cli/program.ts';
import { createIdentity } from '../src/identity/index.ts';
import { networkKeyPath, networkName, newNetworkKey, writeNetworkKey } from '../src/node/index.ts';
import { createNodeSwarm, type NodeSwarm } from '../src/node/swarm.ts';
import { noReceipts } from '../src/node/swarm-receipts.ts';
import { kith, stopAll } from './cli-support.ts';
import { listeningBackend, type SwarmNode, startSwarmNode, swarmHome } from './swarm-support.ts';

const homes: string[] = [];
const backend = await listeningBackend();
after(async () => {
  stopAll();
  backend.server.close();
  await Promise.all(homes.map((home) => rm(home, { recursive: true, force: true })));
});

async function newHome(settings: Readonly<Record<string, unknown>> = {}): Promise<string> {
  const home = await swarmHome({ 'openai.baseUrl': backend.url, ...settings });
  homes.push(home);
  return home;
}

const hasCode = (code: string) => (error: unknown) => isKithError(error) && error.code === code;
const patient = () => new AbortController().signal;

/** Nobody is served here. */
const noEngine = {
  models: async () => [],
  chat: () => assert.fail('nobody is served'),
  embed: () => assert.fail('nobody is served'),
};

/** The swarm of a node alone: what a private network does needs no HTTP. */
async function startAlone(home: string): Promise<NodeSwarm> {
  const swarm = createNodeSwarm({
    config: resolveConfig({ home, env: {} }).config,
    identity: createIdentity(systemRandom.bytes(32)),
    engine: noEngine,
    receipts: noReceipts,
    models: { list: async () => [] },
    clock: systemClock,
    random: systemRandom,
    log: silentLogger,
  });
  swarm.start();
  try {
    await swarm.desk.peers(1);
  } catch (error) {
    await swarm.close();
    throw error;
  }
  return swarm;
}

test('only who has the key of a private network can connect', async () => {
  const keys = [1, 2].map((seed) => newNetworkKey(createSeededRandom(seed))) as [string, string];
  const members = await Promise.all(
    [keys[0], keys[0], keys[1], null].map(async (key) => {
      const home = await newHome();
      if (key === null) return startAlone(home);
      await writeNetworkKey(networkKeyPath(home), key);
      return startAlone(await joined(home));
    }),
  );
  const [first, second, other, open] = members as [NodeSwarm, NodeSwarm, NodeSwarm, NodeSwarm];
  try {
    const { addresses, network: own } = await first.desk.view();
    assert.equal(own.key, networkName(keys[0]));
    const link = await second.desk.connect(addresses[0]!, patient(), 20_000);
    assert.equal(link.peer, first.summary().peer);
    await assert.rejects(other.desk.connect(addresses[0]!, patient(), 2_000));
    await assert.rejects(open.desk.connect(addresses[0]!, patient(), 2_000));
    const { links } = await first.desk.view();
    assert.deepEqual(
      links.map(({ peer }) => peer),
      [second.summary().peer],
    );
  } finally {
    await Promise.all(members.map((member) => member.close()));
  }
});

/** A home that is in the network whose key it has. */
async function joined(home: string): Promise<string> {
  const { setInFile } = await import('../src/base/index.ts');
  await setInFile(home, 'swarm.pskFile', networkKeyPath(home));
  return home;
}

test('a node whose port is taken runs without its swarm, and says so everywhere', async () => {
  const taken = createServer();
  await new Promise<void>((resolve) => taken.listen(0, '127.0.0.1', resolve));
  const { port } = taken.address() as { port: number };
  const home = await newHome({ 'swarm.listen': `/ip4/127.0.0.1/tcp/${port}` });
  const node: SwarmNode = await startSwarmNode(home);
  try {
    await assert.rejects(node.call('GET', '/peers'), { code: 'swarm_down' });
    const view = await node.call<{ state: string; message: string }>('GET', '');
    assert.equal(view.state, 'failed');
    assert.match(view.message, new RegExp(`port ${port} is in use by another program`));
    const status = await node.node.status();
    assert.equal(status.state, 'degraded');
    assert.match(status.message!, /^The swarm does not run: .* is in use/);
    const health = await fetch(`${node.node.url}/health`);
    assert.equal(((await health.json()) as { status: string }).status, 'degraded');
    const { code, out } = await kith(['p2p', 'info', '--home', home]);
    assert.equal(code, 3);
    assert.match(out, /^swarm failed: .*in use/);
  } finally {
    await node.node.close();
    taken.close();
  }
});

test('a node whose swarm is off opens nothing of it, and says how to switch it on', async () => {
  const home = await newHome({ 'swarm.enabled': false });
  const node = await startSwarmNode(home);
  try {
    const view = await node.call<{ state: string; peer: string; links: unknown[] }>('GET', '');
    assert.equal(view.state, 'off');
    assert.match(view.peer, /^12D3KooW/);
    for (const path of ['/peers', '/find', '/messages', '/bans'])
      await assert.rejects(node.call('GET', path), { code: 'swarm_off' });
    assert.equal((await node.node.status()).state, 'ready');
    await assert.rejects(access(`${home}/swarm`), { code: 'ENOENT' });
    assert.doesNotMatch(await (await fetch(`${node.node.url}/metrics`)).text(), /^kith_swarm_\w+[ {]/m);
  } finally {
    await node.node.close();
  }
});

test('a key file that is gone keeps a node out of the open network', async () => {
  const home = await newHome({ 'swarm.pskFile': '/nowhere/network.key' });
  await assert.rejects(startAlone(home), hasCode('swarm_down'));
});

/** Runs a command in this process; what it prints goes nowhere. */
async function command(handler: Handler, home: string, args: readonly string[], options = {}): Promise<void> {
  const { write } = process.stdout;
  process.stdout.write = (() => true) as typeof write;
  const says = process.stderr.write;
  process.stderr.write = (() => true) as typeof says;
  try {
    await handler({
      args: args as never,
      options: { home, ...options },
      program: null as unknown as Command,
    });
  } finally {
    process.stdout.write = write;
    process.stderr.write = says;
  }
}

const swarmOf = (home: string) => resolveConfig({ home, env: {} }).config.swarm;

test('a network is made, joined and left, and leaving it does not lead into the open one', async () => {
  const home = await newHome({ 'swarm.enabled': false });
  const { code, out } = await kith(['network', 'create', '--lan', '--home', home]);
  assert.equal(code, 0);
  const path = networkKeyPath(home);
  assert.match(out, new RegExp(`^Private network [0-9a-f]{16}; its key is in ${path}`));
  const text = await readFile(path, 'utf8');
  assert.ok(!out.includes(text.split('\n')[2]!), 'the key is not shown');
  assert.equal((await stat(path)).mode & 0o777, 0o600);
  assert.deepEqual(
    [swarmOf(home).enabled, swarmOf(home).pskFile, swarmOf(home).mdns, swarmOf(home).network],
    [true, path, true, 'lan'],
  );
  await assert.rejects(command(network.create, home, []), hasCode('network_exists'));

  const friend = await newHome({ 'swarm.enabled': false });
  const bootstrap = `/ip4/192.0.2.1/tcp/4001/p2p/12D3KooWDpJ7As7BWAwRMfu1VU2WCqNjvq387JEYKDBj4kx6nXTN`;
  await assert.rejects(
    command(network.join, friend, [path], { bootstrap: 'nowhere' }),
    hasCode('config_invalid'),
  );
  await assert.rejects(access(networkKeyPath(friend)), { code: 'ENOENT' });
  await command(network.join, friend, [path], { bootstrap });
  assert.equal(await readFile(networkKeyPath(friend), 'utf8'), text);
  assert.deepEqual([swarmOf(friend).enabled, swarmOf(friend).bootstrap], [true, [bootstrap]]);

  await command(network.leave, friend, []);
  assert.deepEqual([swarmOf(friend).enabled, swarmOf(friend).pskFile], [false, '']);
  await access(networkKeyPath(friend));
  await assert.rejects(command(network.leave, friend, []), hasCode('network_none'));
  // Coming back takes the key that stayed, or the same one from elsewhere, and no other.
  await command(network.join, friend, [networkKeyPath(friend)]);
  await command(network.join, friend, [path], { bootstrap });
  assert.deepEqual([swarmOf(friend).enabled, swarmOf(friend).pskFile], [true, networkKeyPath(friend)]);
  const other = newNetworkKey(createSeededRandom(3));
  await assert.rejects(command(network.join, friend, [other]), hasCode('network_exists'));
  await command(network.leave, home, [], { forget: true });
  await assert.rejects(access(path), { code: 'ENOENT' });
  await assert.rejects(command(network.join, home, ['/nowhere/key']), hasCode('file_not_found'));
});

test('relays are set for the next start, and refused when they are no addresses', async () => {
  const home = await newHome();
  const address = `/dns4/relay.example.org/tcp/4001/p2p/12D3KooWDpJ7As7BWAwRMfu1VU2WCqNjvq387JEYKDBj4kx6nXTN`;
  await command(relay.use, home, [[address]] as never);
  await command(relay.serve, home, [], { reservations: 16, minTier: 'known', unlimitedTier: 'trusted' });
  assert.deepEqual(
    [swarmOf(home).relays, swarmOf(home).relayServe, swarmOf(home).relayReservations],
    [[address], true, 16],
  );
  const shown = await kith(['relay', 'show', '--json', '--home', home]);
  assert.deepEqual(JSON.parse(shown.out), {
    running: false,
    uses: [address],
    serves: { reservations: 16, unlimited: false, unlimitedTier: 'trusted', minTier: 'known' },
    reachedOver: [],
  });
  await assert.rejects(
    command(relay.use, home, [['/ip4/192.0.2.1/tcp/4001']] as never),
    hasCode('config_invalid'),
  );
  await command(relay.use, home, [[]] as never, { none: true });
  const { out } = await kith(['relay', 'show', '--home', home]);
  assert.match(
    out,
    /^A relay for 16 peers of the tier known and above at once: .*, no bounds for peers of the tier trusted and above\.$/m,
  );
  await assert.rejects(
    command(relay.serve, home, [], { off: true, minTier: 'known' }),
    /goes with no other option/,
  );
  await command(relay.serve, home, [], { off: true });
  assert.deepEqual([swarmOf(home).relays, swarmOf(home).relayServe], [[], false]);
});
