/** Kith and the Python package `hivemind` in one DHT: each finds what the other stores. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { resolveConfig, silentLogger, systemClock, systemRandom } from '../../src/base/index.ts';
import { openNodeHivemind } from '../../src/node/hivemind.ts';
import {
  createSwarm,
  Float,
  type Hivemind,
  openHivemind,
  type Swarm,
  Tuple,
  toJson,
} from '../../src/swarm/index.ts';
import { findPython, PythonPeer } from './python.ts';

const found = findPython();
const skip = 'missing' in found ? `${found.missing}; or name one by KITH_INTEROP_PYTHON` : false;
if (typeof skip === 'string') console.log(`hivemind: skipped, ${skip}`);
const python = 'python' in found ? found.python : '';

async function kith(
  seed: number,
  bootstrap: string,
  serve: boolean,
): Promise<{ swarm: Swarm; dht: Hivemind }> {
  const swarm = await createSwarm({
    seed: new Uint8Array(32).fill(seed),
    listen: ['/ip4/127.0.0.1/tcp/0'],
    network: 'lan',
  });
  const dht = await openHivemind({
    network: swarm,
    self: swarm.peer,
    bootstrap: [bootstrap],
    serve,
    lan: true,
    clock: systemClock,
    random: systemRandom,
  });
  return { swarm, dht };
}

const inSeconds = (seconds: number) => Date.now() / 1000 + seconds;

describe('hivemind', { skip, timeout: 300_000 }, () => {
  const peers: PythonPeer[] = [];
  let client: { swarm: Swarm; dht: Hivemind };
  let node: { swarm: Swarm; dht: Hivemind };

  before(async () => {
    peers.push(await PythonPeer.start(python));
    const [first] = peers[0]!.addresses as [string];
    peers.push(...(await Promise.all([1, 2].map(() => PythonPeer.start(python, [first])))));
    client = await kith(91, first, false);
    node = await kith(92, first, true);
  });
  after(async () => {
    for (const one of [client, node]) {
      await one?.dht[Symbol.asyncDispose]();
      await one?.swarm[Symbol.asyncDispose]();
    }
    await Promise.all(peers.map((peer) => peer[Symbol.asyncDispose]()));
  });

  test('the golden bytes are those of the package that is installed', () => {
    const { status, stdout, stderr } = spawnSync(python, [join(import.meta.dirname, 'golden.py')], {
      encoding: 'utf8',
    });
    assert.equal(status, 0, stderr);
    const golden = JSON.parse(readFileSync(join(import.meta.dirname, 'golden.json'), 'utf8')) as object;
    // Versions may differ, bytes may not.
    assert.deepEqual({ ...JSON.parse(stdout), source: null }, { ...golden, source: null });
  });

  test('Kith finds what Python stores, as it was', async () => {
    const { expiration, stored } = await peers[1]!.store({
      key: "'from python'",
      value: "(2, 360.0, {'name': 'Käthe', 'blocks': [0, 32], 'raw': b'\\x00\\xff', 'none': None})",
    });
    assert.equal(stored, true);
    const { regular, asked, answered } = await client.dht.find('from python');
    assert.deepEqual(
      regular?.value,
      new Tuple([
        2,
        new Float(360),
        new Map<string, never>(
          Object.entries({
            name: 'Käthe',
            blocks: [0, 32],
            raw: Uint8Array.of(0, 255),
            none: null,
          }) as never,
        ),
      ]),
    );
    assert.equal(regular.expiration, expiration);
    // Two of them were known by PeerId alone: their addresses came from the first.
    assert.ok(asked >= 3 && answered >= 3, `${answered} of ${asked} answered`);
    assert.equal((await client.dht.find('never stored')).regular, null);
  });

  test('Kith finds the dictionary that several Python nodes fill', async () => {
    for (const [at, peer] of peers.entries())
      await peer.store({ key: "'from many'", subkey: `'peer ${at}'`, value: `[${at}]` });
    const { regular, entries } = await client.dht.find('from many');
    assert.equal(regular, null);
    assert.deepEqual(
      entries.map(({ subkey, value }) => [subkey, toJson(value!)]).sort(),
      [0, 1, 2].map((at) => [`peer ${at}`, [at]]),
    );
  });

  test('Python gets what Kith stores; newer replaces, older is refused', async () => {
    const store = (value: string, expiration: number) =>
      client.dht.store({ key: 'from kith', value, expiration });
    const now = inSeconds(0);
    const first = await store('first', now + 100);
    assert.ok(first.stored >= 3 && first.refused + first.failed === 0, JSON.stringify(first));
    assert.deepEqual(await peers[2]!.get("'from kith'"), { value: "'first'", expiration: now + 100 });
    assert.equal((await store('older', now + 99)).stored, 0);
    assert.equal((await store('same', now + 100)).stored, 0);
    assert.equal((await peers[1]!.get("'from kith'"))?.value, "'first'");
    assert.ok((await store('newer', now + 101)).stored >= 3);
    assert.deepEqual(await peers[0]!.get("'from kith'"), { value: "'newer'", expiration: now + 101 });
  });

  test('Kith and Python fill one dictionary side by side', async () => {
    await peers[0]!.store({
      key: "'side by side'",
      subkey: "'python'",
      value: '1',
      expiration: inSeconds(200),
    });
    const expiration = inSeconds(100);
    const value = new Tuple([2, new Float(1), new Map([['public_name', 'kith']])]);
    await client.dht.store({ key: 'side by side', subkey: client.swarm.peer, value, expiration });
    const got = await peers[1]!.get("'side by side'");
    assert.match(
      got!.value,
      new RegExp(`'${client.swarm.peer}': \\(\\(2, 1\\.0, \\{'public_name': 'kith'\\}\\), ${expiration}\\)`),
    );
    assert.match(got!.value, /'python': \(1, /);
    // One subkey is renewed, the other stays.
    const later = {
      key: 'side by side',
      subkey: client.swarm.peer,
      value: 'offline',
      expiration: expiration + 1,
    };
    await client.dht.store(later);
    assert.match((await peers[2]!.get("'side by side'"))!.value, /'offline'/);
    assert.match((await peers[2]!.get("'side by side'"))!.value, /'python': \(1, /);
  });

  test('Python takes a Kith that serves for a node of its DHT, and stores there', async () => {
    await node.dht.find('anything');
    assert.ok(node.dht.state().contacts.length >= 3);
    // Five keep a record, and there are four besides the client: this one is among them.
    await peers[1]!.store({ key: "'kept by kith'", value: "'yes'" });
    await peers[1]!.store({ key: "'kept by kith 2'", subkey: "'a'", value: '1.5' });
    assert.ok(node.dht.state().kept!.keys >= 2, JSON.stringify(node.dht.state().kept));
  });

  test('a Python node joins by a Kith alone, and finds what is in the DHT', async () => {
    await using newcomer = await PythonPeer.start(python, [node.swarm.addresses[0]!]);
    assert.equal((await newcomer.get("'kept by kith'"))?.value, "'yes'");
    assert.match((await newcomer.get("'kept by kith 2'"))!.value, /\{'a': \(1\.5, /);
    // Kith has never had this one: it tells where those are that have.
    assert.equal((await node.dht.find('from kith')).regular?.value, 'newer');
    assert.equal((await newcomer.get("'from kith'"))?.value, "'newer'");
    await newcomer.store({ key: "'from the newcomer'", value: '7' });
    assert.equal((await client.dht.find('from the newcomer')).regular?.value, 7);
  });

  test('Python reads what a node of Kith tells of itself, and that it has left', async () => {
    const { config } = resolveConfig({
      home: '/nowhere',
      env: {},
      flags: {
        'swarm.hivemindBootstrap': peers[0]!.addresses[0],
        'swarm.hivemindAnnounce': true,
        'swarm.hivemindName': 'Ada',
        'swarm.network': 'lan',
      },
    });
    const told = {
      id: 'tiny',
      hash: 'ab'.repeat(32),
      quant: 'Q4_K_M',
      serves: ['chat'],
      tokensPerSecond: 10,
    };
    const bridge = await openNodeHivemind({
      ...{ config, swarm: client.swarm, clock: systemClock, random: systemRandom, log: silentLogger },
      models: async () => [told],
    });
    const { stored, message } = await bridge.announce(AbortSignal.timeout(30_000));
    assert.ok(stored >= 3 && message === null, `${stored} ${message}`);
    const key = "'_kwaai.inference.nodes'";
    const { value } = (await peers[1]!.get(key))!;
    assert.ok(
      value.startsWith(`{'${client.swarm.peer}': ((2, 10.0, {'start_block': 0, 'end_block': 0, `),
      value,
    );
    assert.match(value, /'public_name': 'Ada', .*'models': \[\{'id': 'tiny', 'sha256': 'abab/);
    await bridge[Symbol.asyncDispose]();
    assert.match((await peers[0]!.get(key))!.value, /\(\(-1, 0\.0, \{/);
  });

  test('records live on when a Python node is gone', async () => {
    await peers[2]![Symbol.asyncDispose]();
    peers.splice(2, 1);
    assert.equal((await client.dht.find('from kith')).regular?.value, 'newer');
    const { regular } = await node.dht.find('from python');
    assert.ok(regular !== null && regular.expiration > inSeconds(0));
  });
});
