/** A node that lends space, and one that looks for some: what is announced, asked, named and withdrawn. */
import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { setInFile } from '../../src/base/index.ts';
import type { EveView, PeersView, SwarmView } from '../../src/server/index.ts';
import { kith, stopAll } from '../cli-support.ts';
import { type SwarmNode, startSwarmNode, swarmHome, until } from '../swarm-support.ts';

let bob: SwarmNode;
let eve: SwarmNode;
let ofEve: SwarmView;
let ofBob: SwarmView;

before(async () => {
  bob = await startSwarmNode(await swarmHome());
  ofBob = await bob.view();
  eve = await startSwarmNode(
    await swarmHome({
      ...{ 'storage.enabled': true, 'storage.capacityBytes': 600e6, 'storage.tenantBytes': 100e6 },
      ...{ 'storage.days': 45, 'swarm.friends': ofBob.peer },
    }),
  );
  ofEve = await eve.view();
  await bob.call('POST', '/connect', { target: ofEve.addresses[0]! });
});
after(async () => {
  stopAll();
  await Promise.all([bob, eve].map((node) => node?.[Symbol.asyncDispose]()));
});

async function asked(node: SwarmNode, path: string, body?: object): Promise<Response> {
  const run = JSON.parse(await readFile(join(node.home, 'run', 'node.json'), 'utf8')) as { token: string };
  return fetch(`${node.node.url}${path}`, {
    method: body === undefined ? 'GET' : 'POST',
    headers: { authorization: `Bearer ${run.token}`, 'content-type': 'application/json' },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
}

async function discover(ask: boolean, peers: readonly string[] = []): Promise<readonly EveView[]> {
  const response = await asked(bob, '/api/rag/vault/discover', { peers, ask });
  assert.equal(response.status, 200);
  return ((await response.json()) as { eves: EveView[] }).eves;
}

test('what an Eve lends is heard before she is asked, rounded down; asked she tells it exactly', async () => {
  const [heard] = await until(
    () => discover(false),
    (eves) => eves[0]?.heard != null,
  );
  const { peer, answered, open, freeBytes, trouble } = heard!;
  assert.deepEqual([peer, answered, open, freeBytes, trouble], [ofEve.peer, false, false, null, null]);
  assert.deepEqual(heard!.heard, {
    ...{ modes: ['sealed', 'split'], freeBytes: 2 ** 29, largestBytes: 2 ** 26, days: 45, to: 'friends' },
  });
  const [told] = await discover(true);
  assert.deepEqual(
    [told!.answered, told!.open, told!.freeBytes, told!.largestBytes, told!.days],
    [true, true, 600e6, 100e6, 45],
  );
  // By the ending that lists show.
  const { out: named } = await kith(['vpk', 'discover', ofEve.peer.slice(-8), '--home', bob.home]);
  assert.match(named, new RegExp(`^ASKED .*\\n${ofEve.peer} .*\\byes `));
  const { out } = await kith(['vpk', 'discover', '--home', bob.home]);
  assert.match(
    out,
    new RegExp(`HEARD OF .*\\n${ofEve.peer} .*\\bfriends +sealed split +537 MB\\+ +67.1 MB\\+ +45`),
  );
  assert.match(out, new RegExp(`ASKED .*\\n${ofEve.peer} .*\\byes +sealed split +600 MB +100 MB +45`));
  // Whoever lists peers sees what they serve, not the terms.
  const { peers } = await bob.call<PeersView>('GET', '/peers');
  assert.deepEqual(peers.find(({ peer }) => peer === ofEve.peer)!.serves, ['storage']);
});

test('the figures of both sides are among the metrics', async () => {
  const of = async (node: SwarmNode) => (await asked(node, '/metrics')).text();
  const lent = await of(eve);
  assert.match(lent, /^kith_storage_capacity_bytes 600000000$/m);
  assert.match(lent, /^kith_storage_tenants 0$/m);
  assert.match(lent, /^kith_storage_answered_total [1-9]/m);
  const kept = await of(bob);
  assert.match(kept, /^kith_vault_calls_total\{op="terms",outcome="answered"\} [1-9]/m);
  assert.doesNotMatch(kept, /^kith_storage_capacity_bytes \d/m);
});

test('an Eve who is not there is told apart from one who answers, and what she announced is gone with her', async () => {
  const away = '12D3KooWDpJ7As7BWAwRMfu1VU2WCqNjvq387JEYKDBj4kx6nXTN';
  const [one, other] = await discover(true, [away, ofEve.peer]);
  assert.deepEqual([one!.answered, one!.heard, other!.answered], [false, null, true]);
  assert.ok(one!.trouble !== null);
  const { home } = eve;
  await eve.node.close();
  await until(
    () => discover(false),
    (eves) => eves.length === 0,
  );
  await setInFile(home, 'storage.enabled', 'false');
  eve = await startSwarmNode(home);
  ofEve = await eve.view();
  await bob.call('POST', '/connect', { target: ofEve.addresses[0]! });
  await until(
    () => bob.call<PeersView>('GET', '/peers'),
    ({ peers }) => peers.some(({ peer, state }) => peer === ofEve.peer && state === 'online'),
  );
  assert.deepEqual(await discover(false), []);
  const [lends] = await discover(true, [ofEve.peer]);
  assert.match(lends!.trouble!, /^This node lends no space now\. .*kith vpk rebalance/);
  const { out, err } = await kith(['vpk', 'discover', ofEve.peer, '--home', bob.home]);
  assert.match(out, /lends no space now/);
  assert.match(err, /None of them lends space to this node\. .*\(swarm\.friends\)/);
});

test('a grant whose file cannot be written is not given, and a reader may be named as did:key', async () => {
  const file = join(bob.home, 'config.yaml');
  const give = (to: string, out: string) =>
    kith(['vpk', 'grant', 'create', 'notes', '--to', to, '--out', out, '--home', bob.home]);
  assert.match(
    (await give(ofEve.peer, file)).err,
    /There is a file already: .*Name another one \(--out\)\.\n/,
  );
  // Who is meant is understood: it is the knowledge base that is missing.
  assert.match((await give(ofEve.did, join(bob.home, 'new.grant'))).err, /notes is on no peer's disk/);
});
