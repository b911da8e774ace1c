/**
 * Two nodes of two owners, as they are set up by hand: one serves its model to a friend, the other has it as a backend of
 * kind `peer` and no engine of its own.
 */
import assert from 'node:assert/strict';
import { appendFile, readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { resolveConfig, setInFile, silentLogger, systemClock } from '../../src/base/index.ts';
import { openNodeIdentity } from '../../src/node/identity.ts';
import type { LeasesView, PeerTrustView, ReceiptsView } from '../../src/server/index.ts';
import { openTrust } from '../../src/trust/index.ts';
import { createHome, type TestHome } from '../node-support.ts';
import { type SwarmNode, startSwarmNode, swarmHome, until } from '../swarm-support.ts';

interface Answer {
  readonly choices: readonly { readonly message: { readonly content: string } }[];
  readonly kith: {
    readonly backend: string;
    readonly route: {
      readonly step: string;
      readonly privacy: { readonly where: string };
      readonly attempts: readonly { readonly backend: string; readonly outcome: string }[];
    };
  };
}
interface Refusal {
  readonly error: { readonly code: string; readonly message: string };
}

let annaHome: TestHome;
let anna: SwarmNode;
let benHome: string;
let ben: SwarmNode;

/** The name that a home's node will have. */
async function nameOf(home: string): Promise<{ readonly peerId: string; readonly did: string }> {
  const { config } = resolveConfig({ home, env: {} });
  const { identity } = await openNodeIdentity(config, silentLogger, undefined);
  return { peerId: identity.peerId, did: identity.did };
}

before(async () => {
  [annaHome, benHome] = await Promise.all([createHome(), swarmHome({ 'openai.enabled': false })]);
  const [annaName, benName] = await Promise.all([nameOf(annaHome.path), nameOf(benHome)]);
  for (const [key, value] of Object.entries({
    'swarm.enabled': true,
    'swarm.network': 'lan',
    'swarm.listen': '/ip4/127.0.0.1/tcp/0',
    'swarm.connectionsPerSecond': 1000,
    'swarm.regions': 'ch,eu',
    'swarm.friends': benName.peerId,
    'swarm.serveModels': 'tiny',
  }))
    await setInFile(annaHome.path, key, value);
  anna = await startSwarmNode(annaHome.path);
  const { addresses } = await anna.view();
  await setInFile(benHome, 'swarm.bootstrap', addresses[0]!);
  await appendFile(
    join(benHome, 'config.yaml'),
    `backends:\n  - { name: anna, kind: peer, peer: "${annaName.did}", models: [tiny, secret] }\n`,
  );
  ben = await startSwarmNode(benHome);
  await ben.view();
});
after(async () => {
  await Promise.all([anna?.node.close(), ben?.node.close()]);
  await Promise.all([annaHome?.remove(), rm(benHome, { recursive: true, force: true })]);
});

const ask = (headers: Readonly<Record<string, string>> = {}, more: object = {}): Promise<Response> =>
  fetch(`${ben.node.url}/v1/chat/completions`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...headers },
    body: JSON.stringify({
      model: 'tiny',
      messages: [{ role: 'user', content: 'Hello' }],
      max_tokens: 4,
      temperature: 0,
      kith: { receipt: true },
      ...more,
    }),
  });

test("a friend's model answers over the peer, and the receipt names it", async () => {
  const response = await ask();
  const text = await response.text();
  assert.equal(response.status, 200, text);
  const { choices, kith } = JSON.parse(text) as Answer;
  assert.notEqual(choices[0]!.message.content, '');
  assert.equal(response.headers.get('x-kith-step'), 'peer');
  assert.equal(kith.backend, 'anna');
  assert.equal(kith.route.step, 'peer');
  assert.equal(kith.route.privacy.where, 'peer');
  assert.deepEqual(
    kith.route.attempts.map(({ backend, outcome }) => [backend, outcome]),
    [['anna', 'answered']],
  );
});

test('both sides keep the receipt of it, and the place is seen by who gave it', async () => {
  const { peer: annas } = await anna.view();
  const { peer: bens } = await ben.view();
  const [got, given] = await Promise.all([
    ben.call<ReceiptsView>('GET', `/receipts?way=got&peer=${annas}`),
    anna.call<ReceiptsView>('GET', `/receipts?way=given&peer=${bens}`),
  ]);
  assert.deepEqual([got.total, given.total], [1, 1]);
  const { receipt, signature, model, outcome } = got.receipts[0]!;
  assert.deepEqual([model, outcome], ['tiny', 'answered']);
  assert.deepEqual([receipt, signature], [given.receipts[0]!.receipt, given.receipts[0]!.signature]);
  const { leases, most } = await anna.call<LeasesView>('GET', '/leases');
  assert.deepEqual([most, leases.map(({ peer, model: of }) => [peer, of])], [2, [[bens, 'tiny']]]);
});

test('who was dealt with can be endorsed, and that can be taken back', async () => {
  const { peer } = await anna.view();
  const path = `/peers/${peer}/endorsement`;
  const { dealings } = await until(
    () => ben.call<PeerTrustView>('GET', `/peers/${peer}/trust`),
    (trust) => trust.dealings > 0,
  );
  const given = await ben.call<PeerTrustView>('POST', path);
  assert.deepEqual([given.endorsed, given.dealings >= dealings], [true, true]);
  assert.equal((await ben.call<PeerTrustView>('DELETE', path)).endorsed, false);
});

test('the answer comes as a stream, too', async () => {
  const response = await ask({}, { stream: true });
  assert.equal(response.status, 200);
  const text = await response.text();
  assert.match(text, /"delta":\{[^}]*"content":"/);
  assert.match(text, /data: \[DONE\]\s*$/);
});

test('what the peer announces of its region counts, whichever of its regions is asked for', async () => {
  const { peer } = await anna.view();
  await until(
    () => ben.call<{ peers: { peer: string; regions: string[] }[] }>('GET', '/peers'),
    ({ peers }) => peers.some((one) => one.peer === peer && one.regions.length === 2),
  );
  const near = await ask({ 'x-kith-regions': 'eu' });
  assert.equal(near.status, 200, await near.clone().text());
  await near.text();
  const far = await ask({ 'x-kith-regions': 'us' });
  assert.equal(((await far.json()) as Refusal).error.code, 'peer_unmet');
});

test('a request that asks for a higher tier is refused, and says what the peer lacks', async () => {
  const response = await ask({ 'x-kith-min-tier': 'verified' });
  assert.equal(response.status, 403);
  const { error } = (await response.json()) as Refusal;
  assert.equal(error.code, 'peer_unmet');
  assert.match(error.message, /anna.*verified/);
});

test('the peer is among the backends of its owner, and its model among the models', async () => {
  const { token } = JSON.parse(await readFile(join(benHome, 'run', 'node.json'), 'utf8')) as {
    token: string;
  };
  const get = async (path: string) =>
    (await fetch(`${ben.node.url}${path}`, { headers: { authorization: `Bearer ${token}` } })).json();
  const { data } = (await get('/v1/models')) as { data: { id: string }[] };
  assert.deepEqual(
    data.map(({ id }) => id),
    ['tiny', 'secret'],
  );
  const { backends } = (await get('/kith/v1/backends')) as { backends: { name: string; where: string }[] };
  assert.deepEqual(
    backends.map(({ name, where }) => [name, where]),
    [['anna', 'peer']],
  );
});

test('a model that the friend does not serve is refused by her node, in words of its own', async () => {
  const response = await ask({}, { model: 'secret' });
  const { error } = (await response.json()) as Refusal;
  assert.deepEqual([response.status, error.code], [502, 'peer_denied'], error.message);
  assert.match(error.message, /does not serve that model/);
});

test('what the friend answered counts in what is thought of her', async () => {
  const observed = async () => {
    using trust = openTrust({ home: benHome, clock: systemClock, self: null });
    const { terms } = trust.score((await nameOf(annaHome.path)).peerId);
    return terms.find(({ name }) => name === 'observations')!.detail;
  };
  const before = await until(observed, (detail) => /latency/.test(detail));
  assert.match(before, /^availability 100\.0 % of \d+\.0, latency \d+\.\d % of \d+\.\d$/);
});

test('a peer that is gone is an error that says so, in time', async () => {
  await anna.node.close();
  const response = await ask();
  const { error } = (await response.json()) as Refusal;
  assert.equal(response.status, 502, JSON.stringify(error));
  assert.equal(error.code, 'peer_unreachable');
  assert.match(error.message, /The peer 'anna' did not answer/);
});
